"""Detection: do the scores tell the texts that are out of distribution from those that are in?

Out-of-distribution is the positive class throughout, and a higher score means further out. Two figures at a fixed
threshold are in use and often confused, so both are here under names that say what they are:

- `fpr_at_95_recall`: the threshold catches 95 % of the out texts; the share of in texts that it wrongly flags.
- `missed_at_95_kept`: the threshold keeps 95 % of the in texts; the share of out texts that slips through with
  them (the "FPR95" of Hendrycks and Gimpel 2017, arXiv:1610.02136, and most papers since, where in is positive).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result

_CURVE_POINTS = 501
_RECALL = 0.95


@dataclass(frozen=True)
class Detection(Result):
    """How well scores separate out-of-distribution texts from the others."""

    auroc: float
    """Chance that a random out text scores above a random in text, ties count half; .5 = guessing, 1 = perfect."""
    auroc_low: float
    """Lower end of the 95 % bootstrap interval of `auroc` (texts drawn anew within in and within out)."""
    auroc_high: float
    """Upper end of that interval."""
    fpr_at_95_recall: float
    """Share of in texts wrongly flagged where at least 95 % of the out texts are caught; lower is better."""
    threshold_at_95_recall: float
    """That threshold: texts that score as much or more are flagged."""
    missed_at_95_kept: float
    """Share of out texts that pass where at least 95 % of the in texts are kept; lower is better."""
    threshold_at_95_kept: float
    """That threshold: texts that score more are flagged."""
    false_positive_rate: NDArray[np.float64]
    """ROC curve: share of in texts flagged, ascending from 0 to 1, shape (points,)."""
    true_positive_rate: NDArray[np.float64]
    """ROC curve: share of out texts caught at the same thresholds, shape (points,)."""
    items_in: int
    """Texts that are in distribution."""
    items_out: int
    """Texts that are out of distribution."""
    resamples: int
    """Bootstrap draws behind the interval."""
    seed: int
    """Seed of the bootstrap."""


def detection(
    scores: NDArray[np.floating], out: NDArray[np.bool_] | Sequence[bool], *, resamples: int = 1_000, seed: int = 0
) -> Detection:
    """Compare `scores`, shape (n,), higher = further out, with the truth `out`, shape (n,), True = out.

    The curve holds at most 501 of its corners, the rest is dropped; every figure uses all of them.

    Raises:
        InputError: lengths differ, a score is not finite, or all texts are in, or all are out.
    """
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(out, dtype=bool)
    if scores.ndim != 1 or scores.shape != truth.shape:
        raise InputError(f"Each score needs one truth value, got scores {scores.shape} and truth {truth.shape}.")
    if not np.isfinite(scores).all():
        raise InputError(f"Score {int(np.argmin(np.isfinite(scores)))} is not finite: score that text anew.")
    n_out = int(truth.sum())
    n_in = len(truth) - n_out
    if n_out == 0 or n_in == 0:
        raise InputError(
            f"Detection needs texts of both kinds, got {n_in} in and {n_out} out of distribution: "
            "choose a column that marks some, not all, as out."
        )
    values, level = np.unique(scores, return_inverse=True)  # levels ascend with the score; ties share one
    ins = np.bincount(level[~truth], minlength=len(values))
    outs = np.bincount(level[truth], minlength=len(values))
    drawn = np.array([_auroc(a, b) for a, b in _resampled(level[~truth], level[truth], len(values), resamples, seed)])
    low, high = np.quantile(drawn, [0.025, 0.975]) if resamples else (np.nan, np.nan)

    flagged_in = np.append(0, np.cumsum(ins[::-1])) / n_in  # at thresholds above all, then values descending
    caught = np.append(0, np.cumsum(outs[::-1])) / n_out
    at_recall = int(np.searchsorted(caught, _RECALL - _ROUNDING))
    at_kept = int(np.searchsorted(flagged_in, 1 - _RECALL + _ROUNDING, side="right")) - 1
    corners = _corners(flagged_in, caught)
    return Detection(
        auroc=_auroc(ins, outs),
        auroc_low=float(low),
        auroc_high=float(high),
        fpr_at_95_recall=float(flagged_in[at_recall]),
        threshold_at_95_recall=float(values[len(values) - at_recall]),
        missed_at_95_kept=float(1 - caught[at_kept]),
        threshold_at_95_kept=float(values[len(values) - at_kept - 1]),
        false_positive_rate=flagged_in[corners],
        true_positive_rate=caught[corners],
        items_in=n_in,
        items_out=n_out,
        resamples=resamples,
        seed=seed,
    )


_ROUNDING = 1e-12


def _auroc(ins: NDArray[np.int64], outs: NDArray[np.int64]) -> float:
    """Area under the ROC curve from how many in and out texts have each score, lowest score first."""
    below = np.cumsum(ins) - ins / 2
    return float((outs * below).sum() / (float(ins.sum()) * float(outs.sum())))


def _resampled(
    ins: NDArray[np.int64], outs: NDArray[np.int64], levels: int, draws: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        again_in = ins[rng.integers(len(ins), size=len(ins))]
        again_out = outs[rng.integers(len(outs), size=len(outs))]
        yield np.bincount(again_in, minlength=levels), np.bincount(again_out, minlength=levels)


def _corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Points where the staircase turns, thinned evenly to at most 501, first and last kept."""
    turns = np.ones(len(x), dtype=bool)
    turns[1:-1] = (np.diff(x, n=2) != 0) | (np.diff(y, n=2) != 0)
    kept = np.flatnonzero(turns)
    if len(kept) > _CURVE_POINTS:
        kept = kept[np.linspace(0, len(kept) - 1, _CURVE_POINTS).round().astype(np.int64)]
    return kept
