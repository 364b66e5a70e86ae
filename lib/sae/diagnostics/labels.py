"""Absorption as Chanin et al. (2024, arXiv:2409.14507) mean it, with a label of the corpus as the concept.

A feature stands for the label, but stays silent on some of its texts, because a narrower feature has taken over its
share of the label's direction. Their steps, for embeddings:

1. The features that stand for the label: the one whose firing has the best F1 (k-sparse probing with k = 1), and others
   as long as each raises the F1 of "any of them fires" by .03 (a label split over several features is not absorption).
2. A probe says where the label shows: the direction from the other texts' mean to the label's, cut at its best F1.
3. Texts of the label that the probe knows, and on which none of those features fires.
4. The active feature that contributes most to the probe's score. The score is linear in the embedding, so that a
   contribution, activation x (direction . probe), is exactly what ablating the feature would take away. It has taken
   the label's place where its direction points along the probe's (cosine) and it carries a large share of the score
   (their appendix's form without gradients). How large: as much as the best detector carries on all but the weakest
   tenth of the texts where it fires, and more than the largest other feature carries on nine of ten of them.
   SAEBench (Karvonen et al. 2025, arXiv:2503.09532) asks for .4 with language models; where 64 features share an
   embedding, the label's own feature seldom carries so much.

Features and probe are chosen on one half of the texts, absorption is counted on the other. Rate = texts of 4 over
texts of the label that the probe knows. The paper's least cosine, .025, is 1.2 deviations of a random direction's in
its 2,304 dimensions; here it is 2 deviations, 2 / sqrt(d), or .025 if that is more. Where no feature detects the label
well (`parents_f1` far below `probe_f1`), the label has no feature that could be absorbed: the rate says little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.diagnostics.significance import wilson

FEWEST = 20
"""Texts of a label, and texts without it, that can be halved."""
_F1_STEP = 0.03
_MOST_PARENTS = 10
_LEAST_COSINE = 0.025
_CONTROL = 0.9  # quantile of what other features carry anyway, and 1 - that of what a label's own carries


@dataclass(frozen=True, eq=False)
class LabelAbsorption(Result):
    """One label: the features that stand for it, and where others took their place. Figures of the held-out half."""

    label: str
    """The label."""
    texts: int
    """Held-out texts of it."""
    others: int
    """Held-out texts of other labels."""
    parents: tuple[int, ...]
    """Features that stand for it: the best detector first, then the others that the label is split into."""
    parent_f1: float
    """F1 of the best detector alone: it fires on the label's texts, and on no others; in [0, 1]."""
    parents_f1: float
    """F1 of "any of the parents fires", in [0, 1]."""
    needed: float
    """Share of the probe's score that another feature must carry to count, from the learnt half: the best detector's
    .1 quantile, or if that is more the .9 quantile of the largest other feature where a parent fires; or as asked."""
    probe_f1: float
    """F1 of the probe, in [0, 1]: how plainly the label shows in the space at all."""
    known: int
    """Texts of the label that the probe knows."""
    silent: int
    """Those of them on which no parent fires."""
    absorbed: int
    """Those of them on which one other feature carries the label: absorption."""
    rate: float
    """absorbed / known, in [0, 1]; NaN where the probe knows none."""
    low: float
    """Lower end of the rate's 95 % interval (Wilson)."""
    high: float
    """Upper end of it."""
    rows: NDArray[np.int64]
    """Rows of the silent texts, those first where the largest contribution has the largest share."""
    child: NDArray[np.int32]
    """The feature that contributes most on each, shape (silent,); -1 where none fires."""
    share: NDArray[np.float64]
    """Its share of the probe's score there, shape (silent,)."""
    cosine: NDArray[np.float64]
    """Cosine of its direction with the probe, shape (silent,)."""
    is_absorbed: NDArray[np.bool_]
    """Whether it counts as absorption, shape (silent,)."""


@dataclass(frozen=True, eq=False)
class AbsorptionByLabel(Result):
    """Every label with enough texts, the highest rate first."""

    labels: tuple[LabelAbsorption, ...]
    """One result a label."""
    left_out: tuple[str, ...]
    """Labels with too few texts, or too few without them."""
    min_cosine: float
    """Least cosine of that feature's direction with the probe."""
    fewest: int
    """Texts that a label needs."""
    texts: int
    """Labelled texts, both halves."""
    seed: int
    """Seed of the halves."""


def label_absorption(
    vectors: NDArray[np.floating],
    codes: Codes,
    sae: SparseAutoencoder,
    labels: Sequence[str | None],
    *,
    min_share: float | None = None,
    fewest: int = FEWEST,
    most_parents: int = _MOST_PARENTS,
    seed: int = 0,
) -> AbsorptionByLabel:
    """How often another feature takes a label's place, for each of the `labels` (m,) of `vectors` (m, d).

    It does where it carries `min_share` of the probe's score (unless told, what step 4 above says). Texts without a
    label take no part.

    Raises:
        InputError: arrays of different lengths, a share out of range, no label that has `fewest` texts.
    """
    sae.check_width(vectors)
    if not len(vectors) == len(codes) == len(labels):
        raise InputError(
            f"{len(vectors):,} vectors, {len(codes):,} codes and {len(labels):,} labels do not go together."
        )
    if min_share is not None and not 0 < min_share <= 1:
        raise InputError(f"The share of the probe's score is above 0 and at most 1, got {min_share:g}.")
    names = sorted({label for label in labels if label is not None})
    of = {name: number for number, name in enumerate(names)}
    numbers = np.array([-1 if label is None else of[label] for label in labels], dtype=np.int64)
    rows = np.flatnonzero(numbers >= 0)
    sizes = np.bincount(numbers[rows], minlength=len(names))
    enough = [name for name in names if min(sizes[of[name]], len(rows) - sizes[of[name]]) >= fewest]
    if not enough:
        raise InputError(
            f"Absorption of a label needs {fewest} texts that carry it and as many that carry another: none of the "
            f"{len(names)} labels has so many."
        )
    learnt, held_out = _halves(numbers, rows, seed)
    min_cosine = max(_LEAST_COSINE, 2 / np.sqrt(sae.dimensions))
    halves = _Half(vectors, codes, sae, learnt), _Half(vectors, codes, sae, held_out)
    asked = _Asked(most_parents, min_share, min_cosine)
    made = [_of_label(name, *halves, numbers == of[name], asked) for name in enough]
    made.sort(key=lambda one: (-np.nan_to_num(one.rate, nan=-1.0), one.label))
    left_out = tuple(name for name in names if name not in set(enough))
    return AbsorptionByLabel(tuple(made), left_out, float(min_cosine), fewest, len(rows), seed)


@dataclass(frozen=True)
class _Asked:
    most_parents: int
    min_share: float | None
    min_cosine: float


class _Half:
    """Half of the labelled texts."""

    def __init__(
        self, vectors: NDArray[np.floating], codes: Codes, sae: SparseAutoencoder, rows: NDArray[np.int64]
    ) -> None:
        self.rows, self.sae = rows, sae
        self.centred = np.asarray(vectors[rows], dtype=np.float32) - sae.decoder_bias  # what the features add up to
        self.codes = codes.select(rows)
        fires = self.codes.matrix.copy()
        fires.data = np.ones_like(fires.data)
        self.fires = fires

    def any_fires(self, features: Sequence[int]) -> NDArray[np.bool_]:
        """Texts on which one of `features` fires."""
        return np.isin(
            np.arange(len(self.rows)), np.concatenate([self.codes.firing(feature)[0] for feature in features])
        )


def _halves(
    numbers: NDArray[np.int64], rows: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two halves of `rows` with each label's texts shared out evenly, both ascending."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    shuffled = shuffled[np.argsort(numbers[shuffled], kind="stable")]
    return np.sort(shuffled[::2]), np.sort(shuffled[1::2])


def _of_label(name: str, learnt: _Half, held_out: _Half, has: NDArray[np.bool_], asked: _Asked) -> LabelAbsorption:
    parents = _parents(learnt, has[learnt.rows], asked.most_parents)
    probe, cut = _probe(learnt.centred, has[learnt.rows])
    needed = _needed(learnt, has[learnt.rows], parents, probe) if asked.min_share is None else asked.min_share
    truth, scores = has[held_out.rows], held_out.centred @ probe
    fires = held_out.any_fires(parents)
    known = truth & (scores >= cut)
    silent = np.flatnonzero(known & ~fires)
    child, contribution = _largest(held_out.codes, silent, held_out.sae.decoder_weights @ probe)
    cosine = np.where(child >= 0, held_out.sae.decoder_weights[child] @ probe, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(scores[silent] > 0, contribution / scores[silent], 0.0)
    absorbed = (share >= needed) & (cosine >= asked.min_cosine)
    order = np.argsort(-share, kind="stable")
    low, high = wilson(np.array(absorbed.sum()), np.array(known.sum()))
    return LabelAbsorption(
        label=name,
        texts=int(truth.sum()),
        others=int((~truth).sum()),
        parents=tuple(parents),
        parent_f1=_f1(held_out.any_fires(parents[:1]), truth),
        parents_f1=_f1(fires, truth),
        needed=needed,
        probe_f1=_f1(scores >= cut, truth),
        known=int(known.sum()),
        silent=len(silent),
        absorbed=int(absorbed.sum()),
        rate=float(absorbed.sum() / known.sum()) if known.any() else float("nan"),
        low=float(low),
        high=float(high),
        rows=held_out.rows[silent][order],
        child=child[order].astype(np.int32),
        share=share[order].astype(np.float64),
        cosine=cosine[order].astype(np.float64),
        is_absorbed=absorbed[order],
    )


def _parents(half: _Half, truth: NDArray[np.bool_], most: int) -> list[int]:
    """The feature whose firing has the best F1, then those that raise the F1 of "any fires" by a step."""
    covered = np.zeros(len(truth), dtype=bool)
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < most:
        weights = np.stack([truth & ~covered, ~truth & ~covered]).astype(np.float32)  # (2, half)
        hits, misses = weights @ half.fires  # what each would add, (n,) each
        fired = covered.sum() + hits + misses
        scores = 2 * ((truth & covered).sum() + hits) / np.maximum(truth.sum() + fired, 1)
        new = int(scores.argmax())
        if chosen and scores[new] < best + _F1_STEP:
            break
        chosen.append(new)
        best = float(scores[new])
        covered = half.any_fires(chosen)
    return chosen


def _probe(centred: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Unit direction (d,) from the other texts' mean to the label's, and the score at which its F1 is best."""
    towards = centred[truth].mean(axis=0, dtype=np.float64) - centred[~truth].mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(towards))
    probe = (towards / length if length > 0 else towards).astype(np.float32)
    scores = centred @ probe
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(truth) + 1) + truth.sum())
    at = int(f1.argmax())
    after = scores[order[at + 1]] if at + 1 < len(order) else scores[order[at]]
    return probe, float((scores[order[at]] + after) / 2)


def _needed(half: _Half, truth: NDArray[np.bool_], parents: Sequence[int], probe: NDArray[np.float32]) -> float:
    """Share of the probe's score that takes the label's place; 1 where no parent fires on a text of the label."""
    scores = half.centred @ probe
    alignment = half.sae.decoder_weights @ probe
    rows, activations = half.codes.firing(parents[0])
    own = truth[rows] & (scores[rows] > 0)
    there = np.flatnonzero(truth & half.any_fires(parents) & (scores > 0))
    if not own.any():
        return 1.0
    carried = np.quantile(activations[own] * alignment[parents[0]] / scores[rows[own]], 1 - _CONTROL)
    alignment[list(parents)] = 0
    beside = np.quantile(_largest(half.codes, there, alignment)[1] / scores[there], _CONTROL)
    return float(np.clip(max(carried, beside), 1e-6, 1.0))


def _largest(
    codes: Codes, rows: NDArray[np.int64], alignment: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """On each of `rows` the feature that adds most to the probe's score, -1 if none fires, and what it adds."""
    child, added = np.full(len(rows), -1, dtype=np.int64), np.zeros(len(rows))
    for at, row in enumerate(rows):
        features, activations = codes.of(int(row))
        if len(features):
            contributions = activations * alignment[features]
            child[at], added[at] = features[contributions.argmax()], contributions.max()
    return child, added


def _f1(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))
