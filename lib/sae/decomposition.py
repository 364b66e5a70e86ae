"""Decomposition: the features that one embedding is made of; contrast: what two embeddings share and what they do not.

With x the embedding, a its activations and e = x - x_hat what the dictionary leaves out, every embedding is

    x = sum_f a_f direction_f + b_dec + e.

Multiplied by any vector y this splits the score x . y into one part a feature, one of the decoder's bias and one of
the error, which add up to it exactly. With y = x and divided by |x|^2 they are the shares of a decomposition; with y
the other embedding and divided by |x| |y| they are the contributions to the cosine similarity.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder

TWICE = 2.0
"""From how many times as strong on a feature that fires in both counts as one that differs."""
_MOST_PAIRS = 20


@dataclass(frozen=True, eq=False)
class Decomposition(Result):
    """One embedding x taken apart. Shares are parts of x . x and may be negative; all of them sum to 1."""

    features: NDArray[np.int32]
    """Features that fire, the strongest first, equals by their number, shape (a,)."""
    activations: NDArray[np.float32]
    """How strongly, shape (a,), all above 0."""
    shares: NDArray[np.float64]
    """a_f (direction_f . x) / |x|^2, shape (a,): negative where the rest of x points away from the feature."""
    bias_share: float
    """b_dec . x / |x|^2: what x has in common with the average text of the training."""
    error_share: float
    """e . x / |x|^2: what the dictionary leaves out; negative where the reconstruction is longer than x."""
    norm: float
    """|x|; 1 for encoders that normalise."""
    reconstruction_norm: float
    """|x_hat|."""
    error_norm: float
    """|e|."""
    cosine: float
    """Cosine similarity of x and x_hat, -1 to 1; 0 where x_hat is 0."""
    fvu: float | None
    """|e|^2 / |x - b_dec|^2, the fraction of variance unexplained of this one text: 0 = all is explained, 1 = no
    better than the decoder's bias alone; None where x is that bias. It is not `error_share`: that one is signed, and
    relative to x itself."""
    dictionary: int
    """Features in the dictionary, n."""

    @property
    def features_share(self) -> float:
        """Share of all features together."""
        return float(self.shares.sum())


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """A cosine similarity as a sum: contributions + bias + error = cosine."""

    contributions: NDArray[np.float64]
    """One a feature of the contrast, shape (m,): above 0 it draws the texts together, below 0 apart."""
    bias: float
    """Of the decoder's bias."""
    error: float
    """Of what the dictionary leaves out."""


@dataclass(frozen=True, eq=False)
class Meetings(Result):
    """The same cosine by which features meet: same + different + bias + error = cosine."""

    same: float
    """Features that fire in both, each with itself."""
    different: float
    """Every feature of A with every other of B: directions that point alike, or against each other."""
    bias: float
    """All products with the decoder's bias, but for those with an error."""
    error: float
    """All products with an error of either text."""
    pairs: NDArray[np.int32]
    """The pairs (feature of A, feature of B) that weigh most, by size, shape (p, 2), p at most 20."""
    parts: NDArray[np.float64]
    """What each gives: a_f(A) a_g(B) (direction_f . direction_g) / (|A| |B|), shape (p,)."""


@dataclass(frozen=True, eq=False)
class Contrast(Result):
    """Two embeddings A and B feature by feature."""

    features: NDArray[np.int32]
    """Features that fire in either, the largest difference of activations first, shape (m,)."""
    activations_a: NDArray[np.float32]
    """How strongly in A, shape (m,); 0 where silent."""
    activations_b: NDArray[np.float32]
    """How strongly in B, shape (m,); 0 where silent."""
    cosine: float
    """Cosine similarity of A and B."""
    through_a: Attribution
    """A taken apart, B whole: a_f(A) (direction_f . B) / (|A| |B|), b_dec . B, e(A) . B."""
    through_b: Attribution
    """B taken apart, A whole."""
    both: Attribution
    """The mean of the two, which does not depend on which text is called A."""
    meetings: Meetings
    """Both taken apart."""
    dictionary: int
    """Features in the dictionary, n."""

    @property
    def only_a(self) -> NDArray[np.bool_]:
        """Features that fire in A alone, shape (m,)."""
        alone: NDArray[np.bool_] = self.activations_b == 0
        return alone

    @property
    def only_b(self) -> NDArray[np.bool_]:
        """Features that fire in B alone, shape (m,)."""
        alone: NDArray[np.bool_] = self.activations_a == 0
        return alone

    @property
    def shared(self) -> NDArray[np.bool_]:
        """Features that fire in both, shape (m,)."""
        return (self.activations_a > 0) & (self.activations_b > 0)

    def differing(self, times: float = TWICE) -> NDArray[np.bool_]:
        """Features that fire in one alone, or in one at least `times` (> 1) as strongly as in the other, shape (m,)."""
        low = np.minimum(self.activations_a, self.activations_b)
        differs: NDArray[np.bool_] = np.maximum(self.activations_a, self.activations_b) >= times * low
        return differs

    def strongest_shared(self) -> NDArray[np.int64]:
        """Places of the features that fire in both, by the weaker of their two activations, strongest first."""
        places = np.flatnonzero(self.shared)
        return places[np.argsort(-np.minimum(self.activations_a, self.activations_b)[places], kind="stable")]


def decompose(sae: SparseAutoencoder, vector: NDArray[np.floating]) -> Decomposition:
    """Take one embedding, shape (d,), apart. A vector on which no feature fires is all bias and error.

    Raises:
        InputError: a vector of another width, one of zeros, or one with NaN or infinite numbers.
    """
    apart = _Apart.of(sae, vector)
    order = np.lexsort((apart.features, -apart.activations))
    x, x_hat = apart.vector, apart.reconstruction
    square, centred = x @ x, float(np.sum((x - apart.bias) ** 2))
    lengths = np.sqrt(square) * np.linalg.norm(x_hat)
    return Decomposition(
        features=apart.features[order],
        activations=apart.activations[order].astype(np.float32),
        shares=(apart.parts(x) / square)[order],
        bias_share=float(apart.bias @ x / square),
        error_share=float(apart.error @ x / square),
        norm=float(np.sqrt(square)),
        reconstruction_norm=float(np.linalg.norm(x_hat)),
        error_norm=float(np.linalg.norm(apart.error)),
        cosine=float(x @ x_hat / lengths) if lengths else 0.0,
        fvu=float(apart.error @ apart.error / centred) if centred else None,
        dictionary=sae.features,
    )


def contrast(sae: SparseAutoencoder, a: NDArray[np.floating], b: NDArray[np.floating]) -> Contrast:
    """Set two embeddings, each of shape (d,), side by side.

    Raises:
        InputError: as `decompose`.
    """
    of_a, of_b = _Apart.of(sae, a), _Apart.of(sae, b)
    features = np.union1d(of_a.features, of_b.features)
    firing_a, firing_b = of_a.over(features, of_a.activations), of_b.over(features, of_b.activations)
    order = np.lexsort((features, -np.abs(firing_a - firing_b)))
    features = features[order]
    length = float(np.linalg.norm(of_a.vector) * np.linalg.norm(of_b.vector))
    through_a, through_b = _attribution(of_a, of_b, features, length), _attribution(of_b, of_a, features, length)
    return Contrast(
        features=features.astype(np.int32),
        activations_a=firing_a[order].astype(np.float32),
        activations_b=firing_b[order].astype(np.float32),
        cosine=float(of_a.vector @ of_b.vector / length),
        through_a=through_a,
        through_b=through_b,
        both=Attribution(
            (through_a.contributions + through_b.contributions) / 2,
            (through_a.bias + through_b.bias) / 2,
            (through_a.error + through_b.error) / 2,
        ),
        meetings=_meetings(of_a, of_b, length),
        dictionary=sae.features,
    )


@dataclass(frozen=True, eq=False)
class _Apart:
    """One embedding taken apart, in float64 so that its parts add up."""

    vector: NDArray[np.float64]
    features: NDArray[np.int32]
    activations: NDArray[np.float64]
    directions: NDArray[np.float64]
    """Of the features that fire, shape (a, d)."""
    bias: NDArray[np.float64]

    @classmethod
    def of(cls, sae: SparseAutoencoder, vector: NDArray[np.floating]) -> "_Apart":
        given = np.asarray(vector)
        sae.check_width(given[None])
        features, activations = sae.encode(given[None]).of(0)
        if not given.any():
            raise InputError(
                "This text's embedding is zero, as that of a text without any token that the encoder knows: there is "
                "nothing to take apart. Choose another text."
            )
        directions = sae.decoder_weights[features].astype(np.float64)
        bias = sae.decoder_bias.astype(np.float64)
        return cls(given.astype(np.float64), features, activations.astype(np.float64), directions, bias)

    @cached_property
    def summed(self) -> NDArray[np.float64]:
        """What the features add up to, shape (d,)."""
        made: NDArray[np.float64] = self.activations @ self.directions
        return made

    @property
    def reconstruction(self) -> NDArray[np.float64]:
        return self.summed + self.bias

    @property
    def error(self) -> NDArray[np.float64]:
        return self.vector - self.reconstruction

    def parts(self, other: NDArray[np.float64]) -> NDArray[np.float64]:
        """a_f (direction_f . other) for the features that fire, shape (a,)."""
        made: NDArray[np.float64] = self.activations * (self.directions @ other)
        return made

    def over(self, features: NDArray[np.integer], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`values` of the features that fire, set among `features`; 0 for those that do not."""
        held = dict(zip(self.features.tolist(), values.tolist(), strict=True))
        return np.array([held.get(feature, 0.0) for feature in features.tolist()])


def _attribution(apart: _Apart, whole: _Apart, features: NDArray[np.integer], length: float) -> Attribution:
    y = whole.vector / length
    return Attribution(apart.over(features, apart.parts(y)), float(apart.bias @ y), float(apart.error @ y))


def _meetings(a: _Apart, b: _Apart, length: float) -> Meetings:
    products = a.activations[:, None] * (a.directions @ b.directions.T) * b.activations / length  # (in a, in b)
    same = a.features[:, None] == b.features
    most = np.argsort(-np.abs(products), axis=None, kind="stable")[:_MOST_PAIRS]
    rows, columns = np.unravel_index(most, products.shape)
    bias = a.summed @ a.bias + a.bias @ b.summed + a.bias @ a.bias
    return Meetings(
        same=float(products[same].sum()),
        different=float(products[~same].sum()),
        bias=float(bias / length),
        error=float((a.vector @ b.vector - a.reconstruction @ b.reconstruction) / length),
        pairs=np.stack([a.features[rows], b.features[columns]], axis=1).reshape(-1, 2),
        parts=products[rows, columns],
    )
