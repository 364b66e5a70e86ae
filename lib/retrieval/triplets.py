"""Triplets for training: a query, a relevant document, and a hard negative that is unlikely to be a relevant one."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.results import Result
from lib.retrieval.negatives import irrelevant, judged_pairs, known_scores
from lib.retrieval.run import Run

_BLOCK = 8_000_000  # places of the run looked at at a time


@dataclass(frozen=True, eq=False)
class Triplets(Result):
    """t triplets, by query, then positive, then score of the negative."""

    query: NDArray[np.int64]
    """Row of each query, shape (t,)."""
    positive: NDArray[np.int64]
    """Row of a relevant document, shape (t,)."""
    negative: NDArray[np.int64]
    """Row of a document not judged relevant, shape (t,)."""
    positive_score: NDArray[np.float64]
    """Score of the positive, shape (t,)."""
    negative_score: NDArray[np.float64]
    """Score of the negative, shape (t,)."""
    explicit: NDArray[np.bool_]
    """Whether the negative was judged 0, shape (t,)."""
    suspicious: NDArray[np.bool_]
    """Whether the negative may be an unlabelled positive, shape (t,): not judged, and within the margin."""
    left_out: int
    """Candidates that were passed over because they may be unlabelled positives."""
    without: int
    """Pairs of a query and a relevant document that got no negative."""
    margin: float
    """How far below its positive a negative that was not judged has to score."""
    relative_margin: float
    """The same as a share of the positive's score."""


def triplets(
    queries: QuerySet,
    run: Run,
    *,
    judged_scores: NDArray[np.floating] | None = None,
    negatives: int = 1,
    margin: float = 0.0,
    relative_margin: float = 0.0,
    keep_suspicious: bool = False,
) -> Triplets:
    """The `negatives` hardest negatives, out of the run, of each query with each of its relevant documents.

    A document that nobody judged is suspicious if it scores above the positive's score less `margin`, or less
    `relative_margin` times its size: the `absolute_margin` and `relative_margin` of sentence-transformers'
    `mine_hard_negatives`, which measures from the lowest of a query's positives, while here each pair has its own.
    Suspicious ones are passed over, or kept and marked with `keep_suspicious`. Documents judged 0 never are.
    `judged_scores` is as in `hard_negatives`; a pair whose score is not known gets no negative.

    Raises:
        InputError: negatives < 1, or a margin below 0.
        ValueError: `judged_scores` is not of this set.
    """
    if negatives < 1 or margin < 0 or relative_margin < 0:
        raise InputError(
            "Triplets need at least one negative each and margins of 0 or more, "
            f"got {negatives}, {margin:g} and {relative_margin:g}."
        )
    scores = known_scores(queries, run, judged_scores)
    relevant = np.flatnonzero(queries.relevance > 0)
    pairs = relevant[np.isfinite(scores[relevant])]
    limits = scores[pairs] - np.maximum(margin, relative_margin * np.abs(scores[pairs]))
    candidate = irrelevant(queries, run)  # (q, k)
    rows = np.broadcast_to(np.arange(len(candidate))[:, None], candidate.shape)
    judged = candidate & judged_pairs(queries, rows, run.documents)
    left_out, made, step = 0, [np.zeros((3, 0), dtype=np.int64)], max(1, _BLOCK // max(run.documents.shape[1], 1))
    for start in range(0, len(pairs), step):
        row = queries.judged_query[pairs[start : start + step]]
        doubtful = (run.scores[row] > limits[start : start + step, None]) & candidate[row] & ~judged[row]
        allowed = candidate[row] if keep_suspicious else candidate[row] & ~doubtful
        taken_so_far = allowed.cumsum(axis=1, dtype=np.int32)
        pair, place = np.nonzero(allowed & (taken_so_far <= negatives))
        made.append(np.vstack([start + pair, place, doubtful[pair, place]]))
        left_out += int((doubtful & ~allowed & (taken_so_far < negatives)).sum())
    pair, place, suspicious = np.hstack(made)
    query = queries.judged_query[pairs[pair]]
    return Triplets(
        query=query,
        positive=queries.judged_document[pairs[pair]],
        negative=run.documents[query, place],
        positive_score=scores[pairs[pair]],
        negative_score=run.scores[query, place].astype(np.float64),
        explicit=judged[query, place],
        suspicious=suspicious.astype(bool),
        left_out=left_out,
        without=len(relevant) - len(np.unique(pair)),
        margin=margin,
        relative_margin=relative_margin,
    )


def triplet_table(queries: QuerySet, made: Triplets) -> pd.DataFrame:
    """The triplets with the columns anchor, positive, negative first, then ids, scores and marks."""
    return pd.DataFrame(
        {
            "anchor": [queries.queries[row] for row in made.query],
            "positive": [queries.documents[row] for row in made.positive],
            "negative": [queries.documents[row] for row in made.negative],
            "query_id": [queries.query_ids[row] for row in made.query],
            "positive_id": [queries.document_ids[row] for row in made.positive],
            "negative_id": [queries.document_ids[row] for row in made.negative],
            "positive_score": made.positive_score,
            "negative_score": made.negative_score,
            "judged": made.explicit,
            "suspicious": made.suspicious,
        }
    )


def triplet_lines(queries: QuerySet, made: Triplets, *, marks: bool = False) -> str:
    """JSON Lines with anchor, positive and negative alone, the columns that sentence-transformers trains on.

    With `marks` each line says besides whether its negative is suspicious: filter by that, then drop it.
    """
    lines = []
    for q, p, n, doubtful in zip(made.query, made.positive, made.negative, made.suspicious.tolist(), strict=True):
        texts = {"anchor": queries.queries[q], "positive": queries.documents[p], "negative": queries.documents[n]}
        lines.append(json.dumps(texts | ({"suspicious": doubtful} if marks else {}), ensure_ascii=False) + "\n")
    return "".join(lines)
