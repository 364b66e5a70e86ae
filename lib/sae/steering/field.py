"""The texts that are ranked, and what pushes of any length along some directions do to their scores and ranks."""

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import blocks
from lib.retrieval.key_blocks import in_threads
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.steering.auroc import auroc, auroc_of_parts
from lib.sae.steering.products import dots, squares_of
from lib.sae.steering.ranking import ranks

_SCORES = 2**20  # sorted by a thread before it takes the next directions


class Field:
    """The texts that are ranked, and what pushes of any length along some directions do to their scores.

    Those on which the feature fires stand first, so that either kind is one slice of every array.
    """

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
        self._base, self._along, self._onto = np.empty(0), np.empty((0, 0)), np.empty(0)
        self._fires, self._back = np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)

    @property
    def directions(self) -> int:
        """How many were taken."""
        return len(self._onto)

    def along(self, directions: NDArray[np.floating], fires: NDArray[np.bool_]) -> None:
        """Take the unit `directions` (c, d): every text's cosine with x and with each of them, times |x| and 1.

        `fires` marks those of the ranked texts, shape (n,), whose ranks and rises will be asked.
        """
        unit = directions.astype(np.float64)
        first = np.argsort(~fires, kind="stable")
        rows = np.flatnonzero(self._ranked)[first]
        lengths = np.sqrt(squares_of(self._vectors)[rows])
        made = dots(self._vectors, np.vstack([self._x, unit]))[:, rows]
        made /= np.where(lengths > 0, lengths, 1)
        self._base, self._along, self._onto = made[0], made[1:], unit @ self._x
        self._fires, self._back = fires, np.argsort(first)

    def shifts(self, length: float) -> NDArray[np.float64]:
        """1 - cos(x, x + length * direction) for each direction, shape (c,)."""
        if not length:
            return np.zeros(self.directions)
        square = float(self._x @ self._x)
        moved = np.sqrt(np.maximum(square + 2 * length * self._onto + length**2, 1e-300))
        made: NDArray[np.float64] = 1 - np.clip((square + length * self._onto) / (np.sqrt(square) * moved), -1, 1)
        return made

    def mean_ranks(self, length: float) -> NDArray[np.float64]:
        """Mean rank of the texts that fire, for each direction, shape (c,)."""
        if not length:
            return np.full(self.directions, self._mean_rank(self._base))
        found = np.empty(self.directions)

        def some(span: slice) -> None:
            found[span] = [self._mean_rank(self._base + length * along) for along in self._along[span]]

        in_threads(some, blocks(self.directions, max(1, _SCORES // len(self._base))))
        return found

    def rises(self, length: float) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """AUROC of those that fire by ranks risen, for each direction (c,); and the first one's ranks before and after.

        Ranks have shape (n,), in the order of the rows; ties by row.
        """
        before, found = self._ranks(self._base), np.empty(self.directions)

        def some(span: slice) -> None:
            for at, along in enumerate(self._along[span], span.start):
                after = self._ranks(self._base + length * along)
                found[at] = auroc((before - after).astype(float), self._fires)

        in_threads(some, blocks(self.directions, max(1, _SCORES // len(self._base))))
        return found, (before, self._ranks(self._base + length * self._along[0]))

    def _ranks(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        return ranks(scores[self._back], np.ones(len(scores), dtype=bool))

    def _mean_rank(self, scores: NDArray[np.float64]) -> float:
        m, n = int(self._fires.sum()), len(scores)
        return (m + 1) / 2 + (n - m) * (1 - auroc_of_parts(scores[:m], scores[m:]))
