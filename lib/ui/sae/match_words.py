"""What the Match tab says of its numbers and pictures."""

import numpy as np

from lib.sae.matching import FEWEST, FEWEST_TEXTS, ModelMatch, Side
from lib.sae.matching.chance import FALSE_DISCOVERIES
from lib.ui.messages import count, counted, share

BY = (
    "cosine: the directions that features write along, in one space. correlation: how strongly features fire on these "
    f"texts, whatever their directions; of features that fire on {FEWEST} or more of them."
)
PAIRING = "one-to-one: no feature stands for two, the sum of similarities is largest. best: each with its most similar."
SPACE = (
    "automatic: directions as they are where both encoders are the same, else aligned. as they are: for two "
    "checkpoints of one model, whose widths are equal. aligned: one space is mapped onto the other on this "
    "corpus: by a rotation (orthogonal Procrustes) where widths are equal, by a ridge regression where they differ."
)
VERDICTS = {
    "interchangeable": "● Interchangeable on this corpus: each model has features for what the other knows of it",
    "partly": "◐ Partly interchangeable on this corpus: each model knows some of it that the other does not",
    "not interchangeable": "○ Not interchangeable on this corpus: most of what one model knows, the other does not",
    "cannot be told": "◇ Cannot be told on this corpus: too few texts, or features that fire too rarely",
}


def coverage(side: Side) -> str:
    """What the share of features means, and its baseline."""
    return (
        f"{count(int(side.matched.sum()))} of {counted(int(side.judged.sum()), 'judged feature')} have a counterpart "
        f"in the other model, each feature alike. Chance alone brings {share(side.chance)} above the threshold. Two "
        "trainings of one dictionary from two seeds share about 30 to 60 %: 100 % is not to be had."
    )


def domain(side: Side) -> str:
    """What the share of activation means, and how sure it is."""
    return (
        "Share of all activation on this corpus that is in features with a counterpart: coverage for this domain. "
        f"95 % interval over texts: {share(side.domain.low)} to {share(side.domain.high)}. It speaks of the features "
        f"that could be judged, which hold {share(side.judged_weight)} of the activation."
    )


def of_coverage(found: ModelMatch) -> str:
    """How to read the picture of coverage."""
    told = f"{found.rule} Dashed lines stand at 50 and 80 %; bars are 95 % intervals over texts. "
    return told + (
        "Features in common do not make vectors exchangeable: an index of one model cannot be searched with the other, "
        "and a feature split in two by one dictionary counts as missing in the other. What a small corpus cannot prove "
        "counts as missing, too: read coverage as a lower bound, and the names of lone features as a lead."
    )


def of_similarities(found: ModelMatch) -> str:
    """How to read the histogram."""
    if found.by == "correlation":
        chance = (
            "the texts of one side shuffled against the other's; features are held against those that fire as often"
        )
    elif found.alignment.map is None:
        chance = "the coordinates of the other's directions shuffled"
    else:
        chance = "the alignment fitted on shuffled texts"
    return (
        f"Solid: every feature with its counterpart. Dashed: the best of all candidates with {chance}, over "
        f"{found.shuffles} shuffles. Two features count as the same from {found.threshold:.2f} (dotted), and where "
        f"chance rarely gives as much ({FALSE_DISCOVERIES:.0%} false discoveries across features, Benjamini-Hochberg)."
    )


def of_agreement(rank: float) -> str:
    """How to read the pairs; `rank` is their rank correlation."""
    return (
        f"Each point is a pair, larger where the feature weighs more on this corpus. Rank correlation of the two: "
        f"{'cannot be told' if np.isnan(rank) else f'{rank:.2f}'}. High up and left: they fire on the same texts here "
        "along different directions, as one concept in two places, or two concepts that these texts do not tell apart. "
        "Low and right: one direction, read above different thresholds."
    )


def of_alignment(found: ModelMatch) -> list[str]:
    """What should be known of how directions were brought together."""
    alignment = found.alignment
    if alignment.map is None:
        return ["Directions are compared as they are: this means something only within one space."]
    way = "a rotation" if alignment.kind == "procrustes" else "a linear map (ridge regression)"
    which = "This model's" if alignment.mapped == "ours" else "The other model's"
    width = alignment.map.shape[0]
    told = [
        f"{which} directions were mapped by {way}, fitted on {count(alignment.texts)} different texts of this corpus. "
        f"On {count(alignment.held_out)} held-out ones it explains {share(max(alignment.r2, 0.0))} of the variance "
        f"(R² {alignment.r2:.2f}, mean cosine {alignment.cosine:.2f}): what the map misses lowers every cosine."
        f"{' Pairs by correlation do not depend on it.' if found.by == 'correlation' else ''}"
    ]
    if alignment.rank < width:
        told.append(
            f"These texts determine {count(alignment.rank)} of {count(width)} dimensions: cosines of directions in the "
            f"others are arbitrary. Use a larger corpus (at least {FEWEST_TEXTS} texts, better several times "
            f"{count(width)}), or pair by correlation."
        )
    return told
