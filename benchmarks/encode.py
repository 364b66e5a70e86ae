"""Encode side by side: SentenceTransformer.encode against lib.encoders, on texts of mixed length.

    python -m benchmarks.encode [--corpus FILE.jsonl] [--texts 1000] [--rounds 3]

Contenders take turns within each round, so that a busy machine slows all of them alike. A ratio is the median over
rounds of theirs / ours, in seconds; above 1 this project is faster. Cosine errors are against sentence-transformers.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lib.encoders import PACKAGED, Policy, bfloat16_available, open_encoder, openvino_available

BATCH_SIZES = (8, 32, 64, 128)
DEFAULT_CORPUS = Path(__file__).parent.parent / "sample_data" / "topics.jsonl"


def main() -> None:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, action="append", help='JSONL with "text"; may be given several times')
    parser.add_argument("--texts", type=int, default=1000, help="texts drawn from the corpora (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender (default 3)")
    options = parser.parse_args()
    texts = draw(options.corpus or [DEFAULT_CORPUS], options.texts)
    run(texts, options.rounds)


def draw(corpora: list[Path], count: int) -> list[str]:
    """Distinct texts drawn in equal parts from the corpora, with a fixed seed."""
    rng = random.Random(0)  # noqa: S311
    texts: list[str] = []
    for path in corpora:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = list(dict.fromkeys(json.loads(line)["text"] for line in lines if line.strip()))
        texts += rng.sample(found, min(len(found), count // len(corpora)))
    rng.shuffle(texts)
    return texts


def run(texts: list[str], rounds: int) -> None:
    """Time every contender in turn and print texts a second, ratio and cosine error."""
    from sentence_transformers import SentenceTransformer

    ours = open_encoder(PACKAGED, policy=Policy())
    theirs = SentenceTransformer(str(ours.checkpoint.path), device=str(ours.device))
    trial = texts[: max(100, len(texts) // 5)]
    best = min(BATCH_SIZES, key=lambda size: seconds(lambda: theirs.encode(trial, batch_size=size))[0])
    contenders: dict[str, Callable[[], np.ndarray]] = {
        "sentence-transformers, batch 32 (default)": lambda: theirs.encode(texts),
        f"sentence-transformers, batch {best} (its best)": lambda: theirs.encode(texts, batch_size=best),
        "lib.encoders, float32": lambda: ours.encode(texts).vectors,
    }
    if bfloat16_available():
        fast = open_encoder(PACKAGED, policy=Policy(), precision="bfloat16")
        contenders["lib.encoders, bfloat16"] = lambda: fast.encode(texts).vectors
    if openvino_available():
        compiled = open_encoder(PACKAGED, policy=Policy(), precision="openvino")
        contenders["lib.encoders, openvino"] = lambda: compiled.encode(texts).vectors
    times: dict[str, list[float]] = {name: [] for name in contenders}
    vectors = {}
    for _ in range(rounds):
        for name, encode in contenders.items():
            spent, vectors[name] = seconds(encode)
            times[name].append(spent)
    report(texts, times, vectors)


def report(texts: list[str], times: dict[str, list[float]], vectors: dict[str, np.ndarray]) -> None:
    """Print the table; the first contender is what the errors are measured against, the first two the ratios."""
    default, best, *_ = times
    tokens = statistics.mean(len(text.split()) for text in texts)
    print(f"{len(texts)} texts, {tokens:.0f} words on average, {len(times[default])} rounds")
    print(f"{'':48} texts/s  vs default  vs best   max error  mean error")
    for name, spent in times.items():
        ratios = [
            statistics.median(theirs / mine for theirs, mine in zip(times[other], spent, strict=True))
            for other in (default, best)
        ]
        error = 1 - (vectors[name].astype(np.float64) * vectors[default]).sum(axis=1)
        print(
            f"{name:48} {len(texts) / min(spent):7.0f}  {ratios[0]:9.2f}x {ratios[1]:8.2f}x"
            f"   {error.max():9.1e}   {error.mean():9.1e}"
        )


def seconds(call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Wall time of a call, and what it returned."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
