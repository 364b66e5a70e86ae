"""What the Space tab says of its numbers and pictures."""

from collections.abc import Sequence

import numpy as np

from lib.charts.finetune_space import MOST_ROWS
from lib.finetune.diff.alignment import Rotation
from lib.finetune.diff.separation import Separation
from lib.finetune.diff.shape import DimensionChange
from lib.finetune.diff.space import SpaceDiff
from lib.finetune.diff.spread import Spread
from lib.ui.messages import count, counted, share

_ARROW = " → "
_AMBER = (
    "Amber, pointing right: higher, with its whole interval above 0; violet, pointing left: lower; a grey circle: 0 "
    "lies in the interval, or there are too few texts for one. By luck alone one row in twenty would be coloured."
)


def numbers(found: SpaceDiff) -> list[tuple[str, str, str]]:
    """Label, value and meaning of each number of the view."""
    told = [_anisotropy(found), _dimension(found)]
    if found.separation is not None:
        told.append(_separation(found.separation))
        told.append(_silhouette(found.separation))
    told.append(_cka(found))
    told.append(_kept(found))
    return told


def _anisotropy(found: SpaceDiff) -> tuple[str, str, str]:
    one = found.anisotropy
    meaning = (
        f"Mean cosine of two texts, over every pair: 0 for directions drawn evenly from the sphere (± "
        f"{one.sphere_deviation:.3f}), 1 where all vectors point one way. It changed by {one.delta:+.3f}"
        f"{_interval(one.interval)}. A higher one does not by itself mean worse retrieval."
    )
    return "Anisotropy", f"{one.base.mean_cosine:.3f}{_ARROW}{one.tuned.mean_cosine:.3f}", meaning


def _dimension(found: SpaceDiff) -> tuple[str, str, str]:
    one = found.dimension
    values = [f"{side.two_nn:.1f}" if side.two_nn is not None else "–" for side in (one.base, one.tuned)]
    change = "It cannot be told on one side." if one.change is None else f"It changed by {one.change:+.1f}"
    meaning = (
        "How many directions a text can move in near its neighbours, by the distances to its two nearest (TwoNN), "
        f"whatever the width of the vectors. {change}{_interval(one.interval, 1)}, told by {count(one.points)} texts."
    )
    return "Intrinsic dimension", _ARROW.join(values), meaning


def _separation(one: Separation) -> tuple[str, str, str]:
    meaning = (
        "Distance between topics over their width: 1 = they stand as far apart as their texts scatter. Stretching the "
        f"whole space does not change it. Change {one.ratio_change:+.3f}{_interval(one.ratio_interval)}."
    )
    return "Separation of topics", f"{one.ratio_base:.3f}{_ARROW}{one.ratio_tuned:.3f}", meaning


def _silhouette(one: Separation) -> tuple[str, str, str]:
    meaning = (
        "Is a text nearer to its own topic than to the next? 1 = tight and far apart, 0 = overlapping. Change "
        f"{one.silhouette_change:+.3f}{_interval(one.silhouette_interval)}."
    )
    return "Silhouette", f"{one.silhouette_base:.3f}{_ARROW}{one.silhouette_tuned:.3f}", meaning


def _cka(found: SpaceDiff) -> tuple[str, str, str]:
    one = found.cka
    meaning = (
        "Do both lay the texts out alike, but for rotation and scale? 1 = the same layout, 0 = unrelated ones (linear "
        f"CKA without bias, whatever the widths){_interval(one.interval)}."
    )
    return "Same layout (CKA)", "–" if one.value is None else f"{one.value:.3f}", meaning


def _kept(found: SpaceDiff) -> tuple[str, str, str]:
    one = found.neighbours
    meaning = (
        f"Of the {one.k} texts nearest to a text, the share that is still among them. 95 % interval "
        f"{share(one.interval[0])} to {share(one.interval[1])}; random neighbours would give {share(one.chance)}."
    )
    return "Neighbours kept", share(one.mean), meaning


def of_similarities(found: SpaceDiff, *, by_topic: bool) -> str:
    """How to read the histogram."""
    one = found.similarities
    pairs = "every pair" if one.every_pair else f"{count(one.pairs)} pairs drawn at random, the same on both sides"
    told = f"Dashed: the base; solid: the tuned one; {pairs}. "
    if by_topic and one.told_apart_base is not None and one.told_apart_tuned is not None:
        told += (
            "The further amber (pairs of one topic) lies to the right of blue (pairs of two), the better topics are "
            f"told apart: a pair of one topic is the more similar one in {share(one.told_apart_base)} of all draws "
            f"before, {share(one.told_apart_tuned)} after (50 % = not at all). "
        )
    return told + (
        f"Mean cosine {one.mean_base:.3f} before, {one.mean_tuned:.3f} after, over every pair. Where a curve moves as "
        "a whole, thresholds set on scores must be set anew; of rankings that says nothing."
    )


def of_separation(one: Separation) -> str:
    """How to read the distances of topics."""
    left = len(one.names) * (len(one.names) - 1) // 2
    cut = f" Drawn are the {MOST_ROWS} of {count(left)} pairs that changed most." if left > MOST_ROWS else ""
    return (
        f"Hollow: distance of two topics' centroids with the base; solid: with the tuned one, with the 95 % interval "
        f"of the change over texts. {_AMBER}{cut} Read it with the next picture: centroids also come apart where the "
        "whole space is stretched."
    )


def of_spread(one: Spread) -> str:
    """How to read the spreads."""
    cut = f" Drawn are the {MOST_ROWS} of {count(len(one.names))} that changed most." * (len(one.names) > MOST_ROWS)
    return (
        f"0: all texts of the topic in one point. {_AMBER}{cut} Narrower is not better: where a topic's texts fall "
        "into one point, nothing can be found among them any more."
    )


def of_dimension(one: DimensionChange) -> str:
    """How to read the variance kept."""
    widths = f"{count(one.base.dimensions)}"
    if one.tuned.dimensions != one.base.dimensions:
        widths += f" and {count(one.tuned.dimensions)}"
    return (
        f"90 % of the variance takes {count(one.base.components_90)} components before and "
        f"{count(one.tuned.components_90)} after, of {widths}. A curve further left: the texts vary in fewer "
        "directions. Fewer dimensions are no fault as long as what differs stays apart."
    )


def of_rotation(one: Rotation) -> str:
    """How to read what a rotation explains."""
    chance = f"unrelated texts would lie {one.distance_chance:.3f} apart"
    if one.distance is None:
        return (
            f"After the best rotation of one side a text lies {one.distance_aligned:.3f} from itself; {chance}. "
            "Without one space, how far it lies before means nothing."
        )
    if one.distance == 0:
        return "No text moved at all."
    explained = (
        "" if one.explained is None else f"A rotation explains {share(one.explained, 0)} of how far texts moved: "
    )
    return (
        f"{explained}it turns the space as a whole, and no search sees it. What is left ({one.distance_aligned:.3f} of "
        f"{one.distance:.3f}) changes who is near whom; {chance}."
    )


def of_sharing(found: SpaceDiff) -> str:
    """Which parts need one space."""
    own, others = found.sharing.own, found.sharing.others
    measured = ""
    if own is not None and others is not None:
        measured = f" A text's two vectors have a mean cosine of {own:.3f}, two different texts' {others:.3f}."
    return (
        f"{found.sharing.rule}{measured} Centroid shift, the picture of both, and how far single texts moved need one "
        "space. Similarities, spread, separation, anisotropy, dimensions, neighbours, ranks and CKA do not: they hold "
        f"for any two encoders. All figures are of {counted(found.items, 'text')}, intervals of "
        f"{counted(found.resamples, 'resample')}."
    )


def _interval(ends: Sequence[float] | None, digits: int = 3) -> str:
    if ends is None or not np.isfinite(ends).all():
        return ""
    return f" (95 % interval {ends[0]:.{digits}f} to {ends[1]:.{digits}f})"
