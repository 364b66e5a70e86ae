"""Two checkpoints on the same texts, and whether their vectors lie in one space.

A fine-tune moves vectors within the space that its base began with: a centroid before and the same centroid after can
then be laid side by side. Two encoders of their own share no axis, and a distance between their vectors means nothing.
Nothing but the vectors is asked: with M = sum_i (b_i - mean b)^T (t_i - mean t) over unit vectors of the same texts,

    agreement = trace(M) / sqrt(sum |b_i - mean b|^2  sum |t_i - mean t|^2)

is 1 for equal vectors and for those drawn together evenly, and a random rotation of one side gives 0 with a standard
deviation of |M|_F / sqrt(d) over the same root: `chance`. A mild fine-tune had .996, one that made nearly all vectors
point one way (mean cosine .9999) .16, still 22 times `chance`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.geometry.moments import Moments, moments
from lib.geometry.vectors import SAME, check, sample_rows, unit_blocks, unit_rows
from lib.results import Result

LEAST_AGREEMENT = 0.1
"""Agreement below which two spaces are not taken for one."""
SURE_AGREEMENT = 0.5
"""Agreement from which on they are, whatever chance gives: few dimensions tell little of it."""
TIMES_CHANCE = 5
"""Standard deviations of chance that agreement reaches else."""
RULE = (
    "One space: equal widths, and the two centred vectors of a text agree, axis by axis, to at least "
    f"{LEAST_AGREEMENT} (1 = the same) and {TIMES_CHANCE} times what a random rotation gives, or to at least "
    f"{SURE_AGREEMENT}."
)
_COMPARED = 1_000


@dataclass(frozen=True, eq=False)
class Sharing(Result):
    """Whether the two checkpoints share one space: what a shift of a centroid needs."""

    shared: bool
    """Whether they do; where False, whatever needs one space is None."""
    given: bool
    """Whether that was said by the caller, rather than measured."""
    identical: bool
    """Whether every text has the same direction on both sides, to the last digit."""
    own: float | None
    """Mean cosine of a text's base vector with its own tuned vector, in [-1, 1]; None at different widths. Exact."""
    others: float | None
    """Mean cosine of a text's base vector with another text's tuned vector: the baseline of `own`; None likewise."""
    nearer: float | None
    """How often a text's base vector is nearer to its own tuned vector than to another text's, in [0, 1], ties half;
    .5 or so = unrelated. None likewise. Over at most 1,000 texts."""
    agreement: float | None
    """How well centred vectors agree, axis by axis, in [-1, 1]: 1 = the same but for offset and scale, 0 = unrelated
    axes. None at different widths and where one side has all texts in one point."""
    chance: float | None
    """Standard deviation that `agreement` would have, around 0, if one side were rotated at random; None likewise."""
    base_width: int
    """Dimensions of a base vector, d."""
    tuned_width: int
    """Dimensions of a tuned vector, d'."""
    items: int
    """Texts, n."""
    sentence: str
    """Why the space counts as one, or why not."""
    rule: str
    """The rule, in words."""


@dataclass(frozen=True)
class Sides:
    """The vectors of the same texts by both checkpoints, and the sums that several figures are read from."""

    base: NDArray[np.floating]
    """Shape (n, d), of any norm but zero."""
    tuned: NDArray[np.floating]
    """Shape (n, d'); the same array as `base` where every direction is the same."""
    base_moments: Moments
    """Of the unit base vectors."""
    tuned_moments: Moments
    """Of the unit tuned vectors."""
    cross: NDArray[np.float64]
    """M, the sum of (b - mean b)^T (t - mean t) over texts, shape (d, d')."""

    @property
    def identical(self) -> bool:
        """Whether every text has the same direction on both sides."""
        return self.base is self.tuned

    @property
    def items(self) -> int:
        """Texts, n."""
        return len(self.base)

    @property
    def raw_cross(self) -> NDArray[np.float64]:
        """Sum of b^T t over texts, shape (d, d')."""
        return self.cross + self.items * np.outer(self.base_moments.mean, self.tuned_moments.mean)


def sides(base: NDArray[np.floating], tuned: NDArray[np.floating]) -> Sides:
    """The two sides of a diff, shapes (n, d) and (n, d'), n >= 3.

    Raises:
        InputError: not the same number of texts, fewer than three, or a vector of zero length.
    """
    check(base, minimum=1, what="The base of a diff")
    check(tuned, minimum=1, what="The tuned side of a diff")
    if len(base) != len(tuned):
        raise InputError(
            f"A diff needs the same texts on both sides, got {len(base):,} base and {len(tuned):,} tuned vectors: "
            "embed one corpus with both checkpoints."
        )
    if len(base) < FEWEST_TEXTS:
        raise InputError(f"A diff of two spaces needs at least {FEWEST_TEXTS} texts, got {len(base)}: add texts.")
    before, after = _moments(base, "base"), _moments(tuned, "tuned")
    if same_directions(base, tuned):
        return Sides(base, base, before, before, before.scatter)
    return Sides(base, tuned, before, after, cross_products(base, tuned, (before.mean, after.mean)))


FEWEST_TEXTS = 3
"""Texts that a diff of two spaces needs."""


def same_directions(base: NDArray[np.floating], tuned: NDArray[np.floating]) -> bool:
    """Whether every row has the same unit vector on both sides, to the last digit."""
    if base.shape != tuned.shape:
        return False
    return all(
        np.array_equal(one, other) for (_, one), (_, other) in zip(unit_blocks(base), unit_blocks(tuned), strict=True)
    )


def cross_products(
    base: NDArray[np.floating],
    tuned: NDArray[np.floating],
    means: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Sum of (b - mean b)^T (t - mean t) over the unit rows, shape (d, d')."""
    left, right = (mean.astype(np.float32) for mean in means)
    made = np.zeros((base.shape[1], tuned.shape[1]))
    for (_, one), (_, other) in zip(unit_blocks(base), unit_blocks(tuned), strict=True):
        made += (one - left).T @ (other - right)
    return made


def sharing(pair: Sides, *, shared: bool | None = None, seed: int = 0) -> Sharing:
    """Whether both sides share one space, by `RULE`, or as `shared` says.

    Raises:
        InputError: `shared` is said of two widths.
    """
    d, e = pair.base.shape[1], pair.tuned.shape[1]
    if d != e:
        if shared:
            raise InputError(f"Vectors of {d} and of {e} dimensions cannot lie in one space: leave out that they do.")
        sentence = f"Not one space: the base has {d} dimensions, the tuned side {e}."
        return Sharing(False, shared is not None, False, None, None, None, None, None, d, e, pair.items, sentence, RULE)
    agreement, chance = _agreement(pair)
    own, others = _own_and_others(pair)
    found = _is_one(agreement, chance) if shared is None else shared
    return Sharing(
        shared=found,
        given=shared is not None,
        identical=pair.identical,
        own=own,
        others=others,
        nearer=_nearer(pair, seed),
        agreement=agreement,
        chance=chance,
        base_width=d,
        tuned_width=e,
        items=pair.items,
        sentence=_sentence(pair, found, shared is not None, agreement, chance),
        rule=RULE,
    )


def known_shared(base: Checkpoint, tuned: Checkpoint) -> bool | None:
    """True where one is an adapter of the other, or of the same base: one space by construction. None to measure it."""
    adapted = base.adapter is not None or tuned.adapter is not None
    one_width = base.dimensions == tuned.dimensions
    return True if adapted and base.path == tuned.path and one_width else None


def _moments(vectors: NDArray[np.floating], side: str) -> Moments:
    try:
        return moments(vectors)
    except InputError as fault:
        raise InputError(f"On the {side} side of the diff: {fault}") from None


def _agreement(pair: Sides) -> tuple[float | None, float | None]:
    spans = np.trace(pair.base_moments.scatter), np.trace(pair.tuned_moments.scatter)
    if min(spans) <= pair.items * SAME**2:
        return None, None
    if pair.identical:
        return 1.0, float(np.linalg.norm(pair.cross) / np.sqrt(len(pair.cross)) / spans[0])
    root = float(np.sqrt(spans[0] * spans[1]))
    chance = float(np.linalg.norm(pair.cross) / np.sqrt(len(pair.cross)) / root)
    return float(np.clip(np.trace(pair.cross) / root, -1, 1)), chance


def _own_and_others(pair: Sides) -> tuple[float, float]:
    n = pair.items
    total = 1.0 * n if pair.identical else float(np.trace(pair.raw_cross))
    every = float(pair.base_moments.total @ pair.tuned_moments.total)
    return float(np.clip(total / n, -1, 1)), float(np.clip((every - total) / (n * (n - 1)), -1, 1))


def _nearer(pair: Sides, seed: int) -> float:
    rows = sample_rows(pair.items, _COMPARED, seed=seed)
    cosines = unit_rows(pair.base, rows) @ unit_rows(pair.tuned, rows).T  # (m, m)
    own = np.diag(cosines)[:, None]
    m = len(rows)
    wins = (own > cosines).sum() + ((own == cosines).sum() - m) / 2  # a text is not held against itself
    return float(wins / (m * (m - 1)))


def _is_one(agreement: float | None, chance: float | None) -> bool:
    if agreement is None or chance is None:
        return True
    return agreement >= SURE_AGREEMENT or agreement >= max(LEAST_AGREEMENT, TIMES_CHANCE * chance)


def _sentence(pair: Sides, found: bool, given: bool, agreement: float | None, chance: float | None) -> str:
    head = f"{'One space' if found else 'Not one space'}{', as is known beforehand' if given else ''}"
    if pair.identical:
        return f"{head}: both sides have the same vectors."
    if agreement is None or chance is None:
        assumed = "" if given else "; equal widths stand in for it"
        return f"{head}: one side has all texts in one point, so that the vectors themselves do not tell{assumed}."
    by_chance = f"0 \N{PLUS-MINUS SIGN} {chance:.2g}"
    return f"{head}: a text's two vectors agree to {agreement:.3g} axis by axis, where chance gives {by_chance}."
