"""`python -m lib diff`: what a fine-tune changed: two checkpoints on the same texts and queries, drift and verdict."""

import argparse
from typing import TYPE_CHECKING, Any

from lib.cli.inputs import Source, add_json, check_seed, check_suffix, corpus_of, progress, write, write_table
from lib.cli.retrieval_queries import queries_of
from lib.corpora import QUERY_SET_NAMES, SAMPLE_NAMES, Corpus, QuerySet
from lib.corpora.facts import about, about_queries
from lib.encoders import PACKAGED, PACKAGED_TUNED, precisions_available
from lib.errors import InputError

if TYPE_CHECKING:
    from lib.finetune.diff.ranks import RankDiff
    from lib.finetune.diff.space import SpaceDiff

_OF_QUERIES = ("query", "document", "relevance", "query_id", "document_id", "negative_columns", "document_fields")


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("diff", help="what a fine-tune changed: two checkpoints on the same texts")
    add_sides(
        command,
        corpus="texts that both embed, with topics as labels (else clusters are found)",
        queries="what both answer",
    )
    command.add_argument(
        "--weights", nargs=3, type=float, default=[1.0, 1.0, 1.0], metavar=("SHIFT", "RANKS", "ANISOTROPY"),
        help="of the three parts of drift (default: 1 1 1)",
    )  # fmt: skip
    command.add_argument("--topics-table", metavar="OUT", help="write a row per topic as .csv or .parquet")
    command.add_argument("--queries-table", metavar="OUT", help="write a row per query as .csv or .parquet")
    command.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    add_json(command)
    command.set_defaults(run=run)


def add_sides(command: argparse.ArgumentParser, *, corpus: str, queries: str) -> None:
    """Options of two checkpoints and of what both read; `corpus` and `queries` say what for."""
    for side, default in (("base", PACKAGED), ("tuned", PACKAGED_TUNED)):
        command.add_argument(
            f"--{side}", default=default, metavar="E", help=f"hub id, folder or run:ID (default: {default})"
        )
    command.add_argument("--precision", choices=precisions_available(), default="float32")
    command.add_argument(
        "--corpus", metavar="FILE",
        help=f"{corpus}; or sample:{' or sample:'.join(SAMPLE_NAMES)}",
    )  # fmt: skip
    for what in ("text", "label", "id"):
        command.add_argument(f"--{what}", metavar="COLUMN", help=f"of the corpus: column of the {what}s")
    command.add_argument(
        "--queries", metavar="FILE|DIR",
        help=f"{queries}: pairs, a BEIR folder or .zip, or sample:{' or sample:'.join(QUERY_SET_NAMES)}",
    )  # fmt: skip
    command.add_argument("--topic", metavar="FIELD", help="of the queries: column or field of the topics")
    command.add_argument("--split", metavar="NAME", help="of BEIR: which qrels (default: test, else dev, else train)")
    command.set_defaults(embeddings=None, encoder=PACKAGED, **dict.fromkeys(_OF_QUERIES))


def run(chosen: argparse.Namespace) -> None:
    """Measure and write; all that can be refused at once is refused before anything is encoded."""
    _check(chosen)
    corpus = corpus_of_both(chosen) if chosen.corpus else None
    queries = queries_of(chosen) if chosen.queries else None
    base, tuned = Source(chosen, chosen.base), Source(chosen, chosen.tuned)

    from lib.finetune.diff.drift import drift
    from lib.finetune.diff.report import query_table, report, topic_table

    ranks = None if queries is None else _ranks(chosen, queries, base, tuned)
    space = None if corpus is None else _space(chosen, corpus, base, tuned)
    found = drift(space, ranks, weights=chosen.weights)
    if chosen.topics_table:
        write_table(topic_table(space, ranks, found.verdict), chosen.topics_table)
    if chosen.queries_table and queries is not None and ranks is not None:
        write_table(query_table(queries, ranks), chosen.queries_table)
    result = {
        "base": base.facts(),
        "tuned": tuned.facts(),
        "corpus": None if corpus is None else about(corpus),
        "queries": None if queries is None else about_queries(queries),
    }
    write(result | report(found, space, ranks), chosen.json)


def _check(chosen: argparse.Namespace) -> None:
    check_seed(chosen.seed)
    if not chosen.corpus and not chosen.queries:
        raise InputError("A diff needs --corpus, --queries or both: give sample:topics to try it.")
    if chosen.queries_table and not chosen.queries:
        raise InputError("--queries-table was given without --queries: give those too.")
    check_sides(chosen)
    for name in (chosen.topics_table, chosen.queries_table):
        if name:
            check_suffix(name, ".csv", ".parquet")

    from lib.finetune.diff.drift import checked_weights

    checked_weights(chosen.weights)


def check_sides(chosen: argparse.Namespace) -> None:
    """That options about queries come with queries.

    Raises:
        InputError: they do not.
    """
    for name in ("topic", "split"):
        if getattr(chosen, name) is not None and not chosen.queries:
            raise InputError(f"--{name} says how to read --queries: give those too.")


def corpus_of_both(chosen: argparse.Namespace) -> Corpus:
    """The texts that both checkpoints read.

    Raises:
        InputError: it cannot be read, or brought its own embeddings.
    """
    corpus = corpus_of(chosen.corpus, chosen)
    if corpus.embeddings is not None:
        raise InputError(
            f"{corpus.name} brought its own embeddings, and two checkpoints must read its texts: give a file of texts."
        )
    return corpus


def _ranks(chosen: argparse.Namespace, queries: QuerySet, base: Source, tuned: Source) -> "RankDiff":
    from lib.finetune.diff.ranks import RetrievalSide, rank_diff

    sides = [
        RetrievalSide(
            source.checkpoint.source,
            source.embed(queries.queries, "queries", role="query").vectors,
            source.embed(queries.documents, "documents").vectors,
        )
        for source in (base, tuned)
    ]
    return rank_diff(queries, *sides, seed=chosen.seed, progress=progress("queries", doing="Searching"))


def _space(chosen: argparse.Namespace, corpus: Corpus, base: Source, tuned: Source) -> "SpaceDiff":
    from lib.finetune.diff.sides import known_shared
    from lib.finetune.diff.space import space_diff

    shared = known_shared(base.checkpoint, tuned.checkpoint)
    before, after = (source.embed(corpus.texts, corpus.name).vectors for source in (base, tuned))
    tell = progress("figures", doing="Comparing")
    return space_diff(before, after, corpus.labels, shared=shared, seed=chosen.seed, progress=tell)
