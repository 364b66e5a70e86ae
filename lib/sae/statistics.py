"""What each feature of a dictionary does on a corpus: how often it fires, how strongly, and how to rank them.

Sums over the codes, exact; one pass, no dense matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.label_lift import LabelCounts, best_specificity, label_counts

Ranking = Literal["total", "frequency", "maximum", "mean", "stability", "score", "specificity"]
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)


@dataclass(frozen=True, eq=False)
class FeatureStatistics(Result):
    """Every feature's statistics over m texts; arrays of shape (n,), row f is feature f."""

    texts: int
    """Texts of the corpus, m."""
    count: NDArray[np.int64]
    """Texts on which the feature fires, 0 to m."""
    frequency: NDArray[np.float64]
    """Share of the texts on which it fires, 0 to 1."""
    mean: NDArray[np.float64]
    """Mean activation where it fires, above 0; NaN where it never does."""
    maximum: NDArray[np.float64]
    """Largest activation, 0 where it never fires."""
    total: NDArray[np.float64]
    """Sum of its activations, what the browser ranks by at first."""
    labels: LabelCounts | None
    """How often it fires with which label of the corpus; None where the corpus has no labels."""
    specificity: NDArray[np.float64]
    """How surely it fires for one label alone, 0 (no more than chance) to 1; NaN without labels or where it is dead."""

    @property
    def fires(self) -> NDArray[np.int64]:
        """The features that fire at all, ascending."""
        return np.flatnonzero(self.count)

    @property
    def dead(self) -> int:
        """Features that fire on no text of this corpus."""
        return len(self.count) - len(self.fires)


def feature_statistics(codes: Codes, *, labels: Sequence[str | None] | None = None) -> FeatureStatistics:
    """Statistics of every feature over the texts of `codes`; `labels` are the texts' own, None where one has none.

    Raises:
        InputError: no texts, or labels that are not as many as the texts.
    """
    m, n = len(codes), codes.width
    if not m:
        raise InputError("There are no texts, so no feature fires: choose a corpus with at least one.")
    if labels is not None and len(labels) != m:
        raise InputError(f"Expected a label for each of the {m:,} texts, got {len(labels):,}.")
    count = np.bincount(codes.features, minlength=n).astype(np.int64)
    total = np.bincount(codes.features, weights=codes.activations, minlength=n).astype(np.float64)
    maximum = np.zeros(n, dtype=np.float32)
    np.maximum.at(maximum, codes.features, codes.activations)
    counts = label_counts(codes, labels) if labels is not None and any(one is not None for one in labels) else None
    return FeatureStatistics(
        texts=m,
        count=count,
        frequency=count / m,
        mean=np.divide(total, count, out=np.full(n, np.nan), where=count > 0),
        maximum=maximum.astype(np.float64),
        total=total,
        labels=counts,
        specificity=np.full(n, np.nan) if counts is None else best_specificity(counts),
    )


def rank_features(
    statistics: FeatureStatistics,
    by: Ranking = "total",
    *,
    score: NDArray[np.floating] | None = None,
    stability: NDArray[np.floating] | None = None,
) -> NDArray[np.int64]:
    """The features that fire, the highest first; equal ones by total activation, those without a value last.

    `score` (of labels) and `stability`, shape (n,), come from a feature database, and are only needed to rank by them.

    Raises:
        InputError: another name than those of `RANKINGS`, or values to rank by that nobody has.
    """
    if by not in RANKINGS:
        raise InputError(f"Features are ranked by {', '.join(RANKINGS)}, got {by!r}.")
    given = {"score": score, "stability": stability}
    values = given[by] if by in given else getattr(statistics, by)
    if values is None:
        what = "scores of labels" if by == "score" else "stabilities"
        raise InputError(f"There are no {what} to rank features by: choose another order, or import a database.")
    fires = statistics.fires
    found = np.asarray(values, dtype=np.float64)[fires]
    order = np.lexsort((fires, -statistics.total[fires], -np.nan_to_num(found, nan=-np.inf)))
    return fires[order]
