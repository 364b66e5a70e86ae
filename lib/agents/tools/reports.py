"""Tools of reports: everything that is measured of an encoder on texts and queries, and whether demands on it hold."""

from typing import Annotated

from pydantic import Field

from lib.agents.answers import Answer, Row, page
from lib.agents.arguments import CorpusName, EncoderName, Limit, Offset, QuerySetName, Seed
from lib.agents.desk import Desk
from lib.corpora import Corpus, QuerySet
from lib.encoders import PACKAGED, Checkpoint
from lib.errors import InputError
from lib.reports.material import CorpusSide, Material, Options, QuerySide
from lib.reports.report import Report

_MOST_DEMANDS = 50
Setting = str | int | float | bool
_Demand = Annotated[str, Field(min_length=1, max_length=200, description="A demand, as in ndcg@10>=0.55.")]


class AssertionRow(Row):
    """A demand and whether it holds."""

    text: str
    holds: bool
    value: float | None
    reason: str = Field(description="Why there is no number; empty where there is one.")


class SectionRow(Row):
    """One question and its answer."""

    title: str
    sentence: str
    notices: list[str]


class NumberRow(Row):
    """One number of the report."""

    name: str = Field(description="Flat name: what assertions call it.")
    shown: str
    value: float | None
    interval: list[float] | None
    baseline: str
    meaning: str
    needs: str | None = Field(description="Why there is no number; None where there is one.")


class ReportAnswer(Answer):
    """A report of numbers: all of `python -m lib report` but for its figures and tables of texts."""

    title: str
    assertions: list[AssertionRow]
    sections: list[SectionRow]
    numbers: list[NumberRow]
    notices: list[str]
    versions: dict[str, str]
    settings: dict[str, Setting]


def report(
    desk: Desk,
    encoder: EncoderName = PACKAGED,
    corpus: Annotated[CorpusName | None, Field(description="The texts; None: a report of queries alone.")] = (
        "sample:topics"
    ),
    queries: Annotated[QuerySetName | None, Field(description="The queries; None: a report of texts alone.")] = (
        "sample:topics"
    ),
    against: Annotated[EncoderName | None, Field(description="A second encoder, compared by paired tests.")] = None,
    assertions: Annotated[
        list[_Demand] | None,
        Field(
            max_length=_MOST_DEMANDS,
            description="Demands that are held against the numbers: ndcg@10>=0.55, anisotropy<=0.3, ndcg@10.low>=0.5 "
            "(the lower end of the 95 % interval).",
        ),
    ] = None,
    layers: Annotated[bool, Field(description="Whether texts pass through the layers: slow on new texts.")] = False,
    offset: Offset = 0,
    limit: Limit = 60,
    seed: Seed = 0,
) -> ReportAnswer:
    """Every number of an encoder on texts and queries with its baseline, and whether demands on them hold."""
    from lib.reports.assertions import check_topics, cutoffs, demand
    from lib.reports.making import report_of
    from lib.shelf import default_shelf

    bench = desk.bench
    demands = [demand(text) for text in assertions or ()]
    own, rival = bench.checkpoint(encoder), None if against is None else bench.checkpoint(against)
    if rival is not None and rival.fingerprint == own.fingerprint:
        raise InputError(f"{against} is the encoder itself: name another one to compare with.")
    texts = None if corpus is None else bench.corpus(corpus, fewest=1)
    asked = None if queries is None else bench.queries(queries)
    check_topics(demands, asked.topic_names if asked is not None else [])

    def doing(what: str) -> None:
        desk.tells(what)(0, 1)

    made = report_of(
        Material(
            None if texts is None else _corpus_side(desk, texts, own, layers=layers, seed=seed),
            None if asked is None else _query_side(desk, asked, own),
            None if texts is None or rival is None else _plain_side(desk, texts, rival),
            None if asked is None or rival is None else _query_side(desk, asked, rival),
        ),
        default_shelf(),
        Options(texts=False, cutoffs=cutoffs(demands), seed=seed),
        demands=demands,
        doing=doing,
    )
    return _answer(made, offset, limit)


def _answer(made: Report, offset: int, limit: int) -> ReportAnswer:
    numbers = [number for section in made.sections for number in section.numbers]
    shown, cut = page(numbers, offset, limit, "numbers")
    settings: dict[str, Setting] = {name: value for name, value in made.settings.items() if isinstance(value, Setting)}
    return ReportAnswer(
        says=_says(made),
        cut=cut,
        title=made.title,
        assertions=[
            AssertionRow(text=one.text, holds=one.holds, value=one.value, reason=one.reason) for one in made.assertions
        ],
        sections=[
            SectionRow(title=one.title, sentence=one.sentence, notices=list(one.notices)) for one in made.sections
        ],
        numbers=[
            NumberRow(
                name=one.name, shown=one.shown, value=one.value,
                interval=None if one.interval is None else list(one.interval),
                baseline=one.baseline, meaning=one.meaning, needs=one.needs,
            )
            for one in shown
        ],
        notices=list(made.notices),
        versions=made.versions,
        settings=settings,
    )  # fmt: skip


def _says(made: Report) -> str:
    if not made.assertions:
        had = sum(number.value is not None for section in made.sections for number in section.numbers)
        return f"{made.title}: {had} numbers under {len(made.sections)} questions; nothing was demanded of them."
    failed = [one.text for one in made.failed]
    told = f"{made.title}: {len(made.assertions) - len(failed)} of {len(made.assertions)} demands hold"
    return f"{told}." if not failed else f"{told}; {', '.join(failed)} {'does' if len(failed) == 1 else 'do'} not."


def _plain_side(desk: Desk, texts: Corpus, of: Checkpoint) -> CorpusSide:
    made = desk.bench.embed(texts.texts, of, tell=desk.tells("Encoding texts"))
    return CorpusSide(texts, of, "float32", made.vectors, made.key, made.truncated)


def _corpus_side(desk: Desk, texts: Corpus, of: Checkpoint, *, layers: bool, seed: int) -> CorpusSide:
    from lib.reports.layers import known_layers, with_layers
    from lib.shelf import default_shelf

    side, shelf = _plain_side(desk, texts, of), default_shelf()
    if not layers:
        return known_layers(side, shelf, seed=seed)
    return with_layers(side, shelf, lambda: desk.bench.encoder(of), progress=desk.tells, seed=seed)


def _query_side(desk: Desk, queries: QuerySet, of: Checkpoint) -> QuerySide:
    documents = desk.bench.embed(queries.documents, of, tell=desk.tells("Encoding documents"))
    asked = desk.bench.embed(queries.queries, of, role="query", tell=desk.tells("Encoding queries"))
    cut = documents.truncated + asked.truncated
    return QuerySide(queries, of, "float32", asked.vectors, documents.vectors, cut)
