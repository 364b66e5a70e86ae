"""Geometry side by side: lib.geometry against what scikit-learn offers for the same questions, in one process.

    python -m benchmarks.geometry [--rows 100000 1000000] [--dimensions 384] [--rounds 3]

Embeddings are made up (20 topics over a falling spectrum), lie in a file of float32 and are memory-mapped. Both sides
take turns; the shortest time of the rounds counts. Memory is the largest growth of anonymous memory (Linux), since
mapped pages of the file can be taken back by the system at any time. A ratio above 1 means that this project is faster.

scikit-learn's mean cosine and silhouette are taken on samples, because all pairs of 100,000 texts would take minutes
and those of 1,000,000 hours; ours are over every pair.
"""

import argparse
import ctypes
import gc
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lib.geometry import anisotropy, label_fit, measure, moments, neighbours
from lib.geometry.vectors import sample_rows

LABELS = 20
COSINE_SAMPLE, SILHOUETTE_SAMPLE = 5_000, 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes to measure")
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default 3)")
    options = parser.parse_args()
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "embeddings.f32"
            write(path, rows, options.dimensions)
            embeddings = np.memmap(path, dtype=np.float32, mode="r", shape=(rows, options.dimensions))
            run(embeddings, [f"topic {row % LABELS}" for row in range(rows)], options.rounds)


def write(path: Path, rows: int, dimensions: int) -> None:
    """Embeddings of LABELS topics in turn, off centre, with a falling spectrum."""
    rng = np.random.default_rng(0)
    scale = (4 / np.sqrt(1 + np.arange(dimensions))).astype(np.float32)
    topics = rng.normal(size=(LABELS, dimensions)).astype(np.float32) * np.float32(0.6) + np.float32(0.3)
    with path.open("wb") as file:
        for start in range(0, rows, 20_000):
            own = np.arange(start, min(start + 20_000, rows)) % LABELS
            file.write((rng.standard_normal((len(own), dimensions), dtype=np.float32) * scale + topics[own]).tobytes())


def run(embeddings: np.ndarray, labels: list[str], rounds: int) -> None:
    """Time each question on both sides in turn and print a table."""
    n, d = embeddings.shape
    measure(np.array(embeddings[:2_000]), labels[:2_000])  # imports, threads
    asked = sample_rows(n, 1_000, seed=0)
    nearest = neighbours(embeddings)
    compared, scored = (min(size, n) for size in (COSINE_SAMPLE, SILHOUETTE_SAMPLE))
    questions: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "principal components": (lambda: moments(embeddings).spectrum, lambda: sk_components(embeddings)),
        f"mean cosine (theirs: {compared:,} texts; ours: centred and histograms too)": (
            lambda: anisotropy(embeddings),
            lambda: sk_mean_cosine(embeddings),
        ),
        f"10 nearest of {len(asked):,} texts": (
            lambda: neighbours(embeddings, 10, exact_up_to=0),
            lambda: sk_neighbours(embeddings, asked),
        ),
        f"silhouette (theirs: {scored:,} texts; ours: purity too)": (
            lambda: label_fit(embeddings, labels, nearest=nearest),
            lambda: sk_silhouette(embeddings, labels),
        ),
    }
    four = [theirs for _, theirs in questions.values()]
    questions["all numbers of the page (theirs: the four above)"] = (
        lambda: measure(embeddings, labels),
        lambda: [theirs() for theirs in four],
    )
    print(f"\n{n:,} x {d}, memory-mapped\n")
    print("| question | lib.geometry, s | MB | scikit-learn, s | MB | ratio |")
    print("|---|---|---|---|---|---|")
    for name, (ours, theirs) in questions.items():
        turns = [(cost(ours), cost(theirs)) for _ in range(rounds)]
        own, other = best([turn[0] for turn in turns]), best([turn[1] for turn in turns])
        figures = f"{own[0]:.2f} | {own[1]:.0f} | {other[0]:.2f} | {other[1]:.0f} | {other[0] / own[0]:.1f}"
        print(f"| {name} | {figures} |", flush=True)


def sk_components(embeddings: np.ndarray) -> object:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import normalize

    return PCA().fit(normalize(embeddings)).explained_variance_


def sk_mean_cosine(embeddings: np.ndarray) -> float:
    from sklearn.metrics.pairwise import cosine_similarity

    cosines = cosine_similarity(embeddings[sample_rows(len(embeddings), COSINE_SAMPLE, seed=0)])
    return float(cosines[np.triu_indices(len(cosines), k=1)].mean())


def sk_neighbours(embeddings: np.ndarray, asked: np.ndarray) -> object:
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=11, metric="cosine", algorithm="brute").fit(embeddings)  # 11: itself and 10
    return index.kneighbors(embeddings[asked])


def sk_silhouette(embeddings: np.ndarray, labels: list[str]) -> float:
    from sklearn.metrics import silhouette_score

    size = min(SILHOUETTE_SAMPLE, len(embeddings))
    return float(silhouette_score(embeddings, labels, metric="cosine", sample_size=size, random_state=0))


def best(turns: list[tuple[float, float]]) -> tuple[float, float]:
    """The shortest time and the largest memory."""
    return min(turn[0] for turn in turns), max(turn[1] for turn in turns)


def cost(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds that `call` takes and the megabytes by which anonymous memory grows at most meanwhile."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier calls freed is given back first
    before = peak = anonymous()
    stop = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.01):
            peak = max(peak, anonymous())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    call()
    seconds = time.perf_counter() - started
    stop.set()
    watcher.join()
    return seconds, peak - before


def anonymous() -> float:
    """Anonymous memory of this process, in megabytes."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1_000
    raise SystemExit("This benchmark reads /proc/self/smaps_rollup, which needs Linux.")


if __name__ == "__main__":
    main()
