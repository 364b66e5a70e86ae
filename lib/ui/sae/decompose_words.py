"""What Decompose says of its numbers and pictures."""

from lib.numerals import minus
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.decomposition import Decomposition
from lib.sae.tokens import TokenShares
from lib.ui.messages import count, counted, share

SHARE = (
    "Part of the vector's squared length, x · x, that the features' directions account for: activation × (direction · "
    "x) / (x · x), summed over the active features. With the bias and the error it makes 100 %."
)
ERROR = (
    "Part of x · x that lies in no feature: (x − x̂) · x / (x · x). Whatever this text means beyond its features is in "
    "here, unlabelled."
)
BIAS = "Part of x · x that the decoder's bias accounts for: what all texts of the training have in common."
FVU = (
    "Fraction of variance unexplained, of this one text: squared length of the error over that of x less the decoder's "
    "bias. 0 = all is explained, 1 = no better than the bias alone."
)


def rule(sae: SparseAutoencoder) -> str:
    """How the dictionary keeps activations few."""
    return {
        "topk": f"TopK: the {count(sae.k or 0)} strongest fire",
        "batchtopk": f"BatchTopK: about {count(sae.k or 0)} fire, those above one threshold",
        "jumprelu": "JumpReLU: those fire that are above their threshold",
    }[sae.rule]


def of_bars(result: Decomposition, shown: int) -> str:
    """How the bars are read, and what not to conclude."""
    part = float(result.shares[:shown].sum())
    told = (
        f"The {count(shown)} strongest of {counted(len(result.features), 'feature')}"
        if shown < len(result.features)
        else f"All {counted(len(result.features), 'feature')}"
    )
    return (
        f"{told}: a bar's length and colour are the feature's activation (amber = strong, violet = weak), the figure "
        f"beside it its share of the vector; those shown make {share(part)} of it, and all features, the bias and the "
        "error 100 %. A share below 0 belongs to a feature that the rest of the vector points away from. A label tells "
        "what tends to fire a feature, not what this text says; the weakest bars have only just made the cut. Click a "
        "bar to see its words below."
    )


def of_tokens(shares: TokenShares, *, fires: bool) -> str:
    """How the coloured tokens are read, and what not to conclude."""
    total, constant, pre = float(shares.shares[0].sum()), float(shares.constants[0]), float(shares.pre_activations[0])
    rest = "" if shares.exact else f", left out {float(shares.rest[0]):+.3f}"
    low = "it is not above 0" if pre <= 0 else "other features are stronger, or its threshold is higher"
    silent = "" if fires else f" It does not fire on this text: {low}."
    cut = " The text is longer than the encoder reads: what was cut has no share." if shares.truncated else ""
    parts = minus(f"Tokens {total:+.3f}, constant {constant:+.3f}{rest}: together the pre-activation, {pre:.3f}.")
    return (
        f"{parts}{silent} {shares.why} A token's colour says in whose state the feature is found; by then the layers "
        f"have mixed the words around it into that state, and into those of [CLS], [SEP] and punctuation, which count "
        f"like any other.{cut}"
    )
