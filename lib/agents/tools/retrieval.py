"""Tools about retrieval: how well an encoder retrieves, and its hard negatives."""

from typing import Annotated, Any, cast

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped, page
from lib.agents.arguments import EncoderName, Limit, Offset, Picture, QuerySetName, Seed
from lib.agents.desk import Desk
from lib.agents.pictures import ranks_picture
from lib.corpora import QuerySet
from lib.corpora.facts import about_queries
from lib.encoders import PACKAGED
from lib.errors import InputError
from lib.numerals import count
from lib.results import to_json
from lib.retrieval import (
    Bm25Index,
    Evaluation,
    Gain,
    Measure,
    evaluate,
    paired_test,
    query_metrics,
)

_METRIC = "ndcg@10"


class MetricRow(Row):
    """A metric over all queries, or over those of a topic."""

    metric: str
    topic: str | None = Field(description="None: all queries.")
    mean: float
    low: float | None = Field(description="Lower end of the 95 % interval over queries.")
    high: float | None
    queries: int


class Beside(Row):
    """The encoder against BM25."""

    metric: str
    bm25: float
    difference: float = Field(description="Encoder less BM25.")
    low: float | None
    high: float | None
    p_value: float


class WeakQuery(Row):
    """A query that is answered badly."""

    id: str
    query: str
    topic: str | None
    rank: int = Field(description="Of its first true document; 0 = not found.")
    first: str = Field(description="The document that came first instead.")
    wanted: str = Field(description="The true document.")


class EvaluationAnswer(Answer):
    """How well an encoder answers a query set."""

    queries: dict[str, Any]
    encoder: str
    measure: str
    metrics: list[MetricRow]
    against_bm25: list[Beside] = Field(description="Empty where not asked for.")
    median_rank: float | None
    hard_negative_gap: float | None = Field(
        description="Mean score of the true document less that of the hardest other."
    )
    weakest: list[WeakQuery]
    seed: int


def evaluate_retrieval(
    desk: Desk,
    queries: QuerySetName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    measure: Annotated[Measure, Field(description="What scores are.")] = "cosine",
    bm25: Annotated[bool, Field(description="Whether BM25 is measured beside it, and the difference tested.")] = True,
    topics: Annotated[bool, Field(description="Whether metrics by topic are listed.")] = True,
    offset: Offset = 0,
    limit: Limit = 10,
    picture: Picture = True,
    seed: Seed = 0,
) -> EvaluationAnswer:
    """How well an encoder retrieves: NDCG, MRR, recall with intervals, by topic, beside BM25, and the worst queries."""
    read, found = _evaluated(desk, queries, encoder, measure, seed)
    wanted = [one for one in found.summaries if topics or one.group is None]
    rows, cut = page(wanted, 0, 100, "metrics by topic")
    order = sorted(range(len(found.ranks.query)), key=lambda at: -_place(int(found.ranks.rank[at])))
    bad = [at for at in order if found.ranks.rank[at] != 1]
    weak, more = page(bad, offset, limit, "queries whose first document is not a true one")
    desk.show(lambda: ranks_picture(found.ranks, name=read.name), picture)
    beside = _beside(desk, read, found, seed) if bm25 else []
    whole = {one.metric: one for one in found.summaries if one.group is None}
    main = whole[_METRIC]
    rival = next((one for one in beside if one.metric == _METRIC), None)
    gap = found.negatives
    return EvaluationAnswer(
        says=f"NDCG@10 {main.mean:.3f}{_ends(main.low, main.high)} over "
        f"{count(main.queries)} {'query' if main.queries == 1 else 'queries'}"
        + (f"; BM25 {rival.bm25:.3f}, difference {rival.difference:+.3f} (p = {rival.p_value:.3g})" if rival else "")
        + f". {len(bad)} of {len(order)} queries do not find a true document first.",
        queries=about_queries(read),
        encoder=encoder,
        measure=measure,
        metrics=[
            MetricRow(
                metric=one.metric, topic=one.group, mean=one.mean, low=to_json(one.low), high=to_json(one.high),
                queries=one.queries,
            )
            for one in rows
        ],
        against_bm25=beside,
        median_rank=to_json(float(found.ranks.median)),
        hard_negative_gap=None if gap is None else gap.hard_negative_gap,
        weakest=[_weak(read, found, at) for at in weak],
        seed=seed,
        cut=[*cut, *more],
    )  # fmt: skip


class NegativeRow(Row):
    """A query whose hardest wrong document comes close, or first."""

    id: str
    query: str
    gap: float = Field(
        description="Score of the true document less that of the wrong one; below 0 the wrong one leads."
    )
    positive: str
    negative: str
    judged: bool = Field(description="Whether the wrong one was judged not relevant.")
    suspicious: bool = Field(description="Not judged and above the true one: perhaps relevant after all.")


class NegativesAnswer(Answer):
    """Hard negatives of a query set."""

    encoder: str
    mean_gap: float
    interval: list[float | None]
    share_below: float = Field(description="Share of queries where a wrong document leads.")
    suspicious: int
    queries: int
    rows: list[NegativeRow]
    seed: int


def hard_negatives(
    desk: Desk,
    queries: QuerySetName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    measure: Annotated[Measure, Field(description="What scores are.")] = "cosine",
    offset: Offset = 0,
    limit: Limit = 10,
    seed: Seed = 0,
) -> NegativesAnswer:
    """For each query the hardest wrong document: how close it comes to the true one, the worst first."""
    read, evaluated = _evaluated(desk, queries, encoder, measure, seed)
    found = evaluated.negatives
    if found is None:
        raise InputError(f"{read.name} has no query with both a relevant document and another one: there is no gap.")
    shown, cut = page(found.worst.tolist(), offset, limit, "queries")
    return NegativesAnswer(
        says=f"The true document leads by {found.hard_negative_gap:.3f} on average"
        f"{_ends(found.low, found.high)}; for {found.share_below:.0%} of {len(found.gap)} queries a wrong one leads.",
        encoder=encoder,
        mean_gap=found.hard_negative_gap,
        interval=to_json([found.low, found.high]),
        share_below=found.share_below,
        suspicious=int(found.suspicious.sum()),
        queries=len(found.gap),
        rows=[
            NegativeRow(
                id=read.query_ids[int(found.query[at])],
                query=clipped(read.queries[int(found.query[at])]),
                gap=float(found.gap[at]),
                positive=clipped(read.documents[int(found.positive[at])]),
                negative=clipped(read.documents[int(found.negative[at])]),
                judged=bool(found.explicit[at]),
                suspicious=bool(found.suspicious[at]),
            )
            for at in shown
        ],
        seed=seed,
        cut=cut,
    )


def _evaluated(desk: Desk, queries: str, encoder: str, measure: Measure, seed: int) -> tuple[QuerySet, Evaluation]:
    read, checkpoint = desk.bench.queries(queries), desk.bench.checkpoint(encoder)
    documents = desk.bench.embed(read.documents, checkpoint, tell=desk.tells("Encoding documents"))
    asked = desk.bench.embed(read.queries, checkpoint, role="query", tell=desk.tells("Encoding queries"))
    desk.check()
    key = (read.key, documents.key, asked.key, measure, seed)
    found = desk.bench.kept.get(
        "found", key,
        lambda: evaluate(
            read, asked.vectors, documents.vectors, measure=measure, system=checkpoint.source, seed=seed
        ),
    )  # fmt: skip
    return read, found


def _beside(desk: Desk, read: QuerySet, found: Evaluation, seed: int) -> list[Beside]:
    index = Bm25Index(read.documents, progress=desk.tells("Indexing"))
    words = query_metrics(index.ranks(read), cutoffs=found.metrics.cutoffs, gain=cast(Gain, found.metrics.gain))
    tests = [paired_test(words, found.metrics, name, seed=seed) for name in found.metrics.names]
    return [
        Beside(
            metric=one.metric, bm25=one.mean_a, difference=one.difference, low=to_json(one.low), high=to_json(one.high),
            p_value=one.p_value,
        )
        for one in tests
    ]  # fmt: skip


def _weak(read: QuerySet, found: Evaluation, at: int) -> WeakQuery:
    row = int(found.ranks.query[at])
    first = int(found.run.documents[row, 0])
    wanted = int(read.judged_document[int(found.ranks.judgement[at])])
    return WeakQuery(
        id=read.query_ids[row],
        query=clipped(read.queries[row]),
        topic=None if read.topics is None else read.topics[row],
        rank=int(found.ranks.rank[at]),
        first=clipped(read.documents[first]) if first >= 0 else "",
        wanted=clipped(read.documents[wanted]),
    )


def _ends(low: float, high: float) -> str:
    """An interval in words; nothing where one query has none."""
    return f" ({low:.3f} to {high:.3f})" if low == low else ""


def _place(rank: int) -> float:
    return float("inf") if rank == 0 else rank
