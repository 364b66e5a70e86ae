"""Retrieval metrics side by side: lib.retrieval against pytrec_eval and ranx, in one process.

    python -m benchmarks.metrics [--queries 5000] [--depth 100] [--documents 100000] [--rounds 5]

Runs and graded judgements are made up. All sides give the same 14 numbers a query: Recall, hit rate, precision and NDCG
at 1, 5 and 10, MRR and MAP. They take turns; the shortest time of the rounds counts. A search returns arrays: "from a
search" begins there, and for the others includes building the dictionaries that they take. "Prepared" begins with what
each can keep: ranks of judged documents here, the evaluator and dictionaries of pytrec_eval, ranx's own Qrels and Run.
ranx compiles on first use, which is told apart. It is not needed otherwise: pip install ranx, if you want it measured.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lib.corpora import QuerySet
from lib.retrieval import QueryMetrics, Run, judged_ranks, query_metrics

CUTOFFS = (1, 5, 10)
THEIRS = {"recall": "recall", "hit": "success", "precision": "P", "ndcg": "ndcg_cut", "mrr": "recip_rank", "map": "map"}
RANX = {"hit": "hit_rate"}
JUDGED = 20
Dicts = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=5_000)
    parser.add_argument("--depth", type=int, default=100, help="documents in each ranking (default 100)")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each; the shortest counts (default 5)")
    options = parser.parse_args()
    queries, run = made_up(options.queries, options.documents, options.depth)
    metrics = query_metrics(judged_ranks(queries, run), cutoffs=CUTOFFS)
    sides = [lib_side(queries, run), pytrec_side(queries, run, metrics)]
    try:
        sides.append(ranx_side(queries, run, metrics))
    except ImportError as missing:
        print(f"ranx is left out: {missing}. `pip install ranx` brings it.\n")
    turns = [[(seconds(search), seconds(ready)) for _, search, ready in sides] for _ in range(options.rounds)]
    best = np.array(turns).min(axis=0)
    print(f"{options.queries:,} queries x top {options.depth}, {len(queries.relevance):,} graded judgements\n")
    print("| side | from a search, s | ratio | prepared, s | ratio |\n|---|---|---|---|---|")
    for (name, *_), (search, ready) in zip(sides, best, strict=True):
        print(f"| {name} | {search:.4f} | {search / best[0, 0]:.1f} | {ready:.4f} | {ready / best[0, 1]:.1f} |")


def made_up(q: int, n: int, depth: int) -> tuple[QuerySet, Run]:
    """A query set of grades 0 to 3 and a run that finds about half of the judged documents."""
    rng = np.random.default_rng(0)
    documents = np.array([rng.choice(n, depth, replace=False) for _ in range(q)])
    judged = np.array([rng.choice(n, JUDGED, replace=False) for _ in range(q)])
    half = JUDGED // 2
    judged[:, :half] = rng.permuted(documents, axis=1)[:, :half]
    pairs = np.unique(np.repeat(np.arange(q), JUDGED) * n + judged.ravel())
    queries = QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(f"text {row}" for row in range(n)),
        document_ids=tuple(f"d{row}" for row in range(n)),
        judged_query=pairs // n,
        judged_document=pairs % n,
        relevance=rng.integers(0, 4, size=len(pairs)),
    )
    scores = -np.sort(-rng.random((q, depth), dtype=np.float32), axis=1)
    order = np.lexsort((queries.tie_order[documents], -scores), axis=1)
    return queries, Run("made up", np.take_along_axis(documents, order, 1), scores, n)


Side = tuple[str, Callable[[], object], Callable[[], object]]


def lib_side(queries: QuerySet, run: Run) -> Side:
    """Name, the work from what a search returns, and from what can be kept."""
    kept = judged_ranks(queries, run)
    return (
        "lib.retrieval",
        lambda: query_metrics(judged_ranks(queries, run), cutoffs=CUTOFFS),
        lambda: query_metrics(kept, cutoffs=CUTOFFS),
    )


def pytrec_side(queries: QuerySet, run: Run, metrics: QueryMetrics) -> Side:
    """The same with pytrec_eval; the numbers have to be ours."""
    import pytrec_eval

    listed = ",".join(map(str, CUTOFFS))
    wanted = {f"{THEIRS[name]}.{listed}" for name in ("recall", "hit", "precision", "ndcg")} | {"recip_rank", "map"}
    evaluator, kept = pytrec_eval.RelevanceEvaluator(queries.qrels(), wanted), scores_of(queries, run)
    found = evaluator.evaluate(kept)
    for name in metrics.names:
        kind, *k = name.split("@")
        if kind == "mrr" and k:
            continue  # pytrec_eval has the reciprocal rank of the whole run alone
        compare(name, metrics, [found[queries.query_ids[row]]["_".join([THEIRS[kind], *k])] for row in metrics.query])

    def from_search() -> object:
        return pytrec_eval.RelevanceEvaluator(queries.qrels(), wanted).evaluate(scores_of(queries, run))

    return "pytrec_eval", from_search, lambda: evaluator.evaluate(kept)


def ranx_side(queries: QuerySet, run: Run, metrics: QueryMetrics) -> Side:
    """The same with ranx; says how long its first call takes."""
    from ranx import Qrels, evaluate
    from ranx import Run as Ranked

    names = ["@".join([RANX.get(kind, kind), *k]) for kind, *k in (name.split("@") for name in metrics.names)]
    given, kept = Qrels.from_dict(queries.qrels()), Ranked.from_dict(scores_of(queries, run))
    started = time.perf_counter()
    evaluate(given, kept, names)
    print(f"ranx, first call, with compiling: {time.perf_counter() - started:.1f} s\n")
    for name, theirs in zip(metrics.names, names, strict=True):
        compare(name, metrics, [kept.scores[theirs][queries.query_ids[row]] for row in metrics.query])

    def from_search() -> object:
        made = Qrels.from_dict(queries.qrels()), Ranked.from_dict(scores_of(queries, run))
        return evaluate(*made, names, save_results_in_run=False)

    return "ranx (compiled)", from_search, lambda: evaluate(given, kept, names, save_results_in_run=False)


def scores_of(queries: QuerySet, run: Run) -> Dicts:
    """The run as query id to document id to score."""
    names = queries.document_ids
    rows = zip(queries.query_ids, run.documents.tolist(), run.scores.tolist(), strict=True)
    return {query: {names[d]: s for d, s in zip(found, scores, strict=True)} for query, found, scores in rows}


def compare(name: str, metrics: QueryMetrics, theirs: object) -> None:
    """Both sides have to agree, or the times mean nothing."""
    apart = np.abs(metrics.column(name) - np.asarray(theirs, dtype=float)).max()
    if apart > 1e-9:
        raise SystemExit(f"{name} differs by {apart:.3g}")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
