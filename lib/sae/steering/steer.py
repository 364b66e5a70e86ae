"""Steering: what a recipe does to one vector, how far it moves it, and which features change besides the targets.

    x' = x + push, brought to length 1 again where the model normalises;    cosine shift = 1 - cos(x, x')

An empty push gives x itself, bit for bit. Beside both the shift and the side effects stands what pushes of the same
length in random directions do: any push moves a vector, and changes some features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.steering.recipes import Push

DRAWS = 100
"""Random pushes of the same length that the numbers are held against."""
NOTICEABLE = 0.1
"""A side effect counts from this share of the change of the target's own pre-activation on."""
BAND = (5.0, 95.0)
"""Percentiles between which a band of random or other directions lies."""


@dataclass(frozen=True, eq=False)
class Steered(Result):
    """One vector x before and after a push."""

    vector: NDArray[np.floating]
    """x', shape (d,); x itself, bit for bit, where the push is empty."""
    cosine_shift: float
    """1 - cos(x, x'): 0 = nothing moved, 1 = at right angles, 2 = turned round."""
    random_shift: tuple[float, float, float]
    """The same under random pushes of that length: 5th percentile, median, 95th percentile."""
    push_length: float
    """Length of what was added."""
    own_length: float
    """Length of x, 1 for models that normalise."""
    targets: tuple[int, ...]
    """Features of the recipe."""
    deltas: tuple[float, ...]
    """Units of each that were added."""
    target_before: tuple[float, ...]
    """Their activations in x; 0 where silent."""
    target_after: tuple[float, ...]
    """Their activations in x'."""
    features: NDArray[np.int32]
    """Other features whose activation changed, the largest change first, shape (c,)."""
    before: NDArray[np.float32]
    """Their activations in x, shape (c,)."""
    after: NDArray[np.float32]
    """Their activations in x', shape (c,)."""
    least: float
    """Change of activation from which one counts as a side effect."""
    side_effects: int
    """How many of them changed by `least` or more."""
    random_side_effects: tuple[float, float, float]
    """Features changed by `least` or more under random pushes of that length: 5th percentile, median, 95th."""
    draws: int
    """Random pushes; 0 where the push is empty."""
    seed: int
    """Their seed."""

    @property
    def changes(self) -> NDArray[np.float64]:
        """What was gained, after - before, of the other features, shape (c,)."""
        return self.after.astype(np.float64) - self.before


def apply_push(vectors: NDArray[np.floating], push: Push) -> NDArray[np.floating]:
    """`vectors` (m, d) steered; the very same array where the push is empty.

    Raises:
        InputError: vectors of another width, or one that the push leaves without a direction.
    """
    if vectors.ndim != 2 or vectors.shape[1] != len(push.vector):
        raise InputError(f"This push is for vectors of {len(push.vector)} dimensions, got {vectors.shape[-1]}.")
    if not push.vector.any():
        return vectors
    moved = vectors.astype(np.float64) + push.vector
    if push.normalised:
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        if not (lengths > 0).all():
            raise InputError("This push takes away all that the text's vector is, so no direction is left.")
        moved /= lengths
    return moved.astype(vectors.dtype)


def steer(
    sae: SparseAutoencoder, vector: NDArray[np.floating], push: Push, *, draws: int = DRAWS, seed: int = 0
) -> Steered:
    """What `push` does to one embedding, shape (d,).

    Raises:
        InputError: a vector of another width, of zeros, or with NaN or infinite numbers.
    """
    x = np.asarray(vector)
    sae.check_width(x[None])
    if not np.any(x):
        raise InputError("This text's embedding is zero: there is nothing to steer. Choose another text.")
    moved = apply_push(x[None], push)[0]
    before, after = _dense(sae, x), _dense(sae, moved)
    targets = list(push.features)
    changed = before != after
    changed[targets] = False
    found = np.flatnonzero(changed)
    found = found[np.argsort(-np.abs(after - before)[found], kind="stable")]
    least = NOTICEABLE * _own_change(sae, x, moved, targets)
    noticed = int((np.abs(after - before)[found] >= least).sum()) if least else 0
    shifts, effects = _random(sae, x, push, least, draws, seed)
    return Steered(
        vector=moved,
        cosine_shift=0.0 if moved is x or np.array_equal(moved, x) else shift(x, moved),
        random_shift=shifts,
        push_length=push.length,
        own_length=float(np.linalg.norm(x.astype(np.float64))),
        targets=push.features,
        deltas=push.deltas,
        target_before=tuple(before[targets].tolist()),
        target_after=tuple(after[targets].tolist()),
        features=found.astype(np.int32),
        before=before[found],
        after=after[found],
        least=least,
        side_effects=noticed,
        random_side_effects=effects,
        draws=draws if push.vector.any() else 0,
        seed=seed,
    )


def shift(x: NDArray[np.floating], moved: NDArray[np.floating]) -> float:
    """1 - cos(x, x'), from 0 to 2."""
    a, b = x.astype(np.float64), moved.astype(np.float64)
    return float(1 - np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1, 1))


def random_directions(count: int, d: int, seed: int) -> NDArray[np.float64]:
    """`count` unit vectors, uniform on the sphere, shape (count, d)."""
    drawn = np.random.default_rng(seed).standard_normal((count, d))
    unit: NDArray[np.float64] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def band(values: NDArray[np.floating]) -> tuple[float, float, float]:
    """5th percentile, median and 95th percentile."""
    low, middle, high = np.percentile(values, [BAND[0], 50, BAND[1]]).tolist()
    return low, middle, high


def _dense(sae: SparseAutoencoder, x: NDArray[np.floating]) -> NDArray[np.float32]:
    features, activations = sae.encode(x[None]).of(0)
    made = np.zeros(sae.features, dtype=np.float32)
    made[features] = activations
    return made


def _own_change(
    sae: SparseAutoencoder, x: NDArray[np.floating], moved: NDArray[np.floating], targets: list[int]
) -> float:
    """The largest change of a target's pre-activation."""
    if not targets:
        return 0.0
    before, after = sae.pre_activations(np.stack([x, moved]))[:, targets]
    return float(np.abs(after - before).max())


def _random(
    sae: SparseAutoencoder, x: NDArray[np.floating], push: Push, least: float, draws: int, seed: int
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Cosine shifts and numbers of changed features under random pushes of the same length."""
    if not push.vector.any():
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    moved = x + push.length * random_directions(draws, len(x), seed)
    if push.normalised:
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    shifts = np.array([shift(x, row) for row in moved])
    codes, own = sae.encode(moved), _dense(sae, x)
    counts = np.zeros(draws)
    for row in range(draws):
        other = np.zeros(sae.features, dtype=np.float32)
        features, activations = codes.of(row)
        other[features] = activations
        counts[row] = (np.abs(other - own) >= least).sum() if least else 0
    return band(shifts), band(counts)
