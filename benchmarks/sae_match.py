"""The features of two models put together: time and memory, beside what one would write by hand.

    python -m benchmarks.sae_match [--texts 10000] [--features 4096 16384] [--others 4096] [--active 64]

Made-up models. Theirs has half of our first features, permuted, firing on most of the same texts along nearly the same
directions; the other half is new. By cosine and by correlation, one to one and each with its best. By hand: the matrix
of all correlations (numpy, activations dense) or cosines, and scipy's linear_sum_assignment or argmax on it. Both sides
of a line run in one process, ours first; memory is the peak above what was ever held before ours began. Both have to
find pairs of the same similarity. Beside it, ours with what a page shows: chance by 8 shuffles, for both directions.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sae_diagnostics import made_up, peak
from lib.progress import Told
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.matching import FEWEST, By, Model, Pairing, identity, pair_features, read_features
from lib.sae.matching.assignment import assign, largest
from lib.sae.matching.similarity import Correlations, Cosines, Similarity, Standardised

WIDTH = 384
Case = tuple[Model, Model]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--features", type=int, nargs="+", default=[4_096, 16_384])
    parser.add_argument("--others", type=int, default=4_096)
    parser.add_argument("--active", type=int, default=64, help="features a text (default 64)")
    asked = parser.parse_args()
    print(f"{asked.texts:,} texts, {asked.active} features a text\n")
    print("| features | by | pairs | ours, s | MB | by hand, s | MB | ratio | both find | with chance, s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for features in asked.features:
        for by in ("cosine", "correlation"):
            for pairing in ("one-to-one", "best"):
                line(asked, features, by, pairing)
        found = apart(reading, asked, features)
        told = f"{found['seconds']:.1f} | {found['memory']:,.0f}"
        print(f"| {features:,} | | told from vectors, one direction | {told} | | | | | |", flush=True)


def line(asked: argparse.Namespace, features: int, by: By, pairing: Pairing) -> None:
    """Both sides and what chance takes, in one row."""
    found = apart(compared, asked, features, by, pairing)
    ours, hand = found["ours"], found["hand"]
    if abs(ours["total"] / hand["total"] - 1) > 1e-3:
        raise SystemExit(f"The two sides pair differently: {ours['total']:.3f} and {hand['total']:.3f}.")
    print(
        f"| {features:,} x {asked.others:,} | {by} | {pairing} | {ours['seconds']:.1f} | {ours['memory']:,.0f} "
        f"| {hand['seconds']:.1f} | {hand['memory']:,.0f} | {hand['seconds'] / ours['seconds']:.1f} "
        f"| {ours['total']:.2f} / {hand['total']:.2f} | {found['chance']['seconds']:.1f} |",
        flush=True,
    )


def apart(work: Callable[..., dict[str, Any]], *given: object) -> dict[str, Any]:
    """What `work` finds in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_answer, args=(there, work, given))
    process.start()
    there.close()
    found: dict[str, Any] = here.recv()
    process.join()
    return found


def _answer(answer: Connection, work: Callable[..., dict[str, Any]], given: tuple[object, ...]) -> None:
    answer.send(work(*given))


def compared(asked: argparse.Namespace, features: int, by: By, pairing: Pairing) -> dict[str, Any]:
    """Ours, then by hand, then ours with chance."""
    warm = case(200, 512, 256, 8)
    for side in (ours, by_hand):
        side(warm, by, pairing)  # imports
    models = case(asked.texts, features, asked.others, asked.active)
    held = peak()
    found = {"ours": timed(lambda: ours(models, by, pairing), held)}
    found["hand"] = timed(lambda: by_hand(models, by, pairing), held)
    return found | {"chance": timed(lambda: whole(models, by, pairing), held)}


def reading(asked: argparse.Namespace, features: int) -> dict[str, Any]:
    """Our features estimated from both models' vectors."""
    models = case(asked.texts, features, asked.others, asked.active)
    vectors = models[0].vectors, models[1].vectors
    return timed(lambda: float(read_features(models[0].codes, vectors, fewest=FEWEST).told.sum()), peak())


def ours(models: Case, by: By, pairing: Pairing) -> float:
    """The sum of similarities of the pairs that the library finds."""
    a, b = models
    similarity: Similarity = (
        Cosines(a.sae.decoder_weights, b.sae.decoder_weights)
        if by == "cosine"
        else Correlations(Standardised(a.codes, fewest=2), Standardised(b.codes, fewest=2))
    )
    if pairing == "best":
        return float(largest(similarity)[1].sum(dtype=np.float64))
    match = assign(similarity, Told().out_of(1))[0]
    rows = np.flatnonzero(match >= 0)
    return float(similarity.pairs(rows, match[rows]).sum(dtype=np.float64))


def by_hand(models: Case, by: By, pairing: Pairing) -> float:
    """The same from the matrix of all pairs."""
    from scipy.optimize import linear_sum_assignment

    a, b = models
    if by == "cosine":
        matrix = a.sae.decoder_weights @ b.sae.decoder_weights.T
    else:
        x, y = (_standardised(side.codes.matrix.toarray()) for side in models)
        matrix = x.T @ y / len(x)
    if pairing == "best":
        matrix.argmax(axis=0)
        return float(matrix[np.arange(len(matrix)), matrix.argmax(axis=1)].sum(dtype=np.float64))
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    return float(matrix[rows, columns].sum(dtype=np.float64))


def whole(models: Case, by: By, pairing: Pairing) -> float:
    """What a page asks for: pairs in both directions, and chance."""
    pair_features(*models, alignment=identity(), by=by, pairing=pairing, fewest=2)
    return 0.0


def timed(work: Callable[[], float], held: float) -> dict[str, float]:
    """Seconds, the peak of memory above what was `held`, MB, and what was found."""
    started = time.perf_counter()
    total = work()
    return {"seconds": time.perf_counter() - started, "memory": peak() - held, "total": total}


def _standardised(activations: NDArray[np.float32]) -> NDArray[np.float32]:
    deviation = activations.std(axis=0)
    return (activations - activations.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def case(texts: int, n: int, m: int, active: int) -> Case:
    """Two models, n features and m, of which half are some of the first."""
    generator = np.random.default_rng(0)
    a = _strong(made_up(texts, n, active), generator)
    kept = generator.permutation(n)[: m // 2]  # ours that return
    place = np.full(n, -1)
    place[kept] = generator.permutation(m)[: m // 2]
    new = np.setdiff1d(np.arange(m), place[kept])
    b = _other(a, place, (new, m, active), generator)
    directions = [generator.normal(size=(count, WIDTH)).astype(np.float32) for count in (n, m)]
    directions[1][place[kept]] = directions[0][kept] + 0.5 * directions[1][place[kept]]
    models = []
    for codes, rows in zip((a, b), directions, strict=True):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        zero = np.zeros(len(unit), np.float32)
        sae = SparseAutoencoder(unit.T, zero, unit, np.zeros(WIDTH, np.float32), "topk", k=active)
        models.append(Model(sae, codes, np.asarray(codes.matrix @ unit, dtype=np.float32)))
    return models[0], models[1]


def _other(
    codes: Codes, place: NDArray[np.integer], new: tuple[NDArray[np.integer], int, int], generator: np.random.Generator
) -> Codes:
    """Four in five of what fires in `codes` under the features' other numbers, and as many new ones a text."""
    features, width, active = new
    rows = np.repeat(np.arange(len(codes)), codes.active)
    stays = (place[codes.features] >= 0) & (generator.random(len(rows)) < 0.8)
    matrix = np.zeros((len(codes), width), dtype=np.float32)
    matrix[rows[stays], place[codes.features[stays]]] = codes.activations[stays]
    drawn = generator.choice(features, (len(codes), active // 2))
    np.put_along_axis(matrix, drawn, generator.uniform(0.2, 1.0, drawn.shape).astype(np.float32), axis=1)
    row, column = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(codes)))]).astype(np.int64)
    return Codes(starts, column.astype(np.int32), matrix[row, column], width)


def _strong(codes: Codes, generator: np.random.Generator) -> Codes:
    strengths = generator.uniform(0.2, 1.0, len(codes.features)).astype(np.float32)
    return Codes(codes.starts, codes.features, strengths, codes.width)


if __name__ == "__main__":
    main()
