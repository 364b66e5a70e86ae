"""NDCG@10 and recall@10 on public sets: the packaged encoder, its first dimensions alone, BM25, late interaction.

    python -m benchmarks.retrieval_sets FOLDER [--store FOLDER] [--sets NAME ...] [--into docs/retrieval.md]

FOLDER holds one folder a set (see benchmarks/public_sets.py). Prints Markdown tables, and with --into puts them between
the two marks of that file. Vectors are kept in the embedding store, so a second run encodes nothing.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measured import put
from benchmarks.public_sets import PublicSet, read_sets
from lib.embeddings import embed
from lib.encoders import PACKAGED, Encoder, Policy, describe, open_encoder
from lib.retrieval import QueryMetrics, Run, Summary, judged_ranks, paired_test, query_metrics, search, summarise
from lib.retrieval.bm25 import BM25, Bm25Index
from lib.store import EmbeddingStore, default_store

CUTS = (256, 128, 64)
DEPTH = 100
MOST_RERANKED = 1_100  # documents up to which a set is also reranked token by token
MINILM, LATE = "MiniLM, 384", "MaxSim"
SYSTEMS = (MINILM, *(f"first {cut}" for cut in CUTS), BM25, LATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the sets are")
    parser.add_argument("--store", type=Path, help="folder of the embedding store (default: the app's)")
    parser.add_argument("--sets", nargs="+", help="beginnings of the names of the sets wanted (default: all)")
    parser.add_argument("--into", type=Path, help="Markdown file whose measured part is replaced")
    options = parser.parse_args()
    store = EmbeddingStore(options.store, capacity=10**10) if options.store else default_store()
    policy = Policy(allow_hub=False)
    encoder = open_encoder(PACKAGED, policy=policy)
    found: dict[str, dict[str, QueryMetrics]] = {}
    sets = [one for one in read_sets(options.folder) if _wanted(one.name, options.sets)]
    for one in sets:
        found[one.name] = measure(one, encoder, store)
    text = "\n".join(report(sets, found))
    print(text)
    if options.into:
        put(text, options.into)


def _wanted(name: str, beginnings: Sequence[str] | None) -> bool:
    return not beginnings or name.lower().startswith(tuple(beginning.lower() for beginning in beginnings))


def measure(one: PublicSet, encoder: Encoder, store: EmbeddingStore) -> dict[str, QueryMetrics]:
    """Metrics of every system on a set; tells on standard error what took how long."""
    checkpoint = describe(PACKAGED, policy=Policy(allow_hub=False))
    documents = embed(one.queries.documents, checkpoint, lambda: encoder, store)
    asked = embed(one.asked, checkpoint, lambda: encoder, store, role="query")
    _say(f"{one.name}: {documents.truncated} of {len(one.queries.documents)} documents cut, {asked.truncated} queries")
    runs = {MINILM: _by_vectors(one, asked.vectors, documents.vectors)}
    runs |= {f"first {cut}": _by_vectors(one, asked.vectors[:, :cut], documents.vectors[:, :cut]) for cut in CUTS}
    runs[BM25] = _by_words(one)
    if len(one.queries.documents) <= MOST_RERANKED:
        runs[LATE] = _late(one, runs[MINILM], encoder)
    return {name: query_metrics(judged_ranks(one.queries, run), cutoffs=(2, 10)) for name, run in runs.items()}


def _by_vectors(one: PublicSet, asked: NDArray[np.floating], documents: NDArray[np.floating]) -> Run:
    """Exact search by cosine; a set with a filter is searched whole first."""
    asked, documents = np.ascontiguousarray(asked), np.ascontiguousarray(documents)
    depth = DEPTH if one.only is None else len(documents)
    return one.narrow(search(asked, documents, depth, tie_order=one.queries.tie_order))


def _by_words(one: PublicSet) -> Run:
    index = Bm25Index(one.queries.documents)
    started = time.perf_counter()
    run = index.search(one.asked, DEPTH if one.only is None else index.documents, tie_order=one.queries.tie_order)
    seconds = time.perf_counter() - started
    _say(f"  BM25: indexed in {index.seconds:.2f} s, {index.bytes / index.documents:.0f} bytes a document, "
         f"{len(one.asked) / seconds:.0f} queries/s")  # fmt: skip
    return one.narrow(run)


def _late(one: PublicSet, run: Run, encoder: Encoder) -> Run:
    from lib.retrieval.late import maxsim_rerank

    made = maxsim_rerank(one.queries, run, encoder, top=DEPTH)
    _say(f"  MaxSim: {made.documents} documents in {made.seconds:.0f} s, {made.bytes_per_document / 1e3:.0f} kB each")
    return made.run


def report(sets: Sequence[PublicSet], found: dict[str, dict[str, QueryMetrics]]) -> Iterable[str]:
    """Lines of Markdown: a table for each metric, the encoder against BM25, and LIMIT by itself."""
    for metric in ("ndcg@10", "recall@10"):
        yield f"### {metric.upper() if metric.startswith('ndcg') else 'Recall@10'}"
        yield "| set | queries | documents | " + " | ".join(SYSTEMS) + " |"
        yield "|---|---|---|" + "---|" * len(SYSTEMS)
        for one in sets:
            cells = [_cell(found[one.name].get(name), metric) for name in SYSTEMS]
            sizes = f"{len(one.queries.queries):,} | {len(one.queries.documents):,}"
            yield f"| {one.name} | {sizes} | " + " | ".join(cells) + " |"
        yield ""
    yield from _against_bm25(found)
    yield from _limit(found)


def _cell(metrics: QueryMetrics | None, metric: str) -> str:
    return "" if metrics is None else _figure(_summary(metrics, metric))


def _summary(metrics: QueryMetrics, metric: str) -> Summary:
    return next(one for one in summarise(metrics) if one.metric == metric)


def _figure(one: Summary) -> str:
    return f"{one.mean:.3f} ({one.low:.3f}–{one.high:.3f})".replace("0.", ".")


def _against_bm25(found: dict[str, dict[str, QueryMetrics]]) -> Iterable[str]:
    yield "### The encoder against BM25, query by query (NDCG@10)"
    yield "| set | difference (95 % interval) | p | encoder ahead | equal | BM25 ahead |"
    yield "|---|---|---|---|---|---|"
    for name, systems in found.items():
        test = paired_test(systems[BM25], systems[MINILM], "ndcg@10")
        yield (
            f"| {name} | {test.difference:+.3f} ({test.low:+.3f} to {test.high:+.3f}) | {_p(test.p_value)} | "
            f"{test.wins:,} | {test.ties:,} | {test.losses:,} |"
        )
    yield ""


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".replace("0.", ".")


def _limit(found: dict[str, dict[str, QueryMetrics]]) -> Iterable[str]:
    name = next((name for name in found if name.startswith("LIMIT")), None)
    if name is None:
        return
    yield "### LIMIT small: both documents of each query"
    yield "| system | Recall@2 | Recall@10 | NDCG@10 |"
    yield "|---|---|---|---|"
    for system, metrics in found[name].items():
        cells = [_figure(_summary(metrics, metric)) for metric in ("recall@2", "recall@10", "ndcg@10")]
        yield f"| {system} | " + " | ".join(cells) + " |"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
