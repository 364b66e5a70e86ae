"""What a lens is worth: how much of the output its readings hold, and whether a dictionary takes them apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.sae.autoencoder import SparseAutoencoder

_STRONGEST = 64
"""Features compared where the dictionary does not say how many it keeps a text."""

Array = NDArray[np.float64]


@dataclass(eq=False)
class LensSums:
    """Sums over texts seen so far, at each depth."""

    strongest: int
    """How many strongest features of two vectors are compared."""
    texts: int
    """Texts seen."""
    paired: int
    """Those with another text in their batch."""
    missed: Array
    """Sum of |x - g|^2 of the output x and each depth's guess g, shape (depths,)."""
    unexplained: Array
    """Sum of |r - r_hat|^2 of each depth's reading r, shape (depths,)."""
    first: Array
    """Sum of r - b_dec, shape (depths, d)."""
    second: Array
    """Sum of |r - b_dec|^2, shape (depths,)."""
    shared: Array
    """Sum over texts of how many of the output's strongest features are among r's, shape (depths,)."""
    shared_by_chance: Array
    """The same with the output of another text, shape (depths,)."""

    @classmethod
    def none(cls, sae: SparseAutoencoder, depths: int) -> "LensSums":
        """Before the first batch."""
        kept = min(sae.k or _STRONGEST, sae.features)
        zero = [np.zeros(depths) for _ in range(5)]
        return cls(kept, 0, 0, zero[0], zero[1], np.zeros((depths, sae.dimensions)), zero[2], zero[3], zero[4])

    def add(self, sae: SparseAutoencoder, guesses: NDArray[np.float32], readings: NDArray[np.float32]) -> None:
        """Count some texts in: their guesses and readings, shape (depths, b, d), the last of which are outputs."""
        output = readings[-1].astype(np.float64)
        b = len(output)
        final = self._tops(sae, readings[-1])
        for depth, reading in enumerate(readings):
            r = reading.astype(np.float64)
            centred = r - sae.decoder_bias
            self.missed[depth] += np.sum((output - guesses[depth]) ** 2)
            self.unexplained[depth] += np.sum((r - sae.reconstruct(reading)) ** 2)
            self.first[depth] += centred.sum(axis=0)
            self.second[depth] += np.sum(centred**2)
            here = self._tops(sae, reading)
            self.shared[depth] += _shared(here, final)
            if b > 1:
                self.shared_by_chance[depth] += _shared(here, np.roll(final, 1, axis=0))
        self.texts += b
        self.paired += b if b > 1 else 0

    @property
    def r2(self) -> Array:
        """1 - |x - g|^2 / |x - mean x|^2, both summed, shape (depths,); NaN where all outputs are alike."""
        return 1 - _ratio(self.missed, self._variances()[-1:])

    @property
    def fvu(self) -> Array:
        """|r - r_hat|^2 / |r - mean r|^2, both summed, shape (depths,); NaN where all readings are alike."""
        return _ratio(self.unexplained, self._variances())

    @property
    def overlap(self) -> Array:
        """Mean share of strongest features in common with the text's own output, shape (depths,)."""
        return self.shared / (self.strongest * max(self.texts, 1))

    @property
    def by_chance(self) -> Array:
        """And with that of another text, shape (depths,); NaN where no batch had two texts."""
        return _ratio(self.shared_by_chance, np.array([float(self.strongest * self.paired)]))

    def _variances(self) -> Array:
        spread: Array = self.second - np.sum(self.first**2, axis=1) / max(self.texts, 1)
        return np.where(spread > 1e-9 * self.second, spread, 0.0)

    def _tops(self, sae: SparseAutoencoder, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Mask of the strongest pre-activations of each vector, shape (b, n)."""
        pre = sae.pre_activations(vectors)
        at = np.argpartition(-pre, self.strongest - 1, axis=1)[:, : self.strongest]
        mask = np.zeros(pre.shape, dtype=bool)
        np.put_along_axis(mask, at, values=True, axis=1)
        return mask


def _shared(here: NDArray[np.bool_], final: NDArray[np.bool_]) -> float:
    return float((here & final).sum())


def _ratio(above: Array, below: Array) -> Array:
    made: Array = np.divide(
        above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below > 0
    )
    return made
