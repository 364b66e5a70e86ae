"""Triplets for training: a query, a relevant document, and a hard negative that is unlikely to be a relevant one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.results import Result
from lib.retrieval.negatives import Source, check_source, irrelevant, judged_negatives, judged_pairs, known_scores
from lib.retrieval.run import Run

Rows = NDArray[np.int64]
Opinion = Callable[[Rows, Rows], NDArray[np.floating]]
"""What a cross-encoder is known to say of pairs of rows (queries, documents): a score each, NaN where not asked."""

_BLOCK = 8_000_000  # places of the run looked at at a time
_Columns = tuple[NDArray[Any], ...]  # pair, document, score, explicit, suspicious, asked, agreed


@dataclass(frozen=True, eq=False)
class Triplets(Result):
    """t triplets, by query, then positive, then hardness of the negative: judged ones first if they were asked for."""

    query: Rows
    """Row of each query, shape (t,)."""
    positive: Rows
    """Row of a relevant document, shape (t,)."""
    negative: Rows
    """Row of a document not judged relevant, shape (t,)."""
    positive_score: NDArray[np.float64]
    """Score of the positive, shape (t,)."""
    negative_score: NDArray[np.float64]
    """Score of the negative, shape (t,)."""
    explicit: NDArray[np.bool_]
    """Whether the negative was judged 0, shape (t,)."""
    suspicious: NDArray[np.bool_]
    """Whether the negative may be an unlabelled positive, shape (t,): not judged, and within the margin."""
    asked: NDArray[np.bool_]
    """Whether a cross-encoder scored both documents of a suspicious triplet, shape (t,)."""
    agreed: NDArray[np.bool_]
    """Whether it too puts that negative above the positive, shape (t,); False where it was not asked."""
    left_out: int
    """Candidates that were passed over because they may be unlabelled positives."""
    without: int
    """Pairs of a query and a relevant document that got no negative."""
    margin: float
    """How far below its positive a negative that was not judged has to score."""
    relative_margin: float
    """The same as a share of the positive's score."""
    source: str
    """"mined": out of the encoder's run; "explicit": documents judged 0 first; "BM25": out of BM25's run."""


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The p pairs of a query and a relevant document whose score is known."""

    query: Rows
    """Row of each query, shape (p,), ascending."""
    positive: Rows
    """Row of each positive, shape (p,)."""
    limits: NDArray[np.float64]
    """Score above which a document that nobody judged is suspicious, shape (p,)."""
    room: Rows
    """Negatives still wanted, shape (p,)."""


def triplets(
    queries: QuerySet,
    run: Run,
    *,
    judged_scores: NDArray[np.floating] | None = None,
    negatives: int = 1,
    margin: float = 0.0,
    relative_margin: float = 0.0,
    source: Source = "mined",
    keep_suspicious: bool = False,
    opinion: Opinion | None = None,
) -> Triplets:
    """The `negatives` hardest negatives of each query with each of its relevant documents, in the order of the run.

    With the source "explicit", documents judged 0 come first, by score, wherever they rank, then those of the run.
    With "BM25" the run is BM25's with the encoder's scores, as in `hard_negatives`.

    A document that nobody judged is suspicious if it scores above the positive's score less `margin`, or less
    `relative_margin` times its size: the `absolute_margin` and `relative_margin` of sentence-transformers'
    `mine_hard_negatives`, which measures from the lowest of a query's positives, while here each pair has its own.
    Suspicious ones are passed over, but for those that a cross-encoder was asked about and does not put above the
    positive, by its `opinion`; or all are kept and marked with `keep_suspicious`. Documents judged 0 never are
    suspicious. `judged_scores` is as in `hard_negatives`; a pair whose score is not known gets no negative.

    Raises:
        InputError: negatives < 1, a margin below 0, or another source.
        ValueError: `judged_scores` is not of this set.
    """
    if negatives < 1 or margin < 0 or relative_margin < 0:
        raise InputError(
            "Triplets need at least one negative each and margins of 0 or more, "
            f"got {negatives}, {margin:g} and {relative_margin:g}."
        )
    check_source(source)
    scores = known_scores(queries, run, judged_scores)
    relevant = np.flatnonzero(queries.relevance > 0)
    known = relevant[np.isfinite(scores[relevant])]
    high = scores[known]
    query, positive = queries.judged_query[known], queries.judged_document[known]
    own = _own(queries, scores, query, negatives if source == "explicit" else 0)
    taken = np.bincount(own[0], minlength=len(known))
    limits = high - np.maximum(margin, relative_margin * np.abs(high))
    pairs = _Pairs(query, positive, limits, negatives - taken)
    mined, left_out = _out_of_run(queries, run, pairs, keep=keep_suspicious, opinion=opinion, own=source == "explicit")
    pair, document, score, explicit, suspicious, asked, agreed = (
        np.concatenate(columns) for columns in zip(own, *mined, strict=True)
    )
    order = np.argsort(pair, kind="stable")  # a pair's own negatives stay before the mined ones
    pair = pair[order]
    return Triplets(
        query=query[pair], positive=positive[pair], negative=document[order],
        positive_score=high[pair], negative_score=score[order],
        explicit=explicit[order], suspicious=suspicious[order], asked=asked[order], agreed=agreed[order],
        left_out=left_out, without=len(relevant) - len(np.unique(pair)),
        margin=margin, relative_margin=relative_margin, source=source,
    )  # fmt: skip


def _own(queries: QuerySet, scores: NDArray[np.float64], query: Rows, most: int) -> _Columns:
    """The first `most` documents judged 0, by score, for each pair; `query` is the row of each pair's query."""
    judged = np.flatnonzero(judged_negatives(queries) & np.isfinite(scores))
    ties = queries.tie_order[queries.judged_document[judged]]
    judged = judged[np.lexsort((ties, -scores[judged], queries.judged_query[judged]))]
    first, last = (np.searchsorted(queries.judged_query[judged], query, side) for side in ("left", "right"))
    taken = np.minimum(last - first, most)
    pair = np.repeat(np.arange(len(query)), taken)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(taken) - taken, taken)  # 0, 1, ... within each pair
    chosen = judged[first[pair] + place]
    no = np.zeros(len(pair), dtype=bool)
    return pair, queries.judged_document[chosen], scores[chosen], ~no, no, no, no


def _out_of_run(
    queries: QuerySet, run: Run, pairs: _Pairs, *, keep: bool, opinion: Opinion | None, own: bool
) -> tuple[list[_Columns], int]:
    """The first negatives of the run for each pair, as many as it has room for, and how many were passed over.

    With `own`, documents judged 0 are left out: they were taken before, where there was room for them.
    """
    candidate = irrelevant(queries, run)  # (q, k)
    rows = np.broadcast_to(np.arange(len(candidate))[:, None], candidate.shape)
    judged = candidate & judged_pairs(queries, rows, run.documents)
    if own:
        candidate = candidate & ~judged
    made: list[_Columns] = []
    left_out, step = 0, max(1, _BLOCK // max(run.documents.shape[1], 1))
    for start in range(0, len(pairs.query), step):
        span = slice(start, start + step)
        row, room = pairs.query[span], pairs.room[span, None]
        doubtful = (run.scores[row] > pairs.limits[span, None]) & candidate[row] & ~judged[row]
        asked, agreed = _asked(run, pairs, span, doubtful, opinion)
        allowed = candidate[row] if keep else candidate[row] & (~doubtful | (asked & ~agreed))
        taken_so_far = allowed.cumsum(axis=1, dtype=np.int32)
        pair, place = np.nonzero(allowed & (taken_so_far <= room))
        of, here = row[pair], (pair, place)
        made.append(
            (start + pair, run.documents[of, place], run.scores[of, place].astype(np.float64), judged[of, place],
             doubtful[here], asked[here], agreed[here])
        )  # fmt: skip
        left_out += int((doubtful & ~allowed & (taken_so_far < room)).sum())
    return made, left_out


def _asked(
    run: Run, pairs: _Pairs, span: slice, doubtful: NDArray[np.bool_], opinion: Opinion | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which doubtful documents a cross-encoder compared with their positives, and which it put above them."""
    asked, agreed = np.zeros_like(doubtful), np.zeros_like(doubtful)
    if opinion is not None:
        query = pairs.query[span]
        true = opinion(query, pairs.positive[span])
        pair, place = np.nonzero(doubtful & np.isfinite(true)[:, None])
        false = opinion(query[pair], run.documents[query[pair], place])
        asked[pair, place], agreed[pair, place] = np.isfinite(false), false > true[pair]
    return asked, agreed


def triplet_table(queries: QuerySet, made: Triplets) -> pd.DataFrame:
    """The triplets with the columns anchor, positive, negative first, then ids, scores and marks.

    `cross_encoder` says whether one agrees that a suspicious negative belongs above the positive.
    """
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
            "cross_encoder": np.where(made.asked, np.where(made.agreed, "agrees", "does not"), "not asked"),
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
