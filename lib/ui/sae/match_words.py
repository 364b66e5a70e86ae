"""What the Match tab says of its numbers and pictures."""

import numpy as np

from lib.sae.matching import FEWEST, FEWEST_TEXTS, ModelMatch, Side
from lib.sae.matching.chance import FALSE_DISCOVERIES
from lib.sae.matching.reading import TOLD
from lib.ui.messages import count, counted, share

_NAMED = 6  # labels
BY = (
    "cosine: the directions that features write along, in one space. correlation: how strongly features fire on these "
    f"texts, whatever their directions; of features that fire on {FEWEST} or more of them."
)
PAIRING = "one-to-one: no feature stands for two, the sum of similarities is largest. best: each with its most similar."
SPACE = (
    "automatic: as they are where both encoders are the same, or where widths are equal and the two vectors of a text "
    "are as close to each other as after a rotation (a checkpoint and its fine-tune); else aligned. aligned: one space "
    "is mapped onto the other on this corpus: by a rotation (orthogonal Procrustes) where widths are equal, by a ridge "
    "regression where they differ."
)
_VERDICTS = {
    "interchangeable": "● Interchangeable on this corpus: each model knows what the other's features tell of it",
    "partly": "◐ Partly interchangeable on this corpus: some of what one model's features tell, the other does not "
    "know",
    "not interchangeable": "○ Not interchangeable on this corpus: most of what one model's features tell, the other "
    "does not know",
    "cannot be told": "◇ Cannot be told on this corpus: too few texts, or features that fire too rarely",
}


def verdict(found: ModelMatch, *, one_model: bool, one_dictionary: bool) -> str:
    """The verdict in words; two dictionaries of one model are told from two models."""
    if not one_model:
        return _VERDICTS[found.verdict]
    if one_dictionary:
        return "● The same model and the same dictionary: every feature is its own counterpart"
    paired = f"{or_dash(found.ours.domain.share)} of the activation is in features that both dictionaries have"
    return f"● One model, two dictionaries: its vectors are the same by definition; {paired}"


def where(found: ModelMatch) -> str:
    """On which labels the two are interchangeable, and on which not."""
    told = []
    for said in _VERDICTS:
        labels = [one.label for one in found.labels if one.verdict == said]
        if labels:
            more = f" and {count(len(labels) - _NAMED)} more" if len(labels) > _NAMED else ""
            told.append(f"{said} on {', '.join(labels[:_NAMED])}{more}")
    return f"By label: {'; '.join(told).replace('cannot be told on', 'not to be told on')}."


def or_dash(value: float) -> str:
    """A share, or a dash where there is none."""
    return share(value) if np.isfinite(value) else "–"


def known(side: Side) -> str:
    """What the share that the other model knows means, and how sure it is."""
    return (
        "Share of the activation on this corpus in features that the other model knows: it has a counterpart, or its "
        "vectors tell at least half as much of the feature (variance, texts held out) as the feature's own vectors. "
        f"95 % interval over texts: {or_dash(side.known.low)} to {or_dash(side.known.high)}. It speaks of features "
        f"that can be told from {count(side.reading.texts)} different texts (a correlation of {TOLD} or more by their "
        f"own vectors), which hold {or_dash(side.known_weight)} of the activation."
    )


def by_chance(found: ModelMatch) -> str:
    """The baselines of the numbers."""
    sides = (found.ours, found.theirs)
    every = [(side.known_chance, side.domain_chance, side.chance) for side in sides]
    known, paired, each = (" and ".join(or_dash(value) for value in values) for values in zip(*every, strict=True))
    return f"By chance alone (this model's and the other's): known {known}, paired {paired}, features {each}."


def of_lists(side: Side) -> str:
    """What the three lists hold."""
    none, lacking = len(side.only), int(side.lacking.sum())
    told = int((side.reading.read & ~side.matched).sum())
    return (
        f"In both: {counted(len(side.pairs), 'feature')} with a counterpart. No counterpart: "
        f"{counted(none, 'feature')} that fire here. Of those, only here: {count(lacking)}, which their own vectors "
        f"tell and the other's do not. The other's vectors tell {count(told)} without a feature for them; the rest "
        "cannot be told from vectors on so few texts. What weighs most on this corpus comes first."
    )


def coverage(side: Side) -> str:
    """What the share of features means, and its baseline."""
    return (
        f"{count(int(side.matched.sum()))} of {counted(int(side.judged.sum()), 'judged feature')} have a counterpart "
        f"in the other model, each feature alike. Chance alone brings {or_dash(side.chance)} above the threshold. Two "
        "trainings of one dictionary from two seeds share about 30 to 60 %: 100 % is not to be had."
    )


def domain(side: Side) -> str:
    """What the share of activation means, and how sure it is."""
    return (
        "Share of the activation on this corpus that is in features with a counterpart: coverage for this domain. "
        f"95 % interval over texts: {or_dash(side.domain.low)} to {or_dash(side.domain.high)}. It speaks of the "
        f"features that could be judged, which hold {or_dash(side.judged_weight)} of the activation."
    )


def of_coverage(found: ModelMatch) -> str:
    """How to read the picture of coverage."""
    told = f"{found.rule} Dashed lines stand at 50 and 80 %; bars are 95 % intervals over texts. "
    return told + (
        "Hollow: the part in features with a counterpart, which is less wherever one dictionary splits what the other "
        "holds together, or a small corpus proves too little. What is known alike does not make vectors exchangeable: "
        "an index of one model cannot be searched with the other."
    )


def of_similarities(found: ModelMatch) -> str:
    """How to read the histogram."""
    if found.by == "correlation":
        chance = (
            "the texts of one side shuffled against the other's; features are held against those that fire as often"
        )
    elif found.alignment.map is None:
        chance = "the other's directions shuffled (among its features, along each of its main axes)"
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
    if alignment.map is None and not np.isfinite(alignment.r2):
        return ["Directions are compared as they are: this means something only within one space."]
    if alignment.map is None:
        return [
            "Directions are compared as they are: the two vectors of a text are as close as after the best rotation, "
            f"as those of a checkpoint and its fine-tune (R² {alignment.r2:.2f}, mean cosine {alignment.cosine:.2f}, "
            f"on {count(alignment.held_out)} texts)."
        ]
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
