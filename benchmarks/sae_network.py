"""The co-activation network of a large dictionary: time and memory, beside what one would write by hand.

    python -m benchmarks.sae_network [--texts 100000] [--features 16384] [--active 64] [--shown 300]

Made-up codes, features of very uneven frequency (a power law), so many on every text. First the counting alone: all
pairs of features that share one text in a thousand or more, in sparse blocks, beside scipy's product of the whole
matrix with its transpose; both sides have to find the same pairs and counts. Then a network of the strongest features
with clusters, layout and shuffled networks, beside `numpy.corrcoef` of a dense matrix of the same features, which gives
the correlations only; these have to agree. Each side runs in a process of its own, whose peak memory is told above what
it held before it began.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np

from benchmarks.sae_diagnostics import made_up, peak
from lib.sae.coactivation import coactivation_pairs, firing_counts
from lib.sae.codes import Codes
from lib.sae.network import network

SHARE = 0.001  # of the texts, that a pair has to share
THRESHOLD = 0.005  # of a correlation: 1.6 standard errors, as these features fire independently
Work = Callable[[Codes, int], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=16_384)
    parser.add_argument("--active", type=int, default=64, help="features a text (default 64)")
    parser.add_argument("--shown", type=int, default=300, help="features of the network (default 300)")
    asked = parser.parse_args()
    print(f"{asked.texts:,} texts, {asked.features:,} features, {asked.active} a text\n")
    print("| side | seconds | of processor | peak above start, MB | found |")
    print("|---|---|---|---|---|")
    size = (asked.texts, asked.features, asked.active, asked.shown)
    ours = row("all pairs, lib.sae.coactivation", counted, size)
    theirs = row("all pairs, scipy X.T @ X", whole_product, size)
    if ours != theirs:
        raise SystemExit("The two sides count differently.")
    row(f"network of {asked.shown}, without shuffles", plain_network, size)
    made = row(f"network of {asked.shown} with 20 shuffles", shuffled_network, size)
    dense = row(f"numpy.corrcoef of {asked.shown} dense columns", dense_correlation, size)
    if made != dense:
        raise SystemExit("The two sides correlate differently.")


def row(name: str, work: Work, size: tuple[int, int, int, int]) -> object:
    """Run one side in a process of its own and print its row."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=measured, args=(there, work, size))
    process.start()
    seconds, processor, memory, (count, found) = here.recv()
    process.join()
    print(f"| {name} | {seconds:.2f} | {processor:.2f} | {memory:,.0f} | {count:,} |", flush=True)
    return count, found


def measured(answer: Connection, work: Work, size: tuple[int, int, int, int]) -> None:
    codes = made_up(*size[:3])
    codes = Codes(codes.starts, codes.features, strengths(len(codes.features)), codes.width)
    coactivation_pairs(codes.select(np.arange(2)))  # imports scipy
    started, used, held = time.perf_counter(), time.process_time(), peak()
    found = work(codes, size[3])
    answer.send((time.perf_counter() - started, time.process_time() - used, peak() - held, found))


def strengths(count: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.2, 1.0, count).astype(np.float32)


def counted(codes: Codes, _: int) -> object:
    pairs = coactivation_pairs(codes, min_both=int(SHARE * len(codes)), ordered=False)
    return len(pairs), int((pairs.a.astype(np.int64) * pairs.b + pairs.both).sum())


def whole_product(codes: Codes, _: int) -> object:
    ones = codes.matrix.astype(bool).astype(np.int32)
    both = (ones.T @ ones).tocoo()
    kept = (both.row < both.col) & (both.data >= int(SHARE * len(codes)))
    return int(kept.sum()), int((both.row[kept].astype(np.int64) * both.col[kept] + both.data[kept]).sum())


def plain_network(codes: Codes, shown: int) -> object:
    made = network(codes, most=shown, threshold=THRESHOLD, shuffles=0)
    return made.passed, 0


def shuffled_network(codes: Codes, shown: int) -> object:
    made = network(codes, most=shown, threshold=THRESHOLD)
    return made.passed, round(float(made.weight[0]), 9)


def dense_correlation(codes: Codes, shown: int) -> object:
    total = np.bincount(codes.features, codes.activations, minlength=codes.width)
    total[firing_counts(codes) >= 0.5 * len(codes)] = 0
    chosen = np.argsort(-total, kind="stable")[:shown]
    matrix = codes.matrix[:, chosen].toarray().astype(np.float64)
    found = np.corrcoef(matrix.T)[np.triu_indices(shown, 1)]
    return int((found >= THRESHOLD).sum()), round(float(found.max()), 9)


if __name__ == "__main__":
    main()
