"""Codes: which features of a dictionary fire on each text, and how strongly; kept sparse."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array


@dataclass(frozen=True, eq=False)
class Codes(Result):
    """The activations of m texts over a dictionary of `width` features, row by row (compressed sparse rows)."""

    starts: NDArray[np.int64]
    """Where each text's features begin in the two arrays below, shape (m + 1,)."""
    features: NDArray[np.int32]
    """Features that fire, ascending within a text, shape (active,)."""
    activations: NDArray[np.float32]
    """How strongly each fires, shape (active,), all above 0."""
    width: int
    """Features in the dictionary, n."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def active(self) -> NDArray[np.int64]:
        """Features that fire on each text, shape (m,)."""
        return np.diff(self.starts)

    def of(self, text: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The features that fire on the text in row `text`, and how strongly."""
        here = slice(self.starts[text], self.starts[text + 1])
        return self.features[here], self.activations[here]

    def firing(self, feature: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rows of the texts on which `feature` fires, ascending, and how strongly."""
        columns = self.columns
        here = slice(columns.indptr[feature], columns.indptr[feature + 1])
        return columns.indices[here], columns.data[here]

    @cached_property
    def matrix(self) -> "csr_array":
        """The codes as a sparse matrix, shape (m, n)."""
        from scipy.sparse import csr_array

        return csr_array((self.activations, self.features, self.starts), shape=(len(self), self.width))

    @cached_property
    def columns(self) -> "csc_array":
        """The same, feature by feature: rows ascend within a feature."""
        made = self.matrix.tocsc()
        made.sort_indices()
        return made

    def select(self, rows: NDArray[np.integer]) -> "Codes":
        """The codes of the texts at `rows`, in that order."""
        part = self.matrix[np.asarray(rows, dtype=np.int64)]
        return Codes(
            part.indptr.astype(np.int64), part.indices.astype(np.int32), part.data.astype(np.float32), self.width
        )
