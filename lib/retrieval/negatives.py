"""Hard negatives: by how much does the best relevant document beat the best one that is not?

The hard-negative gap of a query is the score of its best positive minus the score of its hardest negative. Below 0,
the search puts a document that is not relevant first. The hardest negative is mined (the document that scores highest
among those not judged relevant), explicit (among those judged 0), or BM25's (the one that shares the most with the
query's words; its score is the encoder's all the same). Judgements are rarely complete: a negative that nobody judged
and that scores above the positive may simply be a relevant document without a label.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.results import Result
from lib.retrieval.bootstrap import Summary, interval
from lib.retrieval.run import Run, judged_ranks

Source = Literal["mined", "explicit", "BM25"]

GAP = "hard_negative_gap"
"""The name under which the mean gap is reported."""
_BINS = 40
_DEEPEST = 2_000
_MOST_FOUND = 5_000_000  # documents in a run, over all queries


@dataclass(frozen=True, eq=False)
class HardNegatives(Result):
    """The gap between best positive and hardest negative, query by query."""

    hard_negative_gap: float
    """Mean gap, in units of the score; above 0 the positives lead."""
    low: float
    """Lower end of its 95 % bootstrap interval over queries; NaN where there is one query."""
    high: float
    """Its upper end."""
    share_below: float
    """Share of the s queries with a gap below 0."""
    query: NDArray[np.int64]
    """Row of each query, shape (s,), ascending."""
    positive: NDArray[np.int64]
    """Row of its best relevant document, shape (s,)."""
    negative: NDArray[np.int64]
    """Row of its hardest negative, shape (s,)."""
    positive_score: NDArray[np.float64]
    """Score of the positive, shape (s,)."""
    negative_score: NDArray[np.float64]
    """Score of the negative, shape (s,)."""
    gap: NDArray[np.float64]
    """positive_score - negative_score, shape (s,)."""
    explicit: NDArray[np.bool_]
    """Whether the negative was judged 0, shape (s,); False where nobody judged it."""
    suspicious: NDArray[np.bool_]
    """Whether the negative may be an unlabelled positive, shape (s,): not judged, and scored above the positive."""
    agreed: NDArray[np.bool_] | None
    """Whether a cross-encoder too puts a suspicious negative above the positive, shape (s,); None if none was asked."""
    asked: int
    """Suspicious negatives that a cross-encoder compared with their positives."""
    bin_edges: NDArray[np.float64]
    """Edges of the histogram of gaps, shape (b + 1,); 0 is one of them."""
    histogram: NDArray[np.int64]
    """Queries in each bin, shape (b,)."""
    source: str
    """"mined": the encoder's first for all; "explicit": those judged 0 wherever a query has one, else mined ones;
    "BM25": BM25's first."""
    by_topic: tuple[Summary, ...]
    """Mean gap of each topic, with its interval and queries, by name; empty where the set has no topics."""
    without_positive: int
    """Queries left out because no document is relevant to them, or the score of none of those is known."""
    without_negative: int
    """Queries left out because every document that was found is relevant."""

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """Mean gap with its interval, over all queries, then by topic."""
        return (Summary(GAP, None, self.hard_negative_gap, self.low, self.high, len(self.gap)), *self.by_topic)

    @property
    def worst(self) -> NDArray[np.int64]:
        """Places 0..s-1 by gap, smallest first."""
        return np.argsort(self.gap, kind="stable")


def hard_negatives(
    queries: QuerySet,
    run: Run,
    *,
    judged_scores: NDArray[np.floating] | None = None,
    source: Source = "mined",
    seed: int = 0,
) -> HardNegatives:
    """Gap of each query, from a run deep enough to hold a document that is not relevant.

    Scores of judged documents beyond the run's depth come from `judged_scores`, shape (m,): one per judgement of the
    set. Without them, a query whose relevant documents all lie beyond the run is left out and counted. With the source
    "BM25" the run is BM25's with the encoder's scores, `rescored` of `lib.retrieval.pairs`.

    Raises:
        InputError: no query has both a positive and a negative, or another source.
        ValueError: the run is of other queries, or `judged_scores` is not of this set.
    """
    check_source(source)
    scores = known_scores(queries, run, judged_scores)
    relevant = queries.relevance > 0
    positive, positive_score = _best(queries, scores, relevant)
    negative, negative_score = _mined(queries, run)
    if source == "explicit":
        own, own_score = _best(queries, scores, judged_negatives(queries))
        negative = np.where(own >= 0, own, negative)
        negative_score = np.where(own >= 0, own_score, negative_score)
    rows = np.flatnonzero((positive >= 0) & (negative >= 0))
    if not len(rows):
        raise InputError(
            f"None of the {len(queries.queries)} queries has both a relevant document and another one to compare it "
            "with: add documents or judgements."
        )
    high, low = positive_score[rows], negative_score[rows]
    gap = high - low
    explicit = judged_pairs(queries, rows, negative[rows])
    (least,), (most,) = interval(gap[:, None], seed=seed)
    edges = _edges(gap)
    return HardNegatives(
        hard_negative_gap=float(gap.mean()), low=float(least), high=float(most), share_below=float((gap < 0).mean()),
        query=rows, positive=positive[rows], negative=negative[rows], positive_score=high, negative_score=low, gap=gap,
        explicit=explicit, suspicious=~explicit & (gap < 0), agreed=None, asked=0,
        bin_edges=edges, histogram=np.histogram(gap, edges)[0].astype(np.int64), source=source,
        by_topic=_by_topic(queries, rows, gap, seed=seed),
        without_positive=int((positive < 0).sum()), without_negative=int(((positive >= 0) & (negative < 0)).sum()),
    )  # fmt: skip


def check_source(source: str) -> None:
    """Refuse what is no source of negatives.

    Raises:
        InputError: it is none.
    """
    if source not in get_args(Source):
        raise InputError(f"Negatives should be mined, explicit or BM25, got {source!r}.")


def _by_topic(
    queries: QuerySet, rows: NDArray[np.int64], gap: NDArray[np.float64], *, seed: int
) -> tuple[Summary, ...]:
    """Mean and interval of the gaps of each topic; `rows` are the queries that the gaps belong to."""
    of = np.array([queries.topics[row] if queries.topics is not None else None for row in rows], dtype=object)
    made = []
    for name in sorted({name for name in of if name is not None}):
        part = gap[of == name]
        (low,), (high,) = interval(part[:, None], seed=seed)
        made.append(Summary(GAP, name, float(part.mean()), float(low), float(high), len(part)))
    return tuple(made)


def depth(queries: QuerySet, *, least: int = 100) -> int:
    """How deep a run has to be to hold documents that are not relevant for every query.

    At most 2,000, and less for many queries, so that the run takes 60 MB; but never less than `least`.
    """
    most = min(_DEEPEST, _MOST_FOUND // max(len(queries.queries), 1))
    return max(least, min(int(queries.relevant.max(initial=0)) + 20, most))


def with_cross_encoder(found: HardNegatives, scores: NDArray[np.floating]) -> HardNegatives:
    """`found` with `agreed`, from a cross-encoder's `scores` of each query's positive and negative, shape (s, 2).

    NaN stands for a pair that was not scored; without both scores it has not agreed.

    Raises:
        ValueError: another shape.
    """
    if scores.shape != (len(found.query), 2):
        raise ValueError(f"scores should have the shape {(len(found.query), 2)}, got {scores.shape}")
    asked = found.suspicious & np.isfinite(scores).all(axis=1)
    return replace(found, agreed=asked & (scores[:, 1] > scores[:, 0]), asked=int(asked.sum()))


def judged_pairs(queries: QuerySet, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each pair of rows has a judgement, shape of `query`."""
    n = max(len(queries.documents), 1)
    known = queries.judged_query * n + queries.judged_document  # ascending
    wanted = query * n + document
    at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    return known[at] == wanted if len(known) else np.zeros(query.shape, dtype=bool)


def irrelevant(queries: QuerySet, run: Run) -> NDArray[np.bool_]:
    """Which places of the run hold a document that was not judged relevant, shape (q, k).

    A copy of a relevant document, the same text under another id, counts as relevant.
    """
    rows = np.broadcast_to(np.arange(len(run.documents))[:, None], run.documents.shape)
    allowed: NDArray[np.bool_] = (run.documents >= 0) & ~_relevant_texts(queries, rows, run.documents)
    return allowed


def judged_negatives(queries: QuerySet) -> NDArray[np.bool_]:
    """Which judgements say that a document is not relevant, shape (m,); copies of relevant ones left out as above."""
    copies = _relevant_texts(queries, queries.judged_query, queries.judged_document)
    judged: NDArray[np.bool_] = (queries.relevance == 0) & ~copies
    return judged


def _relevant_texts(queries: QuerySet, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each pair's document has the text of one that is relevant to its query, shape of `query`."""
    first: dict[str, int] = {}
    original = np.array([first.setdefault(text, row) for row, text in enumerate(queries.documents)], dtype=np.int64)
    n, relevant = len(original), queries.relevance > 0
    known = np.unique(queries.judged_query[relevant] * n + original[queries.judged_document[relevant]])
    if not len(known):
        return np.zeros(query.shape, dtype=bool)
    wanted = query * n + original[document]  # a document of -1 is none: its answer is not looked at
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted
    return found


def known_scores(queries: QuerySet, run: Run, given: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
    """Score of each judgement's document, shape (m,): the run's own where it holds it, else the one given, else NaN.

    Raises:
        ValueError: `given` has not one score per judgement.
    """
    judged = judged_ranks(queries, run)
    if given is None:
        given = np.full(len(judged.rank), np.nan)
    if given.shape != judged.rank.shape:
        raise ValueError(f"judged_scores should have the shape {judged.rank.shape}, got {given.shape}")
    scores, held = given.astype(np.float64), judged.rank > 0
    scores[held] = run.scores[judged.query[held], judged.rank[held] - 1]
    return scores


def _best(
    queries: QuerySet, scores: NDArray[np.float64], among: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Best scored document among some judgements, for each query: its row, -1 if there is none, and its score."""
    document, score = np.full(len(queries.queries), -1), np.full(len(queries.queries), np.nan)
    known = np.flatnonzero(among & np.isfinite(scores))
    query = queries.judged_query[known]
    order = known[np.lexsort((queries.tie_order[queries.judged_document[known]], -scores[known], query))]
    rows, first = np.unique(queries.judged_query[order], return_index=True)
    document[rows], score[rows] = queries.judged_document[order[first]], scores[order[first]]
    return document, score


def _mined(queries: QuerySet, run: Run) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First document of each query that was not judged relevant: its row, -1 if there is none, and its score."""
    allowed = irrelevant(queries, run)
    rows = np.flatnonzero(allowed.any(axis=1))
    place = allowed[rows].argmax(axis=1)
    document, score = np.full(len(allowed), -1), np.full(len(allowed), np.nan)
    document[rows], score[rows] = run.documents[rows, place], run.scores[rows, place]
    return document, score


def _edges(gap: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of about _BINS equal bins over the gaps, with 0 among them."""
    least, most = min(float(gap.min()), 0.0), max(float(gap.max()), 0.0)
    width = (most - least) / _BINS or 1.0
    below, above = int(np.ceil(-least / width - 1e-9)), int(np.ceil(most / width - 1e-9))
    edges = np.arange(-below, max(above, 1 - below) + 1) * np.float64(width)
    edges[0], edges[-1] = min(float(edges[0]), least), max(float(edges[-1]), most)
    return edges
