"""The embedding store against encoding again: reopening a corpus, and adding a tenth to it.

    python -m benchmarks.store [--rows 100000] [--sample 500] [--rounds 3]

Texts are put together from the words of the sample corpus, with its lengths. Encoding is really timed on a sample of
them and extrapolated. Each reopening runs in a process of its own, after its imports: hashing every text, finding its
row, checking the file and mapping it. For "cold" the system is asked to forget the file first.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from lib.embeddings import embed
from lib.encoders import PACKAGED, Encoded, Encoder, Policy, describe, open_encoder
from lib.store import EmbeddingStore

ROOT = Path(__file__).parent.parent
CAPACITY = 10**11
TARGET = 0.01


class MadeUp:
    """Stands for the encoder where only the store is timed: random unit vectors, and the seconds they took."""

    def __init__(self, dimensions: int) -> None:
        self.rng, self.dimensions, self.seconds = np.random.default_rng(0), dimensions, 0.0

    def encode(self, texts: Sequence[str], **_settings: object) -> Encoded:
        """As `Encoder.encode`."""
        started = time.perf_counter()
        vectors = self.rng.standard_normal((len(texts), self.dimensions), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.seconds += time.perf_counter() - started
        return Encoded(vectors, 0, np.zeros(len(texts), dtype=bool), len(texts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="texts in the corpus (default 100000)")
    parser.add_argument("--sample", type=int, default=500, help="texts that are really encoded (default 500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each; the shortest counts (default 3)")
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)  # what the processes of their own do
    parser.add_argument("--shuffled", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reopen:
        print(reopen(options.reopen, options.rows, shuffled=options.shuffled))
    else:
        run(options.rows, options.sample, options.rounds)


def texts_of(rows: int) -> list[str]:
    """Distinct texts, the first ones the same for any number of rows."""
    rng = random.Random(0)  # noqa: S311
    lines = (ROOT / "sample_data" / "topics.jsonl").read_text(encoding="utf-8").splitlines()
    words = [json.loads(line)["text"].split() for line in lines]
    every = [word for text in words for word in text]
    return [f"{number} {' '.join(rng.choices(every, k=len(rng.choice(words))))}" for number in range(rows)]


def run(rows: int, sample: int, rounds: int) -> None:
    """Measure and print a table."""
    policy = Policy(allow_hub=False)
    checkpoint = describe(PACKAGED, policy=policy)
    texts, more = texts_of(rows + rows // 10), rows // 10
    per_text = encoding_seconds(texts, sample, rounds, policy)
    made_up = MadeUp(checkpoint.dimensions)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore(Path(folder), capacity=CAPACITY)

        def keep(count: int) -> float:
            """Seconds that the store itself takes to embed the first `count` texts."""
            made_up.seconds, started = 0.0, time.perf_counter()
            embed(texts[:count], checkpoint, lambda: cast(Encoder, made_up), store)
            return time.perf_counter() - started - made_up.seconds

        shown = []
        shown.append(("write them the first time", keep(rows), rows))
        best = partial(shortest, store, rounds)
        shown.append(("reopen, same order (mapped)", best(rows), rows))
        shown.append(("reopen, same order, cold", best(rows, cold=True), rows))
        shown.append(("reopen, shuffled (gathered)", best(rows, shuffled=True), rows))
        shown.append((f"add {more:,} new ones: what the store takes", keep(rows + more), more))
        shown.append((f"reopen all {rows + more:,} (mapped)", best(rows + more), rows + more))
        size = store.size()
    print(f"{rows:,} texts x {checkpoint.dimensions}, {size / 1e6:.0f} MB on disk with the tenth that was added.")
    print(f"Encoding: {1 / per_text:.0f} texts/s over {sample} texts.\n")
    print("| what | store (s) | encoding as many (s) | share |\n|---|---|---|---|")
    for name, seconds, count in shown:
        print(f"| {name} | {seconds:.2f} | {count * per_text:.0f} | {seconds / (count * per_text):.2%} |")
    share = shown[1][1] / (rows * per_text)
    print(f"\nReopening takes {share:.2%} of encoding (target: under {TARGET:.0%}).")
    if share >= TARGET:
        sys.exit(1)


def encoding_seconds(texts: list[str], sample: int, rounds: int, policy: Policy) -> float:
    """Seconds a text, encoded with the packaged encoder; the shortest of some rounds."""
    encoder = open_encoder(PACKAGED, policy=policy)
    chosen = texts[:: max(1, len(texts) // sample)][:sample]
    encoder.encode(chosen[:32])  # first call: threads, buffers
    return min(timed(lambda: encoder.encode(chosen)) for _ in range(rounds)) / len(chosen)


def shortest(store: EmbeddingStore, rounds: int, rows: int, *, cold: bool = False, shuffled: bool = False) -> float:
    """Fewest seconds to reopen the first `rows` texts, in processes of their own."""
    command = [sys.executable, "-m", "benchmarks.store", "--reopen", str(store.root), "--rows", str(rows)]
    seconds = []
    for _ in range(rounds):
        if cold:
            forget(store.root)
        told = subprocess.run(command + ["--shuffled"] * shuffled, cwd=ROOT, check=True, capture_output=True)
        seconds.append(float(told.stdout))
    return min(seconds)


def reopen(folder: Path, rows: int, *, shuffled: bool) -> float:
    """Seconds from texts in memory to their vectors, none of which may be missing."""
    checkpoint, texts = describe(PACKAGED, policy=Policy(allow_hub=False)), texts_of(rows)
    if shuffled:
        random.Random(1).shuffle(texts)  # noqa: S311

    def refuse() -> Encoder:
        raise SystemExit("The store lost rows.")

    return timed(lambda: embed(texts, checkpoint, refuse, EmbeddingStore(folder, capacity=CAPACITY)))


def forget(folder: Path) -> None:
    """Ask the system to drop the files of `folder` from its cache, where it can be asked."""
    for path in folder.rglob("*.safetensors"):
        with path.open("rb") as file:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
