"""Small sparse autoencoders and data whose features are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import PACKAGED, Policy, describe
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.codes import Codes


@dataclass(frozen=True)
class Planted:
    """Vectors that were added up from a few directions each, and which."""

    vectors: NDArray[np.float32]
    directions: NDArray[np.float32]
    activations: NDArray[np.float32]


def planted(m: int = 2_000, d: int = 16, n: int = 24, k: int = 3, *, noise: float = 0.01, seed: int = 0) -> Planted:
    """m vectors of d dimensions, each the sum of k of n random unit directions, weights 0.5 to 1.5, and noise."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(n, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    activations = np.zeros((m, n))
    chosen = generator.random((m, n)).argpartition(k, axis=1)[:, :k]
    np.put_along_axis(activations, chosen, generator.uniform(0.5, 1.5, size=(m, k)), axis=1)
    vectors = activations @ directions + noise * generator.normal(size=(m, d))
    return Planted(vectors.astype(np.float32), directions.astype(np.float32), activations.astype(np.float32))


def orthogonal_sae(n: int = 6, *, bias: float = 0.0, about: About | None = None) -> SparseAutoencoder:
    """n features along the axes of n dimensions; each fires where its coordinate is above `bias`, as strongly."""
    eye = np.eye(n, dtype=np.float32)
    return SparseAutoencoder(
        eye,
        np.zeros(n, np.float32),
        eye,
        np.zeros(n, np.float32),
        "jumprelu",
        thresholds=np.full(n, bias, np.float32),
        about=about or About(),
    )


def random_sae(d: int = 16, n: int = 48, k: int = 4, *, seed: int = 0, about: About | None = None) -> SparseAutoencoder:
    """A TopK dictionary of random directions whose encoder is the decoder's transpose."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(n, d)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return SparseAutoencoder(
        directions.T,
        np.zeros(n, np.float32),
        directions,
        np.zeros(d, np.float32),
        "topk",
        k=k,
        about=about or About(),
    )


def packaged_sae(n: int = 64, k: int = 6) -> SparseAutoencoder:
    """A random dictionary that says it is for the packaged encoder."""
    checkpoint = describe(PACKAGED, policy=Policy())
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    return random_sae(d=384, n=n, k=k, about=about)


def codes_of(activations: NDArray[np.floating]) -> Codes:
    """The codes of a dense array of activations, shape (m, n)."""
    rows, features = np.nonzero(activations)
    counts = np.bincount(rows, minlength=len(activations))
    return Codes(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        features.astype(np.int32),
        activations[rows, features].astype(np.float32),
        activations.shape[1],
    )
