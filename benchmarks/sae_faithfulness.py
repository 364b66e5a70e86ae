"""Every feature taken out of every query: time and memory, against searching again for each.

    python -m benchmarks.sae_faithfulness [--queries 1000] [--documents 10000] [--set FOLDER] [--slow-features 40]

The packaged dictionary. Without --set, made-up unit vectors: documents of a few features each, queries near one of
them. With it, a folder with corpus.jsonl, queries.jsonl and qrels.jsonl, of which the first so many queries and their
documents are taken, embedded by the packaged encoder by way of the embedding store.

One pass measures NDCG@10 of each query without each of its features; the whole analysis adds the two controls,
intervals, tests and verdicts. The slow side asks the search again for each feature, with the queries on which it fires,
each taken out before: what anyone would do. It has to find the same NDCG. Each runs in a process of its own, whose peak
memory is told above what it held before it began.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from lib.corpora import Limits, QuerySet, build_query_set, open_query_files
from lib.corpora.samples import SAMPLE_FOLDER
from lib.embeddings import embed
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.retrieval import judged_ranks, query_metrics, search
from lib.sae import SparseAutoencoder, load
from lib.sae.faithfulness import case_of, cumulative_curves, faithfulness, ranks_of, without_each
from lib.store import default_store

Given = tuple[SparseAutoencoder, QuerySet, Any, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--set", type=Path, help="folder of a public set (default: made-up vectors)")
    parser.add_argument("--slow-features", type=int, default=40, help="features that the slow side takes out")
    asked = parser.parse_args()
    if asked.set:  # embed once, in a process that holds the encoder
        run_apart(_embedded, asked)
    print("| side | queries | documents | features | pairs | seconds | of processor | peak above start, MB |")
    print("|---|---|---|---|---|---|---|---|")
    one = row("one pass", one_pass, asked)
    whole = row("whole analysis", analysis, asked)
    row("cumulative curves, 11 passes", curves, asked)
    slow = row(f"search again, {asked.slow_features} features", again, asked)
    every = slow["seconds"] / asked.slow_features * one["features"]
    print(
        f"\nSearching again for all {one['features']:,} features would take {every:,.0f} s, by its seconds a feature:"
    )
    print(f"{every / one['seconds']:,.0f} x the time. Largest difference of NDCG@10: {slow['difference']:.1e}.")
    print(f"The whole analysis calls {whole['verdicts']}.")


def row(name: str, side: Callable[..., dict[str, Any]], asked: argparse.Namespace) -> dict[str, Any]:
    """Run one side in a process of its own and print its row."""
    found = run_apart(side, asked)
    sizes = f"{found['queries']:,} | {found['documents']:,} | {found['features']:,} | {found['pairs']:,}"
    print(f"| {name} | {sizes} | {found['seconds']:.2f} | {found['processor']:.2f} | {found['memory']:,.0f} |")
    return found


def run_apart(side: Callable[..., dict[str, Any]], asked: argparse.Namespace) -> dict[str, Any]:
    here, there = multiprocessing.get_context("spawn").Pipe()
    work = multiprocessing.get_context("spawn").Process(target=_answered, args=(there, side, asked))
    work.start()
    there.close()  # so that a side that fails ends this one too
    found: dict[str, Any] = here.recv()
    work.join()
    return found


def _answered(answer: Connection, side: Callable[..., dict[str, Any]], asked: argparse.Namespace) -> None:
    answer.send(side(asked))


def one_pass(asked: argparse.Namespace) -> dict[str, Any]:
    given = case(asked)
    return timed(lambda: _values(given), given)


def analysis(asked: argparse.Namespace) -> dict[str, Any]:
    given = case(asked)
    found: dict[str, int] = {}

    def work() -> None:
        made = faithfulness(*given)
        found.update({verdict: made.count(verdict) for verdict in dict.fromkeys(made.verdict)})

    return timed(work, given) | {"verdicts": ", ".join(f"{n:,} {verdict}" for verdict, n in found.items())}


def curves(asked: argparse.Namespace) -> dict[str, Any]:
    given = case(asked)
    return timed(lambda: cumulative_curves(*given), given)


def again(asked: argparse.Namespace) -> dict[str, Any]:
    """Search again for features of every frequency, evenly from the one that fires on most queries to the rarest."""
    given = case(asked)
    sae, documents = given[0], given[3]
    found = case_of(*given)
    quick = _values(given)
    fires = np.unique(found.codes.features)
    often = fires[np.argsort(-np.bincount(found.codes.features)[fires], kind="stable")]
    often = often[np.linspace(0, len(often) - 1, asked.slow_features).astype(int)]
    difference, pairs = 0.0, 0

    def work() -> None:
        nonlocal difference, pairs
        for feature in often.tolist():
            rows, activations = found.codes.firing(feature)
            taken = found.asked[rows].astype(np.float64)
            taken -= activations.astype(np.float64)[:, None] * sae.decoder_weights[feature]
            some = found.queries.select(rows)
            run = search(taken, documents, 10, tie_order=found.queries.tie_order)
            slow = query_metrics(judged_ranks(some, run), cutoffs=(10,)).column("ndcg@10")
            difference = max(difference, float(np.abs(slow - quick[found.codes.features == feature]).max()))
            pairs += len(rows)

    return timed(work, given) | {"difference": difference, "pairs": pairs}


def timed(work: Callable[[], object], given: Given) -> dict[str, Any]:
    """Seconds by the clock and of the processor, and peak memory above what is held now."""
    small = _first(given, 20)
    faithfulness(*small, resamples=10)  # imports
    codes = case_of(*given).codes
    started, used, held = time.perf_counter(), time.process_time(), peak()
    work()
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - used,
        "memory": peak() - held,
        "queries": len(given[2]),
        "documents": len(given[3]),
        "features": len(np.unique(codes.features)),
        "pairs": len(codes.features),
    }


def peak() -> float:
    """Most memory that this process ever held, MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def _values(given: Given) -> Any:
    """NDCG@10 of each query without each of its features."""
    found = case_of(*given)
    return found.ndcg(ranks_of(without_each(found.codes, found.sae.decoder_weights), found))


def case(asked: argparse.Namespace) -> Given:
    """The dictionary, the query set, vectors of queries and of documents."""
    sae = load(SAMPLE_FOLDER / "sae")
    if asked.set:
        queries = _public(asked)
        checkpoint = describe(PACKAGED, policy=Policy())
        made = [
            embed(texts, checkpoint, lambda: open_encoder(checkpoint, policy=Policy()), default_store(), role=role)
            for texts, role in ((queries.queries, "query"), (queries.documents, "document"))
        ]
        return sae, queries, np.asarray(made[0].vectors), np.asarray(made[1].vectors)
    q, n = asked.queries, asked.documents
    rng = np.random.default_rng(0)
    documents = np.empty((n, sae.dimensions), dtype=np.float32)
    for row in range(n):
        chosen = rng.choice(sae.features, 64, replace=False)
        documents[row] = sae.decoder_bias + rng.exponential(0.1, 64) @ sae.decoder_weights[chosen]
    vectors = (documents[:q] + 0.1 * rng.normal(size=(q, sae.dimensions))).astype(np.float32)
    return sae, _made_up(q, n), _unit(vectors), _unit(documents)


def _embedded(asked: argparse.Namespace) -> dict[str, Any]:
    case(asked)
    return {}


def _public(asked: argparse.Namespace) -> QuerySet:
    """The first queries of a set, and as many documents, those that are relevant among them."""
    tables = open_query_files(asked.set, limits=Limits.from_environment())
    found = build_query_set(tables)
    part = found.select(range(min(asked.queries, len(found.queries))))
    judged = np.unique(part.judged_document)
    others = np.setdiff1d(np.arange(len(found.documents)), judged)[: max(0, asked.documents - len(judged))]
    kept = np.sort(np.concatenate([judged, others]))
    return QuerySet(
        name=part.name,
        queries=part.queries,
        query_ids=part.query_ids,
        documents=tuple(found.documents[row] for row in kept),
        document_ids=tuple(found.document_ids[row] for row in kept),
        judged_query=part.judged_query,
        judged_document=np.searchsorted(kept, part.judged_document),
        relevance=part.relevance,
    )


def _made_up(q: int, n: int) -> QuerySet:
    rows = np.arange(q)
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(f"document {row}" for row in range(n)),
        document_ids=tuple(f"d{row}" for row in range(n)),
        judged_query=rows,
        judged_document=rows,
        relevance=np.ones(q, dtype=np.int64),
    )


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _first(given: Given, most: int) -> Given:
    sae, queries, vectors, documents = given
    return sae, queries.select(range(min(most, len(vectors)))), vectors[:most], documents


if __name__ == "__main__":
    main()
