"""A report out of its material: everything is measured as the pages measure it at their defaults."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lib.corpora import Corpus, QuerySet
from lib.corpora.facts import about, about_queries
from lib.encoders import Checkpoint
from lib.encoders.facts import facts as encoder_facts
from lib.errors import InputError
from lib.numerals import count, counted
from lib.overview.parts import SpaceResults, answers_of, answers_part, layers_part, overview_of, space_part
from lib.overview.signals import Part
from lib.reports.assertions import Demand, judged
from lib.reports.material import CorpusSide, Doing, Material, Options, QuerySide
from lib.reports.report import Number, Report, Section
from lib.reports.sections import against, layers, retrieval, signals, space
from lib.reports.sections.retrieval import Answers
from lib.reports.sections.space import Space
from lib.reports.versions import versions
from lib.shelf import Shelf


def report_of(
    material: Material,
    shelf: Shelf,
    options: Options | None = None,
    *,
    demands: Sequence[Demand] = (),
    doing: Doing = lambda _: None,
) -> Report:
    """Measure and put together.

    Args:
        material: corpus and query set with their vectors.
        shelf: keeps the map and the clusters.
        options: what is held and how it is measured.
        demands: assertions to be held against the numbers.
        doing: told what is being done.

    Raises:
        InputError: neither a corpus nor a query set, or a corpus that cannot be measured where there is no query set.
        Stopped: `doing` said so.
    """
    chosen = options or Options()
    if material.corpus is None and material.queries is None:
        raise InputError("A report needs a corpus, a query set, or both: name one.")
    checkpoint = _checkpoint(material)
    made, parts = _corpus_part(material.corpus, shelf, chosen, doing)
    asked, answers, more = _query_part(material.queries, chosen, doing)
    overview = overview_of(
        [*parts, *more],
        encoder="vectors of its own" if checkpoint is None else checkpoint.source,
        fingerprint=None if checkpoint is None else checkpoint.fingerprint,
        corpus=None if material.corpus is None else material.corpus.corpus,
        queries=None if material.queries is None else material.queries.queries,
        seed=chosen.seed,
    )
    sections = [signals.section(overview, chosen), *made, *asked]
    sections += _beside(material, sections, answers, chosen, doing)
    report = _assembled(material, checkpoint, tuple(sections), chosen)
    return replace(report, assertions=judged(demands, report.facts, report.reasons, parts=_parts(material)))


def _corpus_part(
    side: CorpusSide | None, shelf: Shelf, options: Options, doing: Doing
) -> tuple[list[Section], list[Part]]:
    if side is None:
        return [], []
    if len(side.corpus) < space.FEWEST:
        why = f"A space has a shape from {space.FEWEST} texts on; the corpus has {len(side.corpus)}: add texts."
        missing = Number("anisotropy", "Mean cosine", None, "—", needs=why)
        return [Section("map", "How is this corpus laid out?", why, (missing,), missing=True)], []
    found = space.measured(side, shelf, options, doing=doing)
    sections = [*space.sections(side, found, options), *layers.sections(side, options)]
    parts = [space_part(side.corpus, _results(found))]
    parts.append(layers_part(side.build_up, side.heads, side.layers_needed or side.heads_needed))
    return sections, parts


def _results(found: Space) -> SpaceResults:
    shape = found.geometry
    return SpaceResults(found.layout, found.groups, shape.anisotropy, shape.dimension, found.fence, shape.labels)


def _query_part(
    side: QuerySide | None, options: Options, doing: Doing
) -> tuple[list[Section], Answers | None, list[Part]]:
    if side is None:
        return [], None, []
    try:
        answers = retrieval.measured(side, options, doing=doing)
    except InputError as fault:  # no query can be judged: the rest of the report stands
        return [retrieval.refusal(fault)], None, []
    asked = replace(answers_of(side.queries, answers.found, answers.scores), rival=answers.words)
    return list(retrieval.sections(side, answers, options)), answers, [answers_part(asked, seed=options.seed)]


def _beside(
    material: Material, own: Sequence[Section], answers: Answers | None, options: Options, doing: Doing
) -> list[Section]:
    """The comparison with a second encoder, where there is one."""
    second = material.beside_queries or material.beside_corpus
    checkpoint = _checkpoint(material)
    if second is None or second.checkpoint is None or checkpoint is None:
        return []
    doing("Measuring the second encoder")
    beside = material.beside_corpus
    measurable = beside is not None and len(beside.corpus) >= space.FEWEST
    theirs = space.numbers_beside(beside, options) if beside is not None and measurable else {}
    _, rival, _ = _query_part(material.beside_queries, options, doing)
    both = (answers, rival) if answers is not None and rival is not None else None
    facts = _facts(own), theirs
    return [against.section(checkpoint.source, second.checkpoint.source, options, answers=both, facts=facts)]


def _facts(sections: Sequence[Section]) -> dict[str, float]:
    made: dict[str, float] = {}
    for section in sections:
        made.update(section.facts)
        made.update({number.name: number.value for number in section.numbers if number.value is not None})
    return made


def _assembled(
    material: Material, checkpoint: Checkpoint | None, sections: tuple[Section, ...], options: Options
) -> Report:
    corpus, queries = material.corpus, material.queries
    cut = (corpus.truncated if corpus else 0) + (queries.truncated if queries else 0)
    precision = queries.precision if queries else corpus.precision if corpus else ""
    limit = (checkpoint.max_tokens if checkpoint else 0) or 0
    return Report(
        title=_title(checkpoint, corpus.corpus if corpus else None, queries.queries if queries else None),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=None if checkpoint is None else encoder_facts(checkpoint) | {"precision": precision},
        corpus=None if corpus is None else _about_corpus(corpus),
        queries=None if queries is None else about_queries(queries.queries),
        settings={
            "precision": precision,
            "seed": options.seed,
            "cutoffs": list(options.cutoffs),
            "texts_quoted": options.texts,
            "second_encoder": _second(material),
        },
        versions=versions(),
        sections=sections,
        notices=_notices(material, cut, limit),
        app=options.app,
    )


def _notices(material: Material, cut: int, limit: int) -> tuple[str, ...]:
    made = []
    if cut:
        made.append(f"{counted(cut, 'text')} longer than {count(limit)} tokens: only the beginning was read.")
    if material.corpus is not None and material.corpus.checkpoint is None and material.queries is not None:
        made.append("The corpus brought vectors of its own: the encoder stands behind the query set alone.")
    for side in (
        material.corpus.corpus if material.corpus else None,
        material.queries.queries if material.queries else None,
    ):
        made += side.notices if side is not None else ()
    return tuple(made)


def _about_corpus(side: CorpusSide) -> dict[str, Any]:
    return about(side.corpus) | {
        "labels": len({label for label in side.corpus.labels or () if label is not None}),
        "vectors_key": side.vectors_key,
    }


def _second(material: Material) -> dict[str, Any] | None:
    second = material.beside_queries or material.beside_corpus
    if second is None or second.checkpoint is None:
        return None
    return {"source": second.checkpoint.source, "fingerprint": second.checkpoint.fingerprint}


def _checkpoint(material: Material) -> Checkpoint | None:
    if material.queries is not None:
        return material.queries.checkpoint
    return material.corpus.checkpoint if material.corpus is not None else None


def _title(checkpoint: Checkpoint | None, corpus: Corpus | None, queries: QuerySet | None) -> str:
    on = [f"the texts of {corpus.name}"] if corpus is not None else []
    on += [f"the queries of {queries.name}"] if queries is not None else []
    return f"{'Vectors of its own' if checkpoint is None else checkpoint.source} on {' and '.join(on)}"


def _parts(material: Material) -> list[str]:
    made = []
    if material.corpus is not None:
        made.append("corpus")
        if material.corpus.build_up is not None:
            made.append("layers")
    if material.queries is not None:
        made.append("queries")
    if material.beside_corpus is not None or material.beside_queries is not None:
        made.append("against")
    return made
