"""Tools that compare: what a fine-tune changed."""

from typing import Annotated, Any

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped
from lib.agents.arguments import CorpusName, EncoderName, Picture, QuerySetName, Seed
from lib.agents.desk import Desk
from lib.agents.pictures import bars_picture
from lib.encoders import PACKAGED, PACKAGED_TUNED
from lib.errors import InputError
from lib.results import to_json

_SHOWN = 60


class DriftPartRow(Row):
    """One of the three parts of drift."""

    name: str
    raw: float | None
    low: float | None
    high: float | None
    unit: str
    scaled: float | None = Field(description="0 = nothing changed, 1 = as much as can be told apart.")
    missing: str | None


class ReasonRow(Row):
    """What the verdict rests on."""

    what: str
    direction: str
    sentence: str
    rule: str


class TopicRow(Row):
    """What became of a topic."""

    topic: str
    state: str
    direction: str
    sentence: str


class MetricRow(Row):
    """A metric before and after."""

    metric: str
    base: float
    tuned: float
    difference: float
    low: float | None
    high: float | None
    p_value: float = Field(description="Corrected for all the metrics compared (Holm).")


class DiffAnswer(Answer):
    """What a fine-tune changed."""

    base: str
    tuned: str
    drift: float | None = Field(description="0 (identical) to 1 (collapsed).")
    reading: str = Field(description="Where that lies beside known cases.")
    parts: list[DriftPartRow]
    verdict: str
    direction: str
    rule: str = Field(description="When this verdict is given.")
    reasons: list[ReasonRow]
    topics: list[TopicRow]
    metrics: list[MetricRow] = Field(description="Empty without queries.")
    improved: int | None
    worse: int | None
    notices: list[str]
    seed: int


def diff(
    desk: Desk,
    base: EncoderName = PACKAGED,
    tuned: EncoderName = PACKAGED_TUNED,
    corpus: Annotated[
        CorpusName | None, Field(description="Texts that both read; None: queries alone.")
    ] = "sample:topics",
    queries: Annotated[
        QuerySetName | None, Field(description="What both answer; None: texts alone.")
    ] = "sample:medical",
    picture: Picture = True,
    seed: Seed = 0,
) -> DiffAnswer:
    """What a fine-tune changed: drift on a scale, whether it is for better or worse by stated rules, topic by topic."""
    from lib.finetune.diff.drift import drift
    from lib.finetune.diff.ranks import RetrievalSide, rank_diff
    from lib.finetune.diff.sides import known_shared
    from lib.finetune.diff.space import space_diff

    if corpus is None and queries is None:
        raise InputError("A diff needs a corpus, queries or both: give sample:topics to try it.")
    bench = desk.bench
    sides = [bench.checkpoint(one) for one in (base, tuned)]
    space = ranks = None
    if queries is not None:
        read = bench.queries(queries)
        answers = []
        for one in sides:
            asked = bench.embed(read.queries, one, role="query", tell=desk.tells(f"Encoding queries with {one.source}"))
            found = bench.embed(read.documents, one, tell=desk.tells(f"Encoding documents with {one.source}"))
            answers.append(RetrievalSide(one.source, asked.vectors, found.vectors))
        ranks = rank_diff(read, *answers, seed=seed, progress=desk.tells("Searching"))
    if corpus is not None:
        texts = bench.corpus(corpus)
        before, after = (
            bench.embed(texts.texts, one, tell=desk.tells(f"Encoding texts with {one.source}")).vectors for one in sides
        )
        shared = known_shared(*sides)
        space = space_diff(before, after, texts.labels, shared=shared, seed=seed, progress=desk.tells("Comparing"))
    made = drift(space, ranks)
    told = made.verdict
    if space is not None and space.centroids is not None:
        moved = space.centroids
        order = sorted(range(len(moved.names)), key=lambda at: -_number(moved.angle[at]))[:14]
        desk.show(
            lambda: bars_picture(
                [clipped(moved.names[at], 46) for at in order],
                [_number(moved.angle[at]) for at in order],
                title="How far did each topic turn?",
                about=f"{sides[0].source} against {sides[1].source}; 0° = no change",
                unit="degrees between the topic's mean vector before and after",
            ),
            picture and bool(order),
        )
    return DiffAnswer(
        says=f"{told.sentence} {made.reading}",
        base=sides[0].source,
        tuned=sides[1].source,
        drift=to_json(made.composite),
        reading=made.reading,
        parts=[
            DriftPartRow(**to_json({name: getattr(one, name) for name in DriftPartRow.model_fields}))
            for one in made.parts
        ],
        verdict=told.code,
        direction=told.direction,
        rule=told.rule,
        reasons=[
            ReasonRow(what=one.what, direction=one.direction, sentence=one.sentence, rule=one.rule)
            for one in told.reasons
        ],
        topics=[
            TopicRow(topic=clipped(one.topic, 120), state=one.state, direction=one.direction, sentence=one.sentence)
            for one in told.topics[:_SHOWN]
        ],
        metrics=[]
        if ranks is None
        else [
            MetricRow(
                metric=one.metric, base=one.base.mean, tuned=one.tuned.mean, difference=one.test.difference,
                low=to_json(one.test.low), high=to_json(one.test.high), p_value=one.corrected,
            )
            for one in ranks.metrics
        ],
        improved=None if ranks is None else ranks.improved,
        worse=None if ranks is None else ranks.worse,
        notices=list(made.notices),
        seed=seed,
        cut=[f"Cut: {len(told.topics) - _SHOWN} more topics."] if len(told.topics) > _SHOWN else [],
    )  # fmt: skip


def _number(value: Any) -> float:
    return float(value) if value == value else 0.0
