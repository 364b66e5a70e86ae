"""Out-of-distribution: how far does a text lie from what the encoder was shown to be normal, the reference?

Five rules give a score, higher = further out. All look at unit vectors. With u the text and r_j the reference:

- centroid: 1 - cos(u, sum_j r_j). One number says where the corpus is; blind between topics.
- label_centroid: 1 - the highest cosine with the centroid of one label.
- neighbour: 1 - cosine with the k-th nearest reference text (Sun et al. 2022, arXiv:2204.06507).
- local_centroid: 1 - the highest cosine with a local centroid, where every reference text has one: the mean of itself
  and its k nearest others. The label rule without labels: the neighbourhood of a text stands for its topic.
- mahalanobis: distance to the mean in units of the covariance, shrunk (Ledoit and Wolf 2004), see `covariance`.

Without a `reference` the corpus judges itself and each text is left out of what judges it: of its centroid, of its
neighbours and theirs, of mean and covariance, in closed form. Scores of different rules, encoders or references are not
comparable; a quantile of the reference's own scores is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.ood_rules import (
    CentroidRule,
    LabelRule,
    LocalCentroidRule,
    MahalanobisRule,
    NeighbourRule,
    ScoringRule,
)
from lib.geometry.vectors import check, sample_rows, unit_blocks
from lib.results import Result

Rule = Literal["centroid", "label_centroid", "neighbour", "local_centroid", "mahalanobis"]
Labels = Sequence[str | None]

DEFAULT_K = {"neighbour": 5, "local_centroid": 10}
_REFERENCE_ROWS = 20_000
_JUDGED_ROWS = 5_000


@dataclass(frozen=True)
class OodScores(Result):
    """How far out each text is, by one rule."""

    scores: NDArray[np.float64]
    """One score a text, shape (n,); higher = further out. Cosine distance in [0, 2], or Mahalanobis distance >= 0."""
    rule: Rule
    """Rule that gave the scores."""
    k: int | None
    """Neighbours that were used (never more than the reference has left), None for rules that use none."""
    shrinkage: float | None
    """Mahalanobis: weight of the sphere in the covariance, in [0, 1]; 1 = no direction counts more. Else None."""
    label_centroids: int | None
    """Label rule: labels that have a centroid. Else None."""
    leave_one_out: bool
    """Whether the corpus judged itself, every text left out of what judges it."""
    reference_items: int
    """Reference texts behind the scores; for the label rule, those with a label."""
    reference_total: int
    """Reference texts that there are; more than `reference_items` where a sample or the labelled ones were used."""
    reference_scores: NDArray[np.float64]
    """Leave-one-out scores of the texts behind the rule, ascending; of 5,000 at most where `reference` was given."""
    items: int
    """Texts scored, n."""
    seed: int
    """Seed of the samples."""
    notices: tuple[str, ...]
    """Sentences to show: whatever was changed about the request, and why."""


@dataclass(frozen=True)
class Flagged(Result):
    """Texts above a threshold, for review."""

    threshold: float
    """Texts that score more than this are flagged."""
    quantile: float | None
    """Quantile of the reference's own scores that the threshold stands for; None where a value was given."""
    rows: NDArray[np.int64]
    """Rows of the flagged texts, furthest out first, shape (flagged,)."""
    share: float
    """Flagged texts over all, in [0, 1]."""
    items: int
    """Texts judged."""


def score(
    embeddings: NDArray[np.floating],
    *,
    rule: Rule = "centroid",
    reference: NDArray[np.floating] | None = None,
    reference_labels: Labels | None = None,
    k: int | None = None,
    seed: int = 0,
) -> OodScores:
    """Score `embeddings`, shape (n, d), against `reference`, shape (m, d), or against themselves, left out one by one.

    `reference_labels` belong to `reference`, or to `embeddings` where there is none; a row labelled None makes no
    centroid but is scored. `k` counts neighbours (5 for neighbour, 10 for local_centroid). These two rules compare with
    a seeded sample of 20,000 reference texts where there are more. A centroid that cancels out to length zero
    has no direction: its cosine counts as 0.

    Raises:
        InputError: fewer than two reference texts (labelled ones, for the label rule), shapes that do not fit, labels
            missing where they are needed, k < 1, or an embedding of zero length.
    """
    if rule not in get_args(Rule):
        raise InputError(f"A rule is one of {', '.join(get_args(Rule))}, got {rule!r}.")
    if k is not None and k < 1:
        raise InputError(f"A rule needs at least 1 neighbour, got k={k}.")
    itself = reference is None
    base = embeddings if reference is None else reference
    m, d = check(base, minimum=2, what="An out-of-distribution reference")
    n, own_d = check(embeddings, minimum=1, what="An out-of-distribution score")
    if own_d != d:
        raise InputError(f"The reference has {d} dimensions, the texts {own_d}: encode both with one encoder.")

    kept = _reference_rows(rule, m, reference_labels, seed)
    judge = _fit(rule, base, kept, reference_labels, k)
    own = _positions(kept, m)
    if itself:
        scores = _apply(judge, embeddings, np.arange(n), own)
        reference_scores = scores[kept]
    else:
        scores = _apply(judge, embeddings, np.arange(n), None)
        judged = kept[sample_rows(len(kept), _JUDGED_ROWS, seed=seed)]
        reference_scores = _apply(judge, base, judged, own)
    return OodScores(
        scores=scores,
        rule=rule,
        k=judge.k,
        shrinkage=judge.shrinkage,
        label_centroids=judge.label_centroids,
        leave_one_out=itself,
        reference_items=len(kept),
        reference_total=m,
        reference_scores=np.sort(reference_scores),
        items=n,
        seed=seed,
        notices=_notices(rule, k, judge, len(kept), m),
    )


def flag(scores: OodScores, *, value: float | None = None, quantile: float = 0.95) -> Flagged:
    """Texts that score more than `value`, or than the `quantile` of the reference's own scores where none is given.

    A corpus that judges itself has 1 - quantile of its texts flagged, whether or not anything is wrong with them.

    Raises:
        InputError: a quantile outside [0, 1], or a value that is not finite.
    """
    if value is not None and not np.isfinite(value):
        raise InputError(f"A threshold is a finite number, got {value}.")
    if not 0 <= quantile <= 1:
        raise InputError(f"A quantile lies between 0 and 1, got {quantile}.")
    threshold = float(np.quantile(scores.reference_scores, quantile)) if value is None else float(value)
    rows = np.argsort(-scores.scores, kind="stable")
    rows = rows[scores.scores[rows] > threshold]
    return Flagged(
        threshold=threshold,
        quantile=quantile if value is None else None,
        rows=rows,
        share=len(rows) / scores.items,
        items=scores.items,
    )


def _reference_rows(rule: Rule, m: int, labels: Labels | None, seed: int) -> NDArray[np.int64]:
    """Rows of the reference that the rule is fitted on, ascending."""
    if rule in DEFAULT_K:
        return sample_rows(m, _REFERENCE_ROWS, seed=seed)
    if rule != "label_centroid":
        return np.arange(m)
    if labels is None:
        raise InputError(
            'The rule "nearest label centroid" needs labels: choose a label column, or "nearest local centroid".'
        )
    if len(labels) != m:
        raise InputError(f"The reference has {m} texts, but {len(labels)} labels came with it: give one a text.")
    rows = np.flatnonzero([label is not None for label in labels])
    if len(rows) < 2:
        raise InputError(
            f'The rule "nearest label centroid" needs at least 2 labelled texts, got {len(rows)}: add labels.'
        )
    return rows


def _fit(
    rule: Rule, base: NDArray[np.floating], kept: NDArray[np.int64], labels: Labels | None, k: int | None
) -> ScoringRule:
    if rule == "centroid":
        return CentroidRule.fit(base)
    if rule == "label_centroid":
        return LabelRule.fit(base, kept, [(labels or [])[row] for row in kept])
    if rule == "mahalanobis":
        return MahalanobisRule.fit(base)
    rows = base if len(kept) == len(base) else base[kept]
    if rule == "neighbour":
        return NeighbourRule.fit(rows, k or DEFAULT_K[rule])
    return LocalCentroidRule.fit(rows, k or DEFAULT_K[rule])


def _positions(kept: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Where each reference row stands among the kept ones, shape (m,); -1 = not among them."""
    own = np.full(m, -1, dtype=np.int64)
    own[kept] = np.arange(len(kept))
    return own


def _apply(
    judge: ScoringRule, embeddings: NDArray[np.floating], rows: NDArray[np.int64], own: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Scores of `rows` of `embeddings`; `own` gives a row's place in the reference, to be left out of it."""
    chosen = embeddings if len(rows) == len(embeddings) else embeddings[rows]
    result = np.empty(len(rows))
    for span, units in unit_blocks(chosen):
        places = np.full(len(units), -1, dtype=np.int64) if own is None else own[rows[span]]
        result[span] = judge.score(units, places)
    return result


def _notices(rule: Rule, asked: int | None, judge: ScoringRule, kept: int, m: int) -> tuple[str, ...]:
    notices = []
    if judge.k is not None and judge.k < (asked or DEFAULT_K[rule]):
        notices.append(f"{judge.k} neighbours were used: the reference has no more to offer.")
    if kept < m and rule in DEFAULT_K:
        notices.append(f"Compared with a sample of {kept:,} of the {m:,} reference texts.")
    if kept < m and rule == "label_centroid":
        notices.append(f"{m - kept:,} reference texts have no label and make no centroid.")
    return tuple(notices)
