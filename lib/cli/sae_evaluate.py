"""`python -m lib sae evaluate`: what a dictionary loses and uses on a corpus, and what it keeps of retrieval."""

import argparse
from typing import Any

from lib.cli.inputs import Source, add_corpus, check_seed, corpus_of, progress, vectors_of, write
from lib.cli.sae_inputs import add_sae, sae_of
from lib.cli.sae_train_queries import query_sets_of
from lib.corpora import Corpus, QuerySet
from lib.corpora.facts import about, about_queries
from lib.sae import SparseAutoencoder
from lib.sae.evaluation import evaluate_sae, retrieval_kept
from lib.sae.facts import about_sae


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("evaluate", help="FVU, active and dead features, and NDCG kept by reconstructions")
    add_sae(command)
    add_corpus(command)
    command.add_argument(
        "--queries",
        nargs="+",
        default=[],
        metavar="FILE|DIR",
        help="query sets, on which is measured how much of NDCG@K is kept by reconstructions",
    )
    command.add_argument("--cutoff", type=int, default=10, metavar="K", help="of NDCG (default: 10)")
    command.add_argument("--seed", type=int, default=0, help="of intervals and p-values (default: 0)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write; what can be refused at once is refused before anything is encoded."""
    check_seed(chosen.seed)
    corpus, query_sets = corpus_of(chosen.corpus, chosen), query_sets_of(chosen)
    given = corpus.embeddings
    source = Source(chosen) if given is None or query_sets else None
    opened = sae_of(chosen, source.checkpoint if source else None, None if given is None else given.shape[1])
    vectors, made_by = vectors_of(corpus, chosen)
    found = evaluate_sae(
        opened.sae, vectors, labels=corpus.labels, progress=progress(corpus.name, doing="Taking apart")
    )
    kept = [_kept(opened.sae, queries, source, chosen) for queries in query_sets] if source else []
    write(
        {
            "corpus": about(corpus) | {"trained_on": _trained_on(opened.sae, corpus)},
            "encoder": made_by,
            "sae": about_sae(opened),
            "evaluation": found.to_dict(),
            "retrieval": kept,
        },
        chosen.json,
    )


def _kept(sae: SparseAutoencoder, queries: QuerySet, source: Source, chosen: argparse.Namespace) -> dict[str, Any]:
    """How much of the encoder's retrieval on one query set the reconstructions keep, and what its texts lose."""
    documents = source.embed(queries.documents, f"documents of {queries.name}").vectors
    asked = source.embed(queries.queries, f"queries of {queries.name}", role="query").vectors
    found = retrieval_kept(sae, queries, asked, documents, k=chosen.cutoff, seed=chosen.seed)
    fvu = {"documents": evaluate_sae(sae, documents).fvu, "queries": evaluate_sae(sae, asked).fvu}
    return {"queries": about_queries(queries), "kept": found.to_dict(), "fvu": fvu}


def _trained_on(sae: SparseAutoencoder, corpus: Corpus) -> bool | None:
    """Whether this very corpus is what the dictionary was trained on; None where its files do not say."""
    key = sae.about.trained_on.get("key")
    return None if key is None else key == corpus.key
