"""Tools at a glance: the eight signals of an encoder, and what stands out."""

from typing import Annotated, Any

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped
from lib.agents.arguments import CorpusName, EncoderName, QuerySetName, Seed
from lib.agents.desk import Desk
from lib.encoders import PACKAGED
from lib.results import to_json


class SignalRow(Row):
    """One of the eight signals."""

    name: str
    title: str
    quantity: str
    value: float | None
    shown: str
    baseline: str
    interval: list[float] | None
    sentence: str
    verdict: str | None
    rule: str | None = Field(description="The rule or test behind the verdict.")
    needs: str | None = Field(description="What is missing where there is no number.")


class StandOutRow(Row):
    """What stands out."""

    title: str
    sentence: str
    rule: str
    items: list[str]


class OverviewAnswer(Answer):
    """An encoder at a glance."""

    encoder: str
    corpus: str | None
    queries: str | None
    signals: list[SignalRow]
    standouts: list[StandOutRow]
    facts: dict[str, float] = Field(description="Every number by its flat name, as the report's assertions have them.")
    notices: list[str]
    seed: int


def overview(
    desk: Desk,
    encoder: EncoderName = PACKAGED,
    corpus: Annotated[
        CorpusName | None, Field(description="The texts; None: signals of queries alone.")
    ] = "sample:topics",
    queries: Annotated[
        QuerySetName | None, Field(description="The queries; None: signals of texts alone.")
    ] = "sample:topics",
    layers: Annotated[
        bool, Field(description="Whether texts pass through the layers, which is slow on new texts.")
    ] = True,
    seed: Seed = 0,
) -> OverviewAnswer:
    """The eight signals of an encoder at a glance, each with its baseline and a plain sentence; what stands out."""
    from lib.overview import parts as part_of
    from lib.overview.made import made_answers
    from lib.overview.signals import Part, wanting
    from lib.shelf import default_shelf

    bench = desk.bench
    checkpoint, shelf = bench.checkpoint(encoder), default_shelf()
    parts: list[Part] = []
    texts = None if corpus is None else bench.corpus(corpus, fewest=1)
    asked = None if queries is None else bench.queries(queries)
    if texts is not None:
        made = bench.embed(texts.texts, checkpoint, tell=desk.tells("Encoding texts"))
        few = part_of.too_few(len(texts))
        if few:
            parts.append(Part(wanting((*part_of.SPACE, *part_of.LAYERS), few)))
        else:
            measured = part_of.measure_space(texts, made.vectors, shelf, key=made.key, seed=seed)
            parts.append(part_of.space_part(texts, measured))
            desk.check()
            parts.append(_layers(desk, texts, checkpoint, layers, seed))
    if asked is not None:
        documents = bench.embed(asked.documents, checkpoint, tell=desk.tells("Encoding documents"))
        questions = bench.embed(asked.queries, checkpoint, role="query", tell=desk.tells("Encoding queries"))
        parts.append(made_answers(asked, questions.vectors, documents.vectors, system=checkpoint.source, seed=seed)[0])
    found = part_of.overview_of(
        parts, encoder=checkpoint.source, fingerprint=checkpoint.fingerprint, corpus=texts, queries=asked, seed=seed
    )
    had = [one for one in found.signals if one.value is not None]
    return OverviewAnswer(
        says=f"{len(had)} of {len(found.signals)} signals. " + " ".join(one.sentence for one in had),
        encoder=found.encoder,
        corpus=found.corpus,
        queries=found.queries,
        signals=[
            SignalRow(
                name=one.name, title=one.title, quantity=one.quantity, value=one.value, shown=one.shown,
                baseline=one.baseline_shown, interval=None if one.interval is None else to_json(list(one.interval)),
                sentence=one.sentence, verdict=one.verdict, rule=one.rule, needs=one.needs,
            )
            for one in found.signals
        ],
        standouts=[
            StandOutRow(
                title=one.title, sentence=one.sentence, rule=one.rule,
                items=[clipped(" · ".join(part for part in (item.name, item.shown, item.note, item.text) if part), 200)
                       for item in one.items],
            )
            for one in found.standouts
        ],
        facts=found.facts,
        notices=list(found.notices),
        seed=seed,
    )  # fmt: skip


def _layers(desk: Desk, texts: Any, checkpoint: Any, asked: bool, seed: int) -> Any:
    """The signals of the layers, or what they need."""
    from lib.overview import parts as part_of
    from lib.overview.made import made_layers
    from lib.shelf import default_shelf

    lacking = part_of.lacks_layers(checkpoint)
    if lacking or not asked:
        return part_of.layers_part(None, None, lacking or "Ask again with layers, which passes the texts through them.")
    return made_layers(
        texts, checkpoint, default_shelf(), lambda: desk.bench.encoder(checkpoint), progress=desk.tells, seed=seed
    )
