"""Why this document? A score of a query and a document as a sum over the features that fire on the query.

    q . d = sum_f a_f(q) (direction_f . d) + b_dec . d + error(q) . d

For cosine each part is divided by |q| |d|, and they sum to the cosine. The difference of two documents' scores is a sum
of the same parts: where one that is not relevant stands above one that is, it shows which features lost it. Since a
feature taken out shortens both scores' query alike, the relevant one comes out ahead without a feature exactly where
that feature's part in the difference is larger than the whole difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.retrieval import Measure
from lib.sae.autoencoder import SparseAutoencoder


@dataclass(frozen=True, eq=False)
class Why(Result):
    """The scores of one query with m documents, feature by feature; a features fire on the query."""

    features: NDArray[np.int32]
    """The features, ascending, shape (a,)."""
    activations: NDArray[np.float32]
    """How strongly each fires on the query, shape (a,)."""
    parts: NDArray[np.float64]
    """What each adds to each score, shape (m, a); negative where the document points away from the feature."""
    bias: NDArray[np.float64]
    """What the decoder's bias adds, shape (m,)."""
    error: NDArray[np.float64]
    """What is in no feature adds, shape (m,)."""
    scores: NDArray[np.float64]
    """The scores: parts, bias and error sum to them, shape (m,)."""
    measure: str
    """cosine or dot."""

    def lead(self, of: int, over: int) -> "Why":
        """Why the document at row `of` scores higher than that at `over`: one row of differences."""
        rows = slice(of, of + 1), slice(over, over + 1)
        return Why(
            self.features,
            self.activations,
            self.parts[rows[0]] - self.parts[rows[1]],
            self.bias[rows[0]] - self.bias[rows[1]],
            self.error[rows[0]] - self.error[rows[1]],
            self.scores[rows[0]] - self.scores[rows[1]],
            self.measure,
        )

    def order(self, row: int = 0) -> NDArray[np.int64]:
        """Places of the features by what each adds to a score, largest first."""
        return np.lexsort((self.features, -self.parts[row]))

    def turns(self, row: int = 0) -> NDArray[np.bool_]:
        """Of a row of differences above 0: features without which it would be below 0, shape (a,)."""
        return np.asarray((self.scores[row] > 0) & (self.parts[row] > self.scores[row]))


def why(
    sae: SparseAutoencoder,
    query: NDArray[np.floating],
    documents: NDArray[np.floating],
    *,
    measure: Measure = "cosine",
) -> Why:
    """Take the scores of a query (d,) with documents (m, d) apart. A vector of zeros has cosine 0, and no parts.

    Raises:
        InputError: vectors of another width, not finite, or a measure that is no sum over features.
    """
    if measure not in ("cosine", "dot"):
        raise InputError(f"A score by {measure} is no sum over features: choose cosine or dot.")
    asked = np.asarray(query)[None]
    sae.check_width(asked)
    sae.check_width(documents)
    features, activations = sae.encode(asked).of(0)
    q, d = asked[0].astype(np.float64), np.asarray(documents, dtype=np.float64)
    if measure == "cosine":
        lengths = np.linalg.norm(q) * np.linalg.norm(d, axis=1, keepdims=True)
        d = np.divide(d, lengths, out=np.zeros_like(d), where=lengths > 0)
    directions, bias = sae.decoder_weights[features].astype(np.float64), sae.decoder_bias.astype(np.float64)
    amounts = activations.astype(np.float64)
    error = q - amounts @ directions - bias
    return Why(
        features=features,
        activations=activations,
        parts=(d @ directions.T) * amounts,
        bias=d @ bias,
        error=d @ error,
        scores=d @ q,
        measure=measure,
    )
