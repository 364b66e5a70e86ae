"""What the vectors of a corpus say: do groups lie apart, do all point one way, how many dimensions, what is far out?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import Corpus
from lib.geometry import Anisotropy, Clusters, Flagged, IntrinsicDimension, LabelFit, OodScores, Projection, flag
from lib.numerals import count, counted, share
from lib.overview.isotropic import isotropic_components
from lib.overview.signals import Item, Signal, StandOut, beginning, digits, finite

LISTED = 5
"""Items that a stand-out names."""
FEWEST = 3
"""Texts below which a space has no shape."""
DEVIATIONS = 3.0
"""Robust standard deviations above the median from which on a text counts as far out."""
_OF_A_BELL = 0.00135  # share of a bell curve above three standard deviations
_ROUNDING = 1e-6  # of a distance in float32
_MAD = 1.4826  # of a bell curve: standard deviation over median absolute deviation
_RULES = {
    "centroid": "corpus centroid",
    "label_centroid": "nearest label centroid",
    "neighbour": "k-th neighbour",
    "local_centroid": "nearest local centroid",
    "mahalanobis": "Mahalanobis",
}  # as the page's control has them


@dataclass(frozen=True)
class Fence:
    """Texts that lie unusually far out, by the rule that suits their corpus."""

    scores: OodScores
    """How far out each text is."""
    flagged: Flagged
    """Those above the fence: median + 3 robust standard deviations (1.4826 median absolute deviations each)."""


def fence(scores: OodScores) -> Fence:
    """Flag by the spread of the scores themselves, so that a corpus without outliers has none.

    The threshold is rounded up to three decimals: as the Outliers view takes it.
    """
    middle = float(np.median(scores.scores))
    width = _MAD * float(np.median(np.abs(scores.scores - middle)))
    threshold = float(np.ceil((middle + DEVIATIONS * width + _ROUNDING) * 1_000) / 1_000)
    return Fence(scores, flag(scores, value=threshold))


def map_signal(layout: Projection | None, groups: Clusters | None, fit: LabelFit | None) -> Signal:
    """Do groups lie apart? Label purity beside chance; without labels the trustworthiness of the map.

    Without a map (it takes long) the labels answer alone.
    """
    trust = None if layout is None else layout.trustworthiness
    facts = finite(trustworthiness=trust, clusters=None if groups is None else groups.count)
    found = "" if groups is None else _clusters(groups)
    if fit is not None:
        chance = chance_of(fit)
        facts |= finite(purity=fit.purity, silhouette=fit.silhouette) | {"purity.chance": chance}
        believed = (
            ""
            if trust is None
            else f" The map can be believed to {digits(trust, 2)} (1 = every neighbour, 0.5 = random)."
        )
        return Signal(
            "map",
            "Label purity",
            fit.purity,
            share(fit.purity),
            f"Of a text's {fit.k} nearest neighbours {share(fit.purity, 0)} have its label, where random ones would "
            f"have it in {share(chance, 0)}; the silhouette of {counted(len(fit.names), 'label')} is "
            f"{digits(fit.silhouette, 2)}.{found}{believed}",
            baseline=chance,
            baseline_shown=f"{share(chance)} with random neighbours",
            facts=facts,
        )
    if trust is None:
        return Signal("map", "Trustworthiness", None, "—", "", needs="A map can be judged from 4 texts on: add texts.")
    return Signal(
        "map",
        "Trustworthiness",
        trust,
        digits(trust),
        f"Neighbours on the map are neighbours in the space to {digits(trust, 2)}.{found} With a column of labels it "
        "could be said whether these lie apart.",
        baseline=0.5,
        baseline_shown="0.5 for a random map, 1 at best",
        facts=facts,
    )


def _clusters(groups: Clusters) -> str:
    far = int(groups.far.sum())
    rest = f"; {counted(far, 'text')} {'lies' if far == 1 else 'lie'} far from all." if far else "."
    return f" {counted(groups.count, 'cluster')} can be found without labels{rest}"


def chance_of(fit: LabelFit) -> float:
    """The purity that random neighbours would give, over all labelled texts."""
    return float(fit.counts @ fit.chance_by_label / fit.items)


def anisotropy_signal(found: Anisotropy) -> Signal:
    """Do all vectors point the same way? Mean cosine of all pairs, against 0 of the uniform sphere."""
    chance = f"{digits(found.mean_cosine, 2)} ± {digits(found.deviation, 2)}"
    remarkable = digits(min(found.mean_cosine + 2 * found.deviation, 1.0), 2)
    told = (
        f"Two texts by chance reach {chance} (± {digits(found.dimensions**-0.5, 2)} for even directions), so only a "
        f"cosine above about {remarkable} says much here. It does not tell by itself how well they are found."
    )
    return Signal(
        "anisotropy",
        "Mean cosine",
        found.mean_cosine,
        digits(found.mean_cosine),
        told,
        baseline=0.0,
        baseline_shown="0 where directions are spread evenly, 1 where all are the same",
        facts=finite(anisotropy=found.mean_cosine)
        | {
            "anisotropy.centred": found.mean_cosine_centred,
            "anisotropy.deviation": found.deviation,
            "top_direction_share": found.top_direction_share,
        },
    )


def dimension_signal(found: IntrinsicDimension) -> Signal:
    """How many dimensions are used? Components for 95 % of the variance, against isotropic vectors."""
    d = found.dimensions
    if not found.components_95:
        return Signal(
            "dimension", "Components for 95 %", None, "—", "",
            needs="All texts have the same vector, so nothing varies: add texts that differ.",
        )  # fmt: skip
    even = isotropic_components(found.items, d)
    sentence = (
        f"{found.components_90}, {found.components_95} and {found.components_99} of {count(d)} components hold 90, 95 "
        "and 99 % of the variance of these texts."
    )
    facts = {
        "components_90": float(found.components_90),
        "components_95": float(found.components_95),
        "components_99": float(found.components_99),
        "participation_ratio": found.participation_ratio,
        "dimensions": float(d),
    }
    if found.two_nn is not None and found.two_nn_interval is not None:
        low, high = found.two_nn_interval
        sentence += f" Seen by nearest neighbours (TwoNN) they fill {found.two_nn:.1f} ({low:.1f} to {high:.1f})."
        facts |= {"two_nn": found.two_nn, "two_nn.low": low, "two_nn.high": high}
    if found.items < 5 * d:
        sentence += f" {count(found.items)} texts can show {min(found.items - 1, d)} at most; more would show more."
    return Signal(
        "dimension",
        "Components for 95 %",
        float(found.components_95),
        f"{found.components_95} of {count(d)}",
        sentence,
        baseline=float(even),
        baseline_shown=f"{even} if as many texts varied alike in every direction",
        facts=facts,
    )


def outliers_signal(found: Fence) -> Signal:
    """Which texts do not belong? How many lie beyond the fence, against a bell curve."""
    flagged, scores = found.flagged, found.scores
    n, worst = len(flagged.rows), float(scores.scores.max())
    name = _RULES[scores.rule]
    distance = "distance" if scores.rule == "mahalanobis" else "cosine distance"
    whose = {"centroid": "the mean of all others", "local_centroid": "the nearest neighbourhood"}.get(
        scores.rule, f"the {name}"
    )
    where = f"The typical {distance} to {whose} is {digits(float(np.median(scores.scores)), 2)}"
    sentence = f"{where}; the farthest text stands at {digits(worst, 2)}." + (
        f" {counted(n, 'text')} above {digits(flagged.threshold, 2)}: read {'it' if n == 1 else 'them'} before use."
        if n
        else f" None is above {digits(flagged.threshold, 2)}."
    )
    return Signal(
        "outliers",
        "Far out",
        flagged.share,
        f"{count(n)} of {count(scores.items)}",
        sentence,
        baseline=_OF_A_BELL,
        baseline_shown=f"{share(_OF_A_BELL)} if distances followed a bell curve",
        facts={
            "outliers": float(n),
            "outliers.share": flagged.share,
            "outliers.threshold": flagged.threshold,
            "outliers.farthest": worst,
        },
        settings={"rule": name, "threshold": "value", "above": f"{flagged.threshold:g}"},
    )


def suspicious_inputs(corpus: Corpus, found: Fence) -> StandOut:
    """The texts farthest out."""
    rows, total = found.flagged.rows[:LISTED], len(found.flagged.rows)
    signal = outliers_signal(found)
    return StandOut(
        "suspicious_inputs",
        "Which texts do not belong?",
        f"{counted(total, 'text')} of {count(len(corpus))} {'lies' if total == 1 else 'lie'} far out."
        if total
        else "No text lies far out.",
        "distance",
        tuple(_text(corpus, int(row), found.scores.scores) for row in rows),
        total,
        f"Distance to the {_RULES[found.scores.rule]} above {digits(found.flagged.threshold)}: the median and "
        f"{DEVIATIONS:g} robust standard deviations.",
        signal.page,
        signal.query,
    )


def _text(corpus: Corpus, row: int, scores: NDArray[np.float64]) -> Item:
    label = corpus.labels[row] if corpus.labels else None
    return Item(corpus.ids[row], beginning(corpus.texts[row]), float(scores[row]), digits(scores[row]), label or "")


def weakest_label(fit: LabelFit) -> StandOut:
    """The labels whose texts keep together least, against chance."""
    told = np.flatnonzero(np.isfinite(fit.purity_by_label))
    order = told[np.argsort(fit.purity_by_label[told] - fit.chance_by_label[told], kind="stable")]
    lowest = order[0]
    mixed = [i for i in told if fit.purity_by_label[i] <= fit.chance_by_label[i]]
    sentence = (
        f"“{fit.names[lowest]}” keeps together least: {share(fit.purity_by_label[lowest], 0)} of its texts' neighbours "
        f"are its own, {share(fit.chance_by_label[lowest], 0)} by chance."
    )
    if mixed:
        sentence += f" {counted(len(mixed), 'label')} no better than chance."
    return StandOut(
        "weakest_label",
        "Which label is mixed with others?",
        sentence,
        "purity",
        tuple(_label(fit, int(i)) for i in order[:LISTED]),
        len(mixed),
        f"Share of the {fit.k} nearest neighbours with the same label, less that of random neighbours; the lowest "
        "first.",
        "geometry",
        {"view": "Labels"},
    )


def _label(fit: LabelFit, i: int) -> Item:
    value = float(fit.purity_by_label[i])
    note = f"{share(float(fit.chance_by_label[i]), 0)} by chance; {counted(int(fit.counts[i]), 'text')}"
    return Item(fit.names[i], "", value, share(value, 0), note)


def several(labels: Sequence[str | None] | None) -> bool:
    """Whether there are two labels or more."""
    return len({label for label in labels or () if label is not None}) > 1
