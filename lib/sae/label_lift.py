"""For which labels of a corpus a feature fires: counts, lift over chance, and how sure one can be of it.

lift = P(label | fires) / P(label). A label seen once with a rare feature has an enormous lift that means nothing, so
labels are ordered by the lower end of its interval: that of Wilson (1927) for P(label | fires), 95 %, divided by
P(label). The p-value is the hypergeometric one (Fisher's exact test, one side): how often as many texts drawn at random
would hold at least as many of that label; it is not corrected for the number of labels and features looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result
from lib.sae.codes import Codes

_Z = 1.959964  # 95 %, two sides


@dataclass(frozen=True, eq=False)
class LabelCounts(Result):
    """How many of the texts on which each feature fires carry each label: compressed sparse rows over n features."""

    names: tuple[str, ...]
    """The L labels, sorted."""
    sizes: NDArray[np.int64]
    """Texts of each label, shape (L,)."""
    starts: NDArray[np.int64]
    """Where each feature's labels begin in the two arrays below, shape (n + 1,)."""
    labels: NDArray[np.int32]
    """Labels with which the feature fires, as positions in `names`."""
    counts: NDArray[np.int64]
    """Texts of that label on which it fires."""
    fires: NDArray[np.int64]
    """Texts with any label on which the feature fires, shape (n,)."""

    @property
    def labelled(self) -> int:
        """Texts that have a label."""
        return int(self.sizes.sum())

    def of(self, feature: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The labels with which `feature` fires, and on how many texts."""
        here = slice(self.starts[feature], self.starts[feature + 1])
        return self.labels[here], self.counts[here]


@dataclass(frozen=True, eq=False)
class LabelLift(Result):
    """The labels with which one feature fires, those of the surest lift first; arrays of shape (labels,)."""

    feature: int
    """The feature."""
    fires: int
    """Texts with a label on which it fires."""
    names: tuple[str, ...]
    """The labels."""
    counts: NDArray[np.int64]
    """Texts of the label on which it fires."""
    sizes: NDArray[np.int64]
    """Texts of the label."""
    lift: NDArray[np.float64]
    """P(label | fires) / P(label): 1 is chance, at most texts / texts of the label."""
    low: NDArray[np.float64]
    """Lower end of its 95 % interval."""
    high: NDArray[np.float64]
    """Upper end."""
    p_value: NDArray[np.float64]
    """Chance of at least as many by drawing texts at random."""


def label_counts(codes: Codes, labels: Sequence[str | None]) -> LabelCounts:
    """Count, for every feature, the texts of each label on which it fires."""
    from scipy.sparse import csr_array

    names = sorted({label for label in labels if label is not None})
    at = {name: number for number, name in enumerate(names)}
    rows = np.array([row for row, label in enumerate(labels) if label is not None], dtype=np.int64)
    numbers = np.array([at[label] for label in labels if label is not None], dtype=np.int64)
    shape = (len(codes), len(names))
    membership = csr_array((np.ones(len(rows), dtype=np.int64), (rows, numbers)), shape=shape)
    ones = np.ones(len(codes.features), dtype=np.int64)
    firing = csr_array((ones, codes.features, codes.starts), shape=(len(codes), codes.width))
    both = csr_array(firing.T @ membership)
    both.sort_indices()
    return LabelCounts(
        names=tuple(names),
        sizes=np.bincount(numbers, minlength=len(names)).astype(np.int64),
        starts=both.indptr.astype(np.int64),
        labels=both.indices.astype(np.int32),
        counts=both.data.astype(np.int64),
        fires=np.asarray(both.sum(axis=1)).astype(np.int64).ravel(),
    )


def label_lift(counts: LabelCounts, feature: int) -> LabelLift:
    """With which labels `feature` fires more than chance; none where it fires on no labelled text."""
    from scipy.stats import hypergeom

    labels, found = counts.of(feature)
    sizes, fires, of = counts.sizes[labels], int(counts.fires[feature]), counts.labelled
    base = sizes / of
    low, high = _wilson(found, np.full(len(found), fires))
    order = np.lexsort((labels, -low / base))
    return LabelLift(
        feature=feature,
        fires=fires,
        names=tuple(counts.names[labels[i]] for i in order),
        counts=found[order],
        sizes=sizes[order],
        lift=(found / max(fires, 1) / base)[order],
        low=(low / base)[order],
        high=(high / base)[order],
        p_value=np.asarray(hypergeom.sf(found - 1, of, sizes, fires), dtype=np.float64)[order],
    )


def best_specificity(counts: LabelCounts) -> NDArray[np.float64]:
    """The highest specificity that each feature has to any label, shape (n,); NaN where it fires on no labelled text.

    (low - P(label)) / (1 - P(label)), with low the lower end of the interval of P(label | fires), not below 0: the
    share of the way from chance to "fires for this label alone" that is sure.
    """
    features = np.repeat(np.arange(len(counts.fires)), np.diff(counts.starts))
    best = np.zeros(len(counts.fires))
    np.maximum.at(best, features, _specificity(counts, features))
    return np.where(counts.fires > 0, best, np.nan)


def specificity_to(counts: LabelCounts, label: str) -> NDArray[np.float64]:
    """How surely each feature fires for `label` alone, shape (n,); 0 where it does not fire with it."""
    wanted = counts.names.index(label)
    features = np.repeat(np.arange(len(counts.fires)), np.diff(counts.starts))
    here = counts.labels == wanted
    found = np.zeros(len(counts.fires))
    found[features[here]] = _specificity(counts, features)[here]
    return found


def _specificity(counts: LabelCounts, features: NDArray[np.int64]) -> NDArray[np.float64]:
    base = counts.sizes[counts.labels] / max(counts.labelled, 1)
    low, _ = _wilson(counts.counts, counts.fires[features])
    return np.clip(np.divide(low - base, 1 - base, out=np.zeros(len(base)), where=base < 1), 0, 1)


def _wilson(found: NDArray[np.int64], of: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the 95 % interval of found / of."""
    n = np.maximum(of, 1)
    p = found / n
    centre, reach = p + _Z**2 / (2 * n), _Z * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return np.clip((centre - reach) / scale, 0, 1), np.clip((centre + reach) / scale, 0, 1)
