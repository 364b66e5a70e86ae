"""The scan for pairs of features that fire together: time and memory, and against a dense product.

    python -m benchmarks.sae_diagnostics [--texts 100000] [--features 16384] [--active 64] [--dense-features 4096]

Made-up codes: features of very uneven frequency (a power law), so many on every text. The scan counts, for every
feature on 20 texts or more, the texts that it shares with every other, and keeps pairs with P(B | A) >= .8, some of
which are planted. The dense side multiplies a matrix of 0 and 1, features x texts, with its transpose (float32, by
BLAS) on a dictionary of which the product still fits; both sides have to find the same pairs. Each runs in a process
of its own, whose peak memory is told above what it held before it began.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import Connection

import numpy as np

from lib.sae.coactivation import coactivation_pairs
from lib.sae.codes import Codes

PLANTED = 50
SUPPORT, THRESHOLD = 20, 0.8
Found = tuple[float, float, float, set[tuple[int, int]]]
"""Seconds by the clock and of the processor, peak memory in MB, the pairs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=16_384)
    parser.add_argument("--active", type=int, default=64, help="features a text (default 64)")
    parser.add_argument("--dense-features", type=int, default=4_096, help="features of the dense side (default 4,096)")
    parser.add_argument("--dense-texts", type=int, default=50_000, help="texts of the dense side (default 50,000)")
    asked = parser.parse_args()
    print("| side | texts | features | active | seconds | of processor | peak above start, MB | pairs |")
    print("|---|---|---|---|---|---|---|---|")
    row("lib.sae.coactivation", sparse, asked.texts, asked.features, asked.active)
    small = (asked.dense_texts, asked.dense_features, asked.active)
    ours = row("lib.sae.coactivation", sparse, *small)
    theirs = row("dense float32 product", dense, *small)
    if ours[3] != theirs[3]:
        raise SystemExit("The two sides differ.")
    print(f"\nThe dense side takes {theirs[0] / ours[0]:.1f} x the time and {theirs[2] / ours[2]:.1f} x the memory.")
    whole = (asked.texts + asked.features) * asked.features * 4 / 2**30
    print(f"At {asked.texts:,} x {asked.features:,} its matrices alone would hold {whole:.1f} GB.")


def row(name: str, side: object, texts: int, features: int, active: int) -> Found:
    """Run one side in a process of its own and print its row."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    work = multiprocessing.get_context("spawn").Process(target=side, args=(there, texts, features, active))
    work.start()
    found: Found = here.recv()
    work.join()
    seconds, processor, memory, pairs = found
    sizes = f"{texts:,} | {features:,} | {active}"
    print(f"| {name} | {sizes} | {seconds:.2f} | {processor:.2f} | {memory:,.0f} | {len(pairs):,} |")
    return found


def made_up(texts: int, features: int, active: int) -> Codes:
    """Codes with a power law of frequencies, and `PLANTED` features that fire where another one does."""
    rng = np.random.default_rng(0)
    weights = (np.arange(features) + 50.0) ** -0.7
    drawn = rng.choice(features, size=(texts, active), p=weights / weights.sum()).astype(np.int32)
    for subset in range(PLANTED):
        wide, narrow = features // 2 + subset, features - 1 - subset
        rows = np.flatnonzero((drawn == narrow).any(axis=1))
        drawn[rows, rng.integers(active, size=len(rows))] = wide
        drawn[rows, 0], drawn[rows, 1] = wide, narrow
    drawn.sort(axis=1)
    first = np.ones(drawn.shape, dtype=bool)
    first[:, 1:] = drawn[:, 1:] != drawn[:, :-1]
    starts = np.concatenate([[0], np.cumsum(first.sum(axis=1))])
    return Codes(starts, drawn[first], np.ones(int(first.sum()), np.float32), features)


def sparse(answer: Connection, texts: int, features: int, active: int) -> None:
    codes = made_up(texts, features, active)
    coactivation_pairs(codes.select(np.arange(2)), min_conditional=THRESHOLD)  # imports scipy
    started, used, held = time.perf_counter(), time.process_time(), peak()
    found = coactivation_pairs(codes, min_support=SUPPORT, min_conditional=THRESHOLD)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    answer.send((seconds, used, peak() - held, set(zip(found.a.tolist(), found.b.tolist(), strict=True))))


def dense(answer: Connection, texts: int, features: int, active: int) -> None:
    codes = made_up(texts, features, active)
    np.ones((64, 64), np.float32) @ np.ones((64, 64), np.float32)  # opens BLAS
    started, used, held = time.perf_counter(), time.process_time(), peak()
    fires = np.zeros((features, texts), dtype=np.float32)
    fires[codes.features, np.repeat(np.arange(texts), codes.active)] = 1
    both = fires @ fires.T
    counts = np.diag(both).copy()
    enough = (both >= np.maximum(1, np.ceil(THRESHOLD * counts - 1e-9))[:, None]) & (counts >= SUPPORT)[:, None]
    np.fill_diagonal(enough, val=False)
    pairs = set(zip(*(side.tolist() for side in np.nonzero(enough)), strict=True))
    seconds, used = time.perf_counter() - started, time.process_time() - used
    answer.send((seconds, used, peak() - held, pairs))


def peak() -> float:
    """Most memory that this process has held, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


if __name__ == "__main__":
    main()
