"""`python -m lib overview`: the eight signals of an encoder on a corpus and a query set, and what stands out."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.cli.inputs import Source, add_corpus, check_seed, corpus_of, progress, vectors_of, write
from lib.cli.retrieval_queries import add_queries, queries_of
from lib.corpora import Corpus, QuerySet
from lib.corpora.facts import about, about_queries
from lib.errors import InputError
from lib.shelf import default_shelf

if TYPE_CHECKING:
    from lib.overview import Answers, Overview, Pair, SpaceResults


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("overview", help="the eight signals at a glance, and what stands out")
    add_corpus(command)
    add_queries(command, required=False)
    command.add_argument("--beside", metavar="E", help="a second encoder, side by side, with paired tests")
    command.add_argument("--no-layers", action="store_true", help="leave out what passes the texts through the layers")
    command.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write."""
    from lib.overview import Beside, differences

    check_seed(chosen.seed)
    corpus = corpus_of(chosen.corpus, chosen)
    queries = queries_of(chosen) if chosen.queries else None
    if chosen.beside and corpus.embeddings is not None:
        raise InputError(
            f"{corpus.name} brings embeddings of its own, and a second encoder must read its texts: leave out "
            "--beside, or the embeddings."
        )
    told = {"corpus": about(corpus), "queries": None if queries is None else about_queries(queries)}
    first = _measured(chosen, None, corpus, queries)
    if not chosen.beside:
        write(first.overview.to_dict() | told | {"encoder": first.facts, "facts": first.overview.facts}, chosen.json)
        return
    second = _measured(chosen, chosen.beside, corpus, queries)
    answers = (first.answers, second.answers) if first.answers and second.answers else None
    found = differences(_pair(first, second, corpus), answers, seed=chosen.seed)
    whole = Beside(first.overview, second.overview, found, chosen.seed).to_dict()
    write(whole | told | {"encoders": [first.facts, second.facts]}, chosen.json)


@dataclass(frozen=True)
class _Side:
    """One encoder, measured."""

    overview: "Overview"
    facts: dict[str, Any]
    vectors: Any
    space: "SpaceResults | None"
    answers: "Answers | None"


def _measured(chosen: argparse.Namespace, encoder: str | None, corpus: Corpus, queries: QuerySet | None) -> _Side:
    """Everything by `encoder`, or by the one that the options name where that is None."""
    from lib.overview import made_layers, made_space, overview_of

    source = Source(chosen, encoder) if corpus.embeddings is None or queries is not None else None
    vectors, facts = _vectors(chosen, source, corpus)
    shelf, key = default_shelf(), facts["vectors_key"]
    part, space = made_space(corpus, vectors, shelf, key=key, seed=chosen.seed)
    parts, answers = [part], None
    if corpus.embeddings is not None or source is None:
        parts.append(made_layers(corpus, None, shelf, _no_encoder))
    elif not chosen.no_layers:
        settings: dict[str, Any] = {"precision": source.precision, "seed": chosen.seed}
        named = f" on {corpus.name}"
        parts.append(
            made_layers(
                corpus, source.checkpoint, shelf, source.open, progress=lambda doing: progress(named, doing=doing),
                **settings,
            )
        )  # fmt: skip
    else:
        parts.append(_without_layers())
    if queries is not None and source is not None:
        part, answers = _answers(chosen, source, queries)
        parts.append(part)
    overview = overview_of(
        parts,
        encoder="precomputed" if source is None else source.checkpoint.source,
        fingerprint=None if source is None else source.checkpoint.fingerprint,
        corpus=corpus,
        queries=queries,
        seed=chosen.seed,
    )
    return _Side(overview, facts, vectors, space, answers)


def _vectors(chosen: argparse.Namespace, source: Source | None, corpus: Corpus) -> tuple[Any, dict[str, Any]]:
    """Embeddings (n, d) of the corpus, and what made them."""
    if source is None or corpus.embeddings is not None:
        return vectors_of(corpus, chosen)
    made = source.embed(corpus.texts, corpus.name)
    counts = {"encoded_now": made.encoded, "truncated": made.truncated, "vectors_key": made.key}
    return made.vectors, source.facts() | counts


def _answers(chosen: argparse.Namespace, source: Source, queries: QuerySet) -> Any:
    from lib.overview import made_answers

    documents = source.embed(queries.documents, "documents")
    asked = source.embed(queries.queries, "queries", role="query")
    return made_answers(
        queries, asked.vectors, documents.vectors, system=source.checkpoint.source, seed=chosen.seed
    )  # fmt: skip


def _without_layers() -> Any:
    from lib.overview import Part, wanting
    from lib.overview.parts import LAYERS

    return Part(wanting(LAYERS, "It was left out: ask again without --no-layers."))


def _no_encoder() -> Any:
    raise InputError("These embeddings came with the corpus, so there is no encoder to open.")


def _pair(first: _Side, second: _Side, corpus: Corpus) -> "Pair | None":
    from lib.overview import Pair

    if first.space is None or second.space is None:
        return None
    return Pair((first.vectors, second.vectors), (first.space.dimension, second.space.dimension), corpus.labels)
