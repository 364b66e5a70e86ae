"""Similarity of the n features of one dictionary to the m of another, a block of rows at a time.

By cosine: of unit directions in one space. By correlation: Pearson's, of activations over the texts of a corpus, which
are zero where a feature is silent; from sums over the sparse codes, never texts x features in full.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lib.sae.codes import Codes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PAIRS = 2**16  # pairs looked up at once
_DENSE = 2**21  # correlations made at once in double precision


class Similarity(Protocol):
    """How similar each of ours is to each of theirs: 1 the same, 0 unrelated, never above 1."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""

    def rows(self, part: slice) -> NDArray[np.float32]:
        """Of some of ours with all of theirs, shape (rows, m)."""

    def pairs(self, ours: NDArray[np.integer], theirs: NDArray[np.integer]) -> NDArray[np.float32]:
        """Of the pairs that two arrays of one length name, in their order."""

    def turned(self) -> "Similarity":
        """The same from the other side, shape (m, n)."""


class Cosines:
    """Cosine similarity of unit directions, shapes (n, d) and (m, d)."""

    def __init__(self, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
        self._ours, self._theirs = ours, theirs

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self._ours), len(self._theirs)

    def rows(self, part: slice) -> NDArray[np.float32]:
        """Cosines of some of ours with all of theirs."""
        found: NDArray[np.float32] = self._ours[part] @ self._theirs.T
        return found

    def pairs(self, ours: NDArray[np.integer], theirs: NDArray[np.integer]) -> NDArray[np.float32]:
        """Cosines of pairs."""
        found = np.empty(len(ours), dtype=np.float32)
        for start in range(0, len(ours), _PAIRS):
            part = slice(start, start + _PAIRS)
            found[part] = np.einsum("ij,ij->i", self._ours[ours[part]], self._theirs[theirs[part]])
        return found

    def turned(self) -> "Cosines":
        """From the other side."""
        return Cosines(self._theirs, self._ours)


class Correlations:
    """Correlation of activations; features that fire on fewer texts than asked, or always alike, have 0 with all."""

    def __init__(self, ours: "Standardised", theirs: "Standardised") -> None:
        self._ours, self._theirs = ours, theirs

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return self._ours.by_feature.shape[0], self._theirs.by_feature.shape[0]

    def rows(self, part: slice) -> NDArray[np.float32]:
        """Correlations of some of ours with all of theirs."""
        n, m = self.shape
        start, stop, _ = part.indices(n)
        found = np.empty((stop - start, m), dtype=np.float32)
        step = max(1, _DENSE // m)
        for first in range(start, stop, step):
            here = slice(first, min(first + step, stop))
            product = (self._ours.by_feature[here] @ self._theirs.by_text).toarray()
            product -= np.outer(self._ours.shift[here], self._theirs.shift)
            found[first - start : here.stop - start] = product
        return found

    def pairs(self, ours: NDArray[np.integer], theirs: NDArray[np.integer]) -> NDArray[np.float32]:
        """Correlations of pairs."""
        found = np.empty(len(ours), dtype=np.float32)
        for start in range(0, len(ours), _PAIRS):
            part = slice(start, start + _PAIRS)
            a, b = ours[part], theirs[part]
            together = self._ours.by_feature[a].multiply(self._theirs.by_feature[b]).sum(axis=1)
            found[part] = np.asarray(together).ravel() - self._ours.shift[a] * self._theirs.shift[b]
        return found

    def turned(self) -> "Correlations":
        """From the other side."""
        return Correlations(self._theirs, self._ours)


class Standardised:
    """Activations over m texts divided by sqrt(m) and each feature's deviation, not centred, so that they stay sparse.

    The correlation of two features is the product of their rows less the product of their shifts.
    """

    def __init__(self, codes: Codes, *, fewest: int) -> None:
        texts = len(codes)
        a = codes.activations.astype(np.float64)
        count = np.bincount(codes.features, minlength=codes.width)
        mean = np.bincount(codes.features, weights=a, minlength=codes.width) / texts
        square = np.bincount(codes.features, weights=a**2, minlength=codes.width) / texts
        variance = square - mean**2
        self.judged: NDArray[np.bool_] = (count >= fewest) & (variance > 1e-9 * np.maximum(square, 1e-300))
        """Features that fire often enough, and not always alike, shape (n,)."""
        scale = np.zeros(codes.width)
        scale[self.judged] = 1 / np.sqrt(variance[self.judged])
        self.shift = mean * scale
        """Mean over deviation, shape (n,)."""
        self._codes, self._scale = codes, scale
        self.by_text = self._matrix(a)
        """Shape (texts, n)."""
        self.by_feature: csr_array = self.by_text.T.tocsr()
        """Shape (n, texts)."""

    def shuffled(self, order: NDArray[np.integer]) -> "Standardised":
        """The same features over the texts in another order."""
        other = object.__new__(Standardised)
        other.judged, other.shift, other._codes, other._scale = self.judged, self.shift, self._codes, self._scale
        other.by_text = self.by_text[order]
        other.by_feature = other.by_text.T.tocsr()
        return other

    def _matrix(self, activations: NDArray[np.float64]) -> "csr_array":
        from scipy.sparse import csr_array

        codes = self._codes
        values = activations * self._scale[codes.features] / np.sqrt(len(codes))
        shape = (len(codes), codes.width)
        made = csr_array((values, codes.features.copy(), codes.starts.astype(np.int32)), shape=shape)
        made.eliminate_zeros()
        return made
