"""What a dictionary does to texts that it was not trained on: always by the exported dictionary's own rule."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.training.results import Figures

_TEXTS = 2_048  # at once
_BIN = 0.25  # of log10(frequency)


@dataclass(frozen=True, eq=False)
class Held:
    """Sums over texts."""

    texts: int
    """Texts."""
    error: float
    """Sum of squared distances between vectors and reconstructions."""
    variance: float
    """Sum of squared distances between the vectors and their own mean."""
    firing: NDArray[np.int64]
    """Texts on which each feature fires, (n,)."""

    @property
    def fvu(self) -> float:
        """Fraction of variance unexplained; NaN where there is no variance."""
        return self.error / self.variance if self.variance > 0 else float("nan")

    @property
    def mean_active(self) -> float:
        """Features a text."""
        return float(self.firing.sum()) / self.texts if self.texts else float("nan")


def held(sae: SparseAutoencoder, vectors: NDArray[np.floating], rows: NDArray[np.int64] | None = None) -> Held:
    """The sums for `vectors` (m, d), or for those in `rows`."""
    count = len(vectors) if rows is None else len(rows)
    error, squares, total, shift = 0.0, 0.0, np.zeros(sae.dimensions), sae.decoder_bias.astype(np.float64)
    firing = np.zeros(sae.features, dtype=np.int64)
    for start in range(0, count, _TEXTS):
        here = slice(start, start + _TEXTS)
        block = np.asarray(vectors[here] if rows is None else vectors[rows[here]], dtype=np.float32)
        codes = sae.encode(block)
        error += float(np.square(sae.decode(codes) - block, dtype=np.float64).sum())
        moved = block.astype(np.float64) - shift
        total += moved.sum(axis=0)
        squares += float(np.square(moved).sum())
        firing += np.bincount(codes.features, minlength=sae.features)
    variance = squares - float(total @ total) / count if count else 0.0
    return Held(count, error, max(variance, 0.0), firing)


def figures(
    sae: SparseAutoencoder, held_out: NDArray[np.floating], vectors: NDArray[np.floating], census: NDArray[np.int64]
) -> Figures:
    """Figures at the end: of all `held_out` vectors, and of the training texts in rows `census` of `vectors`."""
    outside, inside = held(sae, held_out), held(sae, vectors, census)
    firing, texts = outside.firing + inside.firing, outside.texts + inside.texts
    frequencies = firing / texts
    edges = np.arange(np.floor(-np.log10(texts) / _BIN) * _BIN, _BIN / 2, _BIN)
    return Figures(
        fvu=outside.fvu,
        mean_active=outside.mean_active,
        held_out_texts=outside.texts,
        fvu_training=inside.fvu,
        dead_share=float(np.mean(firing == 0)),
        census_texts=texts,
        frequencies=frequencies.astype(np.float32),
        density_edges=edges,
        density=np.histogram(np.log10(frequencies[firing > 0]), bins=edges)[0],
    )


def check_held_out(held_out: NDArray[np.floating], d: int) -> None:
    """Refuse held-out vectors that cannot be measured.

    Raises:
        InputError: another width, fewer than 2, NaN or infinite numbers, or all alike.
    """
    if held_out.ndim != 2 or held_out.shape[1] != d:
        raise InputError(f"Held-out vectors should have {d} dimensions as those that train, got {held_out.shape}.")
    if len(held_out) < 2 or not np.isfinite(held_out).all():
        raise InputError(
            f"At least 2 held-out vectors of finite numbers are needed, got {len(held_out)}"
            f"{'' if np.isfinite(held_out).all() else ' with NaN or infinite numbers'}."
        )
    if not np.ptp(held_out, axis=0).any():
        raise InputError(f"All {len(held_out):,} held-out vectors are alike: nothing can be measured on them.")
