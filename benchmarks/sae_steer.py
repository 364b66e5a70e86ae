"""Steering: time of a query, of all documents and of a dose-response, beside scoring everything again for each delta.

    python -m benchmarks.sae_steer [--texts 100000] [--rounds 5] [--slow-directions 2]

The packaged dictionary, first on the sample corpus, then on so many made-up unit vectors of a few features each. Both
sides take turns in one process, and have to find the same ranks. The slow side is what anyone would do: the steered
query times all documents in float32 and a sort, before and after; all documents pushed, brought to length 1, multiplied
and sorted; and, for the dose-response, the product and the sort for every delta and every direction, with one AUROC a
direction (measured on a few directions, told for all). Encoding the texts again, which steering never does, is timed on
the sample.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from lib.corpora import load_sample
from lib.corpora.samples import SAMPLE_FOLDER
from lib.embeddings import embed
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.sae import SparseAutoencoder, load
from lib.sae.codes import Codes
from lib.sae.steering import (
    Push,
    Recipe,
    apply_push,
    dose_response,
    matched_features,
    products_of,
    products_of_parts,
    push_of,
    rerank,
    steer,
)
from lib.sae.steering.dose import CONTROLS, DELTAS
from lib.sae.steering.steer import random_directions
from lib.store import default_store

DELTA = 4.0


@dataclass(frozen=True, eq=False)
class Case:
    """What is steered, and what is ranked."""

    sae: SparseAutoencoder
    vectors: Any
    codes: Codes
    push: Push

    @property
    def fires(self) -> Any:
        """Rows on which the target fires."""
        return self.codes.firing(self.push.features[0])[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-directions", type=int, default=2, help="directions of the slow dose-response")
    asked = parser.parse_args()
    sae = load(SAMPLE_FOLDER / "sae")
    vectors, encoding = sample()
    print(
        f"Encoding the sample's {len(vectors)} texts: {encoding:.2f} s, {1e3 * encoding / len(vectors):.1f} ms a text."
    )
    print("\n| what | texts | ours, s | again, s | ratio | ranks that differ |\n|---|---|---|---|---|---|")
    for given in (vectors, made_up(sae, asked.texts)):
        one = case(sae, given)
        for side in ("query", "documents"):
            row(f"one push of the {side}", one, asked.rounds, side)
        dose(one, asked.slow_directions)
        alone = min(timed(partial(steer, one.sae, one.vectors[0], one.push))[0] for _ in range(asked.rounds))
        print(f"| side effects of one push, with 100 random ones | | {alone:.4f} | | | |")


def row(name: str, given: Case, rounds: int, side: Any) -> None:
    """One push by both sides, in turns; and once more with the products at hand, as after the first delta."""
    x, push, rows = given.vectors[0], given.push, given.fires
    held = products_of(given.vectors, x, push.vector)
    along = (held.pushed / (push.deltas[0] * push.units[0]),)
    works: dict[str, Callable[[], Any]] = {
        "the first": lambda: rerank(given.vectors, x, push, side=side, firing=rows),
        "another delta": lambda: rerank(
            given.vectors, x, push, side=side, firing=rows,
            products=products_of_parts(push, held.squares, held.text, along),
        ),
        "again": lambda: scored_again(given, side),
    }  # fmt: skip
    took, made = dict.fromkeys(works, np.inf), dict[str, Any]()
    for _ in range(rounds):
        for which, work in works.items():
            seconds, made[which] = timed(work)
            took[which] = min(took[which], seconds)
    before, after = made["again"]
    for which in ("the first", "another delta"):
        found = made[which]
        away = (found.after_were != before[found.after]).sum() + (found.before_now != after[found.before]).sum()
        print(
            f"| {name}, {which} | {len(given.vectors):,} | {took[which]:.4f} | {took['again']:.4f} | "
            f"{took['again'] / took[which]:.1f} | {away} of {2 * len(found.after)} |"
        )


def scored_again(given: Case, side: str) -> tuple[Any, Any]:
    """Ranks before and after, every document scored anew."""
    x, documents = given.vectors[0], given.vectors
    before = placed(documents @ x)
    if side == "query":
        return before, placed(documents @ apply_push(x[None], given.push)[0])
    pushed = documents + given.push.vector
    pushed /= np.linalg.norm(pushed, axis=1, keepdims=True)
    return before, placed(pushed @ x)


def dose(given: Case, slow_directions: int) -> None:
    """The dose-response by both sides."""
    feature, unit, x = given.push.features[0], given.push.units[0], given.vectors[0]
    ours, found = timed(
        lambda: dose_response(given.sae, given.codes, given.vectors, vector=x, feature=feature, unit=unit)
    )
    others = matched_features(given.codes, feature, CONTROLS, 0)[0]
    directions = np.vstack([given.sae.decoder_weights[[feature, *others]], random_directions(CONTROLS, len(x), 0)])
    rows, ranks = given.fires, np.empty((slow_directions, len(DELTAS)))
    fires = np.isin(np.arange(len(given.vectors)), rows)

    def again() -> None:
        for at, direction in enumerate(directions[:slow_directions].astype(np.float32)):
            for step, delta in enumerate(DELTAS):
                moved = x + np.float32(delta * unit) * direction
                moved /= np.linalg.norm(moved)
                after = placed(given.vectors @ moved)
                ranks[at, step] = after[rows].mean()
                if delta == DELTA:
                    roc_auc_score(fires, placed(given.vectors @ x) - after)

    part, _ = timed(again)
    slow = part / slow_directions * len(directions)
    away = np.abs(ranks[0] - found.mean_rank).max()
    size = f"{len(given.vectors):,}"
    name = f"dose-response: {len(DELTAS)} deltas x {len(directions)} directions, {len(rows):,} texts fire"
    print(f"| {name} | {size} | {ours:.2f} | {slow:.2f} | {slow / ours:.1f} | mean ranks by {away:.2g} at most |")


def placed(scores: Any) -> Any:
    """Ranks from 1, the highest score first."""
    made = np.empty(len(scores), dtype=np.int64)
    made[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return made


def case(sae: SparseAutoencoder, vectors: Any) -> Case:
    """The strongest feature of the first text, pushed."""
    codes = sae.encode(vectors)
    features, activations = codes.of(0)
    recipe = Recipe((int(features[activations.argmax()]),), (DELTA,))
    return Case(sae, vectors, codes, push_of(sae, recipe, codes=codes))


def sample() -> tuple[Any, float]:
    """The sample's vectors, and the seconds that encoding its texts takes."""
    corpus, checkpoint = load_sample("topics"), describe(PACKAGED, policy=Policy())
    encoder = open_encoder(PACKAGED, policy=Policy())
    vectors = np.asarray(embed(corpus.texts, checkpoint, lambda: encoder, default_store()).vectors)
    encoder.encode(corpus.texts[:32])
    return vectors, timed(lambda: encoder.encode(list(corpus.texts)))[0]


def made_up(sae: SparseAutoencoder, n: int) -> Any:
    """Unit vectors of about 64 features each, shape (n, d)."""
    rng = np.random.default_rng(0)
    made = np.empty((n, sae.dimensions), dtype=np.float32)
    for start in range(0, n, 4_096):
        weights = np.zeros((min(4_096, n - start), sae.features), dtype=np.float32)
        np.put_along_axis(weights, rng.integers(sae.features, size=(len(weights), 64)),
                          rng.exponential(0.1, size=(len(weights), 64)), axis=1)  # fmt: skip
        made[start : start + len(weights)] = sae.decoder_bias + weights @ sae.decoder_weights
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


if __name__ == "__main__":
    main()
