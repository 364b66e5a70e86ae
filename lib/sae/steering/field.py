"""The texts that are ranked, and what pushes of any length along some directions do to their scores and ranks."""

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.steering.auroc import auroc, auroc_of_parts
from lib.sae.steering.ranking import ranks

_BLOCK = 8_192


class Field:
    """The texts that are ranked, and what pushes of any length along some directions do to their scores."""

    def __init__(
        self,
        sae: SparseAutoencoder,
        vectors: NDArray[np.floating],
        ranked: NDArray[np.bool_],
        x: NDArray[np.float64],
    ) -> None:
        sae.check_width(vectors)
        sae.check_width(x[None])
        if not x.any():
            raise InputError("This text's embedding is zero: there is nothing to steer. Choose another text.")
        self._vectors, self._ranked, self._x = vectors, ranked, x
        self._base, self.directions = np.empty(0), 0
        self._along, self._onto = np.empty((0, 0)), np.empty(0)

    def along(self, directions: NDArray[np.floating]) -> None:
        """Take the unit `directions` (c, d): every text's cosine with x and with each of them, times |x| and 1."""
        unit = directions.astype(np.float64)
        self._onto, self.directions = unit @ self._x, len(unit)
        rows = np.flatnonzero(self._ranked)
        made = np.empty((len(rows), 1 + len(unit)))
        columns = np.vstack([self._x, unit]).T
        for start in range(0, len(rows), _BLOCK):
            block = self._vectors[rows[start : start + _BLOCK]].astype(np.float64)
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            made[start : start + _BLOCK] = (block @ columns) / np.where(lengths > 0, lengths, 1)
        self._base, self._along = made[:, 0].copy(), np.ascontiguousarray(made[:, 1:].T)

    def shifts(self, length: float) -> NDArray[np.float64]:
        """1 - cos(x, x + length * direction) for each direction, shape (c,)."""
        if not length:
            return np.zeros(self.directions)
        square = float(self._x @ self._x)
        moved = np.sqrt(np.maximum(square + 2 * length * self._onto + length**2, 1e-300))
        made: NDArray[np.float64] = 1 - np.clip((square + length * self._onto) / (np.sqrt(square) * moved), -1, 1)
        return made

    def mean_ranks(self, length: float, fires: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean rank of the texts that `fires` marks, for each direction, shape (c,)."""
        m, n = int(fires.sum()), len(fires)
        base = self._base[fires], self._base[~fires]
        if not length:
            return np.full(self.directions, _mean_rank(auroc_of_parts(*base), m, n))
        areas = [
            auroc_of_parts(base[0] + length * along[fires], base[1] + length * along[~fires]) for along in self._along
        ]
        return np.array([_mean_rank(area, m, n) for area in areas])

    def rises(
        self, length: float, fires: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """AUROC of `fires` by ranks risen, for each direction (c,); and the first one's ranks before and after."""
        every = np.ones(len(fires), dtype=bool)
        before = ranks(self._base, every)
        first = ranks(self._base + length * self._along[0], every)
        found = [auroc((before - first).astype(float), fires)]
        found += [
            auroc((before - ranks(self._base + length * along, every)).astype(float), fires)
            for along in self._along[1:]
        ]
        return np.array(found), (before, first)


def _mean_rank(area: float, m: int, n: int) -> float:
    return (m + 1) / 2 + (n - m) * (1 - area)
