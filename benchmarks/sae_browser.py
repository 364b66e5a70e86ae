"""The feature browser on a large corpus, from stored codes: `python -m benchmarks.sae_browser [--texts 100000]`.

Codes are made up: 64 of 4,096 features a text, their frequencies spread as those of a trained dictionary are, ten
labels. Timed is what the Browser does before its first picture: read the codes from the shelf, count every feature and
every label, rank; then what a click adds (the first one sorts the codes by feature). Memory is the process's peak less
what it held before the codes were read.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lib.sae.codes import Codes
from lib.sae.examples import activation_histogram, examples
from lib.sae.label_lift import label_lift
from lib.sae.neighbours import nearest_features
from lib.sae.statistics import feature_statistics, rank_features
from lib.shelf import Shelf

LABELS, DIMENSIONS = 10, 384
INPUTS = {"benchmark": "sae_browser"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=4_096)
    parser.add_argument("--active", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3, help="processes; the shortest time counts (default 3)")
    parser.add_argument("--shelf", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.shelf:
        measure(options.shelf, options.features)
        return
    with tempfile.TemporaryDirectory() as folder:
        Shelf(Path(folder)).put(made_up(options.texts, options.features, options.active), INPUTS)
        command = [
            sys.executable,
            "-m",
            "benchmarks.sae_browser",
            "--shelf",
            folder,
            "--features",
            str(options.features),
        ]
        runs = [
            [
                line.split("\t")
                for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            ]
            for _ in range(options.rounds)
        ]
    print(f"{options.texts:,} texts x {options.active} of {options.features:,} features\n")
    print("| step | seconds |\n|---|---|")
    for at, (name, _) in enumerate(runs[0]):
        print(f"| {name} | {min(float(run[at][1]) for run in runs):.3g} |")


def made_up(m: int, n: int, k: int) -> Codes:
    """Codes with k features a text, drawn without repetition by weights that fall as a power of their rank."""
    generator = np.random.default_rng(0)
    weights = np.log(1 / np.arange(1, n + 1) ** 0.7)
    features = np.empty((m, k), dtype=np.int32)
    for start in range(0, m, 4_096):
        rows = slice(start, min(start + 4_096, m))
        noisy = weights + generator.gumbel(size=(rows.stop - start, n))
        features[rows] = np.sort(np.argpartition(-noisy, k, axis=1)[:, :k], axis=1)
    activations = generator.gamma(2, 0.05, size=m * k).astype(np.float32) + 1e-3
    return Codes(np.arange(m + 1, dtype=np.int64) * k, features.ravel(), activations, n)


def measure(shelf: Path, n: int) -> None:
    """Time every step in this fresh process, and print them with tabs."""
    from lib.sae.autoencoder import SparseAutoencoder

    directions = np.random.default_rng(1).normal(size=(n, DIMENSIONS)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    zeros = np.zeros(n, np.float32)
    sae = SparseAutoencoder(directions.T, zeros, directions, np.zeros(DIMENSIONS, np.float32), "topk", k=64)
    before, begun = peak(), time.perf_counter()

    def tell(name: str) -> None:
        nonlocal begun
        print(f"{name}\t{time.perf_counter() - begun}")
        begun = time.perf_counter()

    codes = Shelf(shelf).get(Codes, INPUTS)
    assert codes is not None
    tell("read the stored codes")
    labels = [f"label {row % LABELS}" for row in range(len(codes))]
    texts = [f"text {row}" for row in range(len(codes))]
    begun = whole = time.perf_counter()
    statistics = feature_statistics(codes, labels=labels)
    tell("statistics of every feature and label")
    ranked = rank_features(statistics)
    tell("rank")
    print(f"**open, after reading**\t{time.perf_counter() - whole}")
    begun = time.perf_counter()
    for at, name in ((0, "first click"), (len(ranked) // 2, "another click")):
        feature = int(ranked[at])
        examples(codes, feature, texts=texts)
        activation_histogram(codes, feature)
        nearest_features(sae, feature, 8)
        assert statistics.labels is not None
        label_lift(statistics.labels, feature)
        tell(name)
    print(f"memory, GB\t{(peak() - before) / 1e9}")


def peak() -> int:
    """Most bytes that this process has held, since it began (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1_024


if __name__ == "__main__":
    main()
