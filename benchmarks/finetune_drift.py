"""How much drift is much: the known cases that `lib/finetune/diff/calibration.py` states, measured again.

    python -m benchmarks.finetune_drift [--seeds FOLDER FOLDER] [--corpus FILE] [--queries FILE]

The packaged encoder against changed copies of itself, on the sample texts and queries unless others are named, with
equal weights: itself; its weights rounded to bfloat16; its dropout left on; every text halfway to the middle of all, at
a random place, at one point. With --seeds, two fine-tunes (folders) that differ in nothing but their seed, held against
each other. Beside them, in the table alone, the packaged fine-tunes, the useful and the harmful one. Printed as a
table, and as the constants stand. Encoded here and now, nothing is taken from a store.
"""

import argparse
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.cli.opening import described, policy_of
from lib.corpora import Corpus, QuerySet, load_query_set, load_sample, read_corpus, read_query_set
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_TUNED, Encoder, Role, open_encoder
from lib.finetune.diff.drift import Drift, drift
from lib.finetune.diff.ranks import RetrievalSide, rank_diff
from lib.finetune.diff.space import space_diff

Encode = Callable[[Sequence[str], Role], NDArray[np.floating]]
DROPOUT_SEEDS = 3


@dataclass(frozen=True)
class Vectors:
    """What a checkpoint makes of the corpus and of the query set."""

    texts: NDArray[np.floating]
    queries: NDArray[np.floating]
    documents: NDArray[np.floating]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs=2, metavar="FOLDER", help="two fine-tunes that differ in their seed alone")
    parser.add_argument("--corpus", metavar="FILE", help="another corpus than the sample")
    parser.add_argument("--queries", metavar="FILE", help="another query set than the sample")
    asked = parser.parse_args()
    corpus = read_corpus(Path(asked.corpus)) if asked.corpus else load_sample("topics")
    queries = read_query_set(Path(asked.queries)) if asked.queries else load_query_set("topics")
    measure = Measure(corpus, queries)
    seeds = [opened(name) for name in asked.seeds or ()]
    packaged = opened(PACKAGED)
    base = measure.vectors(encoding(packaged))
    cases: list[tuple[str, str, Drift]] = [
        ("identical", "The encoder against itself.", measure.drift(base, base)),
        ("rounded", "Its weights rounded to bfloat16.", measure.drift(base, measure.vectors(encoding(rounded())))),
    ]
    noisy = [measure.drift(base, measure.vectors(with_dropout(packaged, seed))) for seed in range(DROPOUT_SEEDS)]
    noisy.sort(key=lambda one: one.composite or 0)
    cases.append(("dropout noise", "Its dropout left on, as in training.", noisy[len(noisy) // 2]))
    if seeds:
        one, other = (measure.vectors(encoding(encoder)) for encoder in seeds)
        told = "Two fine-tunes that differ in their seed alone."
        cases.append(("another seed", told, measure.drift(one, other)))
    cases += [
        ("half collapsed", "Every text moved halfway to the middle of all.", measure.drift(base, halfway(base))),
        ("unrelated", "Every text at a random place.", measure.drift(base, anywhere(base))),
        ("one point", "Every text at one point.", measure.drift(base, one_point(base))),
    ]
    cases.sort(key=lambda case: case[2].composite or 0)
    print(f"{len(corpus):,} texts, {len(queries.queries):,} queries over {len(queries.documents):,} documents\n")
    print("| case | shift | ranks changed | anisotropy | drift | verdict |")
    print("|---|---|---|---|---|---|")
    for name, _, found in cases:
        print(line(name, found))
    for source in (PACKAGED_TUNED, PACKAGED_HARMFUL):
        print(line(source, measure.drift(base, measure.vectors(encoding(opened(source))))))
    print("\nSCALE: tuple[Mark, ...] = (")
    for name, told, found in cases:
        print(f"    {constant(name, told, found)}")
    print(")")


@dataclass(frozen=True)
class Measure:
    """The texts and queries on which everything is measured."""

    corpus: Corpus
    queries: QuerySet

    def vectors(self, encode: Encode) -> Vectors:
        """What a checkpoint makes of them."""
        documents, asked = self.queries.documents, self.queries.queries
        return Vectors(encode(self.corpus.texts, "document"), encode(asked, "query"), encode(documents, "document"))

    def drift(self, base: Vectors, tuned: Vectors) -> Drift:
        """Drift and verdict from one checkpoint to another."""
        ranks = rank_diff(
            self.queries,
            RetrievalSide("base", base.queries, base.documents),
            RetrievalSide("tuned", tuned.queries, tuned.documents),
        )
        return drift(space_diff(base.texts, tuned.texts, self.corpus.labels, shared=True), ranks)


def opened(source: str) -> Encoder:
    """An encoder by name, in float32."""
    return open_encoder(described(source), policy=policy_of(source))


def encoding(encoder: Encoder) -> Encode:
    """Texts to vectors."""
    return lambda texts, role: encoder.encode(texts, role=role).vectors


def rounded() -> Encoder:
    """The packaged encoder with every weight rounded to bfloat16; it computes in float32 all the same."""
    encoder = opened(PACKAGED)
    for module in encoder.modules:
        for weight in module.parameters():
            weight.data = weight.data.bfloat16().float()
    return encoder


def with_dropout(encoder: Encoder, seed: int) -> Encode:
    """The encoder with its dropout on: every text is read through a network of which a part is missing."""
    import torch

    noisy = copy.deepcopy(encoder.modules)
    for module in noisy:
        module.train()
    shared = copy.copy(encoder)
    shared.modules = noisy

    def encode(texts: Sequence[str], role: Role) -> NDArray[np.floating]:
        torch.manual_seed(seed)
        return shared.encode(texts, role=role).vectors

    return encode


def halfway(base: Vectors) -> Vectors:
    """Every text, query and document halfway to the mean direction of the texts."""

    def unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    middle = unit(unit(base.texts).mean(axis=0))
    parts: list[Any] = [(unit(part) + middle) / 2 for part in (base.texts, base.queries, base.documents)]
    return Vectors(*parts)


def anywhere(base: Vectors) -> Vectors:
    """Every text, query and document at a place that has nothing to do with it."""
    random = np.random.default_rng(0)
    parts: list[Any] = [random.normal(size=part.shape) for part in (base.texts, base.queries, base.documents)]
    return Vectors(*parts)


def one_point(base: Vectors) -> Vectors:
    """Every text at the same point, one that shares nothing with where texts were."""
    point = np.random.default_rng(0).normal(size=base.texts.shape[1])
    parts: list[Any] = [np.tile(point, (len(part), 1)) for part in (base.texts, base.queries, base.documents)]
    return Vectors(*parts)


def line(name: str, found: Drift) -> str:
    """A row of the table: each part as measured and as scaled."""
    shift, ranks, anisotropy = found.parts
    cells = [
        name,
        f"{shift.raw:.2f}° ({shift.scaled:.3f})",
        f"{ranks.raw:.1%} ({ranks.scaled:.3f})",
        f"{anisotropy.raw:+.4f} ({anisotropy.scaled:.3f})",
        f"{found.composite:.3f}",
        found.verdict.sentence,
    ]
    return f"| {' | '.join(cells)} |"


def constant(name: str, told: str, found: Drift) -> str:
    """The same as it stands among the constants."""
    figures = (found.composite, *(part.scaled for part in found.parts))
    told_figures = ", ".join(f"{figure or 0:.3f}" for figure in figures)
    return f'Mark("{name}", "{told}", {told_figures}, "{found.verdict.direction}"),'


if __name__ == "__main__":
    main()
