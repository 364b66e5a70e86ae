"""Search side by side: lib.retrieval.search against faiss, in one process.

    python -m benchmarks.search [--queries 5000] [--documents 100000] [--dimensions 384] [--k 100] [--rounds 5]

Vectors are made up (20 topics over a falling spectrum) and have length 1. Both sides take turns; the shortest time of
the rounds counts, the median of the rounds' own ratios stands beside it. A ratio below 1 means that this project is
faster. Memory is the largest growth of anonymous memory (Linux) while searching; the copy of the documents that a
faiss index holds comes on top of its figure.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from benchmarks.geometry import cost
from lib.retrieval import search

TOPICS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=5_000)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default 5)")
    parser.add_argument("--manhattan", action="store_true", help="time the Manhattan measure too: minutes")
    options = parser.parse_args()
    queries = vectors(options.queries, options.dimensions, seed=1)
    documents = vectors(options.documents, options.dimensions, seed=2)
    run(queries, documents, options.k, options.rounds, manhattan=options.manhattan)


def vectors(rows: int, dimensions: int, *, seed: int) -> np.ndarray:
    """Unit vectors of TOPICS topics in turn, with a falling spectrum."""
    rng, topics = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(TOPICS, dimensions))
    scale = 4 / np.sqrt(1 + np.arange(dimensions))
    made = rng.standard_normal((rows, dimensions), dtype=np.float32) * scale.astype(np.float32)
    made += 0.6 * topics[np.arange(rows) % TOPICS].astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def run(queries: np.ndarray, documents: np.ndarray, k: int, rounds: int, *, manhattan: bool) -> None:
    """Time each measure on both sides in turn and print a table."""
    import faiss

    (q, d), n = queries.shape, len(documents)
    flat, distances = faiss.IndexFlatIP(d), faiss.IndexFlatL2(d)
    flat.add(documents)
    distances.add(documents)
    sides: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "cosine": (lambda: search(queries, documents, k), lambda: flat.search(queries, k)),
        "dot": (lambda: search(queries, documents, k, measure="dot"), lambda: flat.search(queries, k)),
        "l2": (lambda: search(queries, documents, k, measure="l2"), lambda: distances.search(queries, k)),
    }
    same = np.mean(search(queries[:500], documents, k).documents == flat.search(queries[:500], k)[1])
    print(f"\n{q:,} queries x {n:,} documents x {d}, first {k}; the same document at {100 * same:.2f} % of places\n")
    print("| measure | lib.retrieval, s | MB | faiss flat, s | MB | ratio of the shortest | median ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, (ours, theirs) in sides.items():
        turns = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
        own, other = min(turn[0] for turn in turns), min(turn[1] for turn in turns)
        ratio = median(turn[0] / turn[1] for turn in turns)
        memory = cost(ours)[1], cost(theirs)[1]  # apart: watching memory slows what is watched
        figures = f"{own:.2f} | {memory[0]:.0f} | {other:.2f} | {memory[1]:.0f} | {own / other:.2f} | {ratio:.2f}"
        print(f"| {name} | {figures} |", flush=True)
    if manhattan:
        took, memory = cost(lambda: search(queries, documents, k, measure="manhattan"))
        print(f"| manhattan | {took:.1f} | {memory:.0f} | | | | |")


def seconds(call: Callable[[], object]) -> float:
    """Wall clock of `call`."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
