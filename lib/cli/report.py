"""`python -m lib report`: one file on an encoder, a corpus and a query set, and assertions for a build to fail by."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from lib.cli.inputs import Source, add_corpus, check_seed, corpus_of, progress, write, write_text
from lib.cli.retrieval_queries import add_queries, queries_of
from lib.corpora import Corpus, QuerySet
from lib.errors import InputError
from lib.progress import Progress
from lib.reports.assertions import Demand, check_topics, cutoffs, demand, lines
from lib.reports.material import CorpusSide, Material, Options, QuerySide
from lib.reports.names import listing
from lib.reports.report import Report
from lib.shelf import default_shelf

_FAILED = 1
_HELP = "help"


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser(
        "report",
        help="one file on an encoder, a corpus and a query set; assertions for CI",
        description="Exit status: 0 done and every assertion holds, 1 an assertion fails, 2 bad input.",
    )
    add_corpus(command, required=False)
    add_queries(command, required=False)
    group = command.add_argument_group("the report")
    group.add_argument("--html", metavar="OUT", help="one page that opens offline, figures included (5 MB)")
    group.add_argument("--markdown", metavar="OUT", help='text with tables; "-" for stdout')
    group.add_argument(
        "--assert",
        dest="demands",
        action="append",
        default=[],
        metavar="DEMAND",
        help="a number that must hold, as in ndcg@10>=0.55 or ndcg@10.low>=0.5; repeatable; help: list all names",
    )
    group.add_argument("--against", metavar="E", help="a second encoder to compare with: hub id or folder")
    group.add_argument(
        "--no-layers", action="store_true", help="do not run the layers, which takes as long as encoding"
    )
    group.add_argument("--without-texts", action="store_true", help="quote no text, query or document: ids instead")
    group.add_argument("--title", metavar="TEXT", help="headline (default: the encoder on the texts)")
    group.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    command.set_defaults(run=run, json=None)


def run(chosen: argparse.Namespace) -> int:
    """Measure, write, and hold the assertions; all that can be refused at once is refused before anything runs."""
    if any(text.strip() == _HELP for text in chosen.demands):
        sys.stdout.write(listing())
        return 0
    check_seed(chosen.seed)
    demands = [demand(text) for text in chosen.demands]
    _check_outputs(chosen)
    if chosen.corpus is None and chosen.queries is None:
        raise InputError("A report needs texts: name a corpus by --corpus, a query set by --queries, or both.")
    corpus = None if chosen.corpus is None else corpus_of(chosen.corpus, chosen)
    queries = None if chosen.queries is None else queries_of(chosen)
    check_topics(demands, queries.topic_names if queries is not None else [])
    report = _measured(chosen, corpus, queries, demands)
    _write(report, chosen)
    for line in lines(report.assertions):
        print(line, file=sys.stderr)
    return _FAILED if report.failed else 0


def _check_outputs(chosen: argparse.Namespace) -> None:
    """Refuse two outputs on one place before anything is measured."""
    named = [out for out in (chosen.html, chosen.markdown, chosen.json) if out is not None]
    if len(set(named)) < len(named):
        raise InputError(f"Each form of the report needs a place of its own, got {' and '.join(named)}.")
    if chosen.html == "-":
        raise InputError("The page is 5 MB and goes into a file: name one, as in --html report.html.")


def _measured(
    chosen: argparse.Namespace, corpus: Corpus | None, queries: QuerySet | None, demands: Sequence[Demand]
) -> Report:
    from dataclasses import replace

    from lib.reports.making import report_of

    own = Source(chosen)
    rival = Source(chosen, chosen.against) if chosen.against else None
    if rival is not None and rival.checkpoint.fingerprint == own.checkpoint.fingerprint:
        raise InputError(f"{chosen.against} is the encoder itself: name another one to compare with.")
    if rival is not None and queries is None and corpus is not None and corpus.embeddings is not None:
        raise InputError(
            f"{corpus.name} brings vectors of its own, so two encoders cannot be compared on it: leave --against out, "
            "or name a query set."
        )
    material = Material(
        None if corpus is None else _corpus_side(corpus, own, chosen),
        None if queries is None else _query_side(queries, own),
        None if corpus is None or rival is None or corpus.embeddings is not None else _plain_side(corpus, rival),
        None if queries is None or rival is None else _query_side(queries, rival),
    )
    options = Options(
        texts=not chosen.without_texts,
        cutoffs=cutoffs(demands),
        seed=chosen.seed,
        corpus_argument=_argument("corpus", chosen),
        queries_argument=_argument("queries", chosen),
    )
    tell = _doing()
    report = report_of(material, default_shelf(), options, demands=demands, doing=tell)
    return replace(report, title=chosen.title.strip()) if chosen.title and chosen.title.strip() else report


def _plain_side(corpus: Corpus, source: Source) -> CorpusSide:
    made = source.embed(corpus.texts, corpus.name)
    return CorpusSide(corpus, source.checkpoint, source.precision, made.vectors, made.key, made.truncated)


def _corpus_side(corpus: Corpus, source: Source, chosen: argparse.Namespace) -> CorpusSide:
    from lib.reports.layers import known_layers, with_layers

    if corpus.embeddings is not None:
        side = CorpusSide(corpus, None, source.precision, corpus.embeddings, corpus.key)
        return known_layers(side, default_shelf(), seed=chosen.seed)
    side = _plain_side(corpus, source)
    if chosen.no_layers:
        return known_layers(side, default_shelf(), seed=chosen.seed)

    def doing(what: str) -> Progress:
        return progress(corpus.name, doing=f"{what} on")

    return with_layers(side, default_shelf(), source.open, progress=doing, seed=chosen.seed)


def _query_side(queries: QuerySet, source: Source) -> QuerySide:
    documents = source.embed(queries.documents, "documents")
    asked = source.embed(queries.queries, "queries", role="query")
    cut = documents.truncated + asked.truncated
    return QuerySide(queries, source.checkpoint, source.precision, asked.vectors, documents.vectors, cut)


def _argument(what: str, chosen: argparse.Namespace) -> str:
    """The options that name the corpus or the query set, and the encoder, for the commands that the report quotes."""
    named = getattr(chosen, what)
    if named is None:
        return ""
    given = [f"--{what}", named, "--encoder", chosen.encoder, "--precision", chosen.precision]
    extra = ("embeddings", "text", "label", "id") if what == "corpus" else ("topic", "split")
    for name in extra:
        if getattr(chosen, name) is not None:
            given += [f"--{name}", getattr(chosen, name)]
    return shlex.join(given)


def _doing() -> Any:
    def tell(what: str) -> None:
        print(f"{what}…", file=sys.stderr)

    return tell


def _write(report: Report, chosen: argparse.Namespace) -> None:
    """Every form that is asked for; JSON to stdout where none is, nor any assertion."""
    if chosen.html is not None:
        from lib.reports.page import page

        write_text(page(report), chosen.html)
    if chosen.markdown is not None:
        from lib.reports.markdown import markdown

        write_text(markdown(report), chosen.markdown)
    if chosen.json is not None:
        write(report.to_dict(), chosen.json)
    elif chosen.html is None and chosen.markdown is None and not chosen.demands:
        write(report.to_dict(), "-")
