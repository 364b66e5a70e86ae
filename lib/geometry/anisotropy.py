"""Anisotropy: do all embeddings point the same way?

Mean cosine similarity over pairs of embeddings (Ethayarajh 2019, arXiv:1909.00512). With unit vectors u_i
the mean over every pair has a closed form, so nothing is sampled:

    mean_{i != j} u_i . u_j = (|sum_i u_i|^2 - n) / (n (n - 1))

It splits exactly over dimensions (Timkey and van Schijndel 2021, arXiv:2109.04404), which shows the few
coordinates that dominate cosine. Not comparable between corpora: a narrow topic raises it as surely as a
collapsed model does. Low anisotropy does not by itself mean good retrieval (arXiv:2406.12336).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry.moments import Moments, moments
from lib.geometry.vectors import SAME, Pairs, check, pairs, unit_blocks
from lib.results import Result


@dataclass(frozen=True)
class Anisotropy(Result):
    """How far a set of embeddings is from spreading over the whole sphere, before and after mean-centering."""

    mean_cosine: float
    """Mean cosine of all n (n - 1) / 2 pairs, in [-1 / (n - 1), 1]; 0 is isotropic, 1 collapsed. Exact."""
    mean_cosine_centred: float
    """The same once the mean unit embedding is subtracted from every one: what is left beside the common offset.

    An embedding within .001 of the mean has no direction left that float32 would tell; its cosines count as 0.
    """
    deviation: float
    """Standard deviation of the cosines of the pairs in the histogram."""
    histogram: NDArray[np.float64]
    """Share of the pairs in each bin, shape (bins,)."""
    histogram_centred: NDArray[np.float64]
    """The same pairs after centering, shape (bins,)."""
    uniform_sphere: NDArray[np.float64]
    """Share that each bin would hold were the directions uniform on the sphere in d dimensions, shape (bins,)."""
    bin_edges: NDArray[np.float64]
    """Cosine at the bin edges, shape (bins + 1,), from -1 to 1."""
    top_direction_share: float
    """Largest eigenvalue of the second moment matrix over their sum, in [1 / d, 1]; high = one direction rules."""
    top_direction_share_centred: float
    """The same for the covariance (after centering); 0 when all embeddings are the same."""
    contributions: NDArray[np.float64]
    """Each dimension's part of `mean_cosine`, shape (d,); they sum to it."""
    contributions_centred: NDArray[np.float64]
    """Each dimension's part of `mean_cosine_centred`, shape (d,)."""
    pairs: int
    """Pairs behind the histograms; the means need none."""
    every_pair: bool
    """Whether the histograms hold every pair rather than a sample."""
    items: int
    """Embeddings measured, n."""
    dimensions: int
    """Dimensions of an embedding, d."""
    seed: int
    """Seed of the sample of pairs."""


def anisotropy(
    embeddings: NDArray[np.floating],
    *,
    max_pairs: int = 200_000,
    bins: int = 100,
    seed: int = 0,
    known: Moments | None = None,
    sample: Pairs | None = None,
) -> Anisotropy:
    """Measure the anisotropy of `embeddings`, shape (n, d), n >= 2, of any norm but zero.

    `known` moments and `sample` of pairs are used where they were already computed (`max_pairs` and `seed` are then
    the sample's own).

    Raises:
        InputError: fewer than two embeddings, or one of zero length (its direction is undefined).
    """
    n, d = check(embeddings, minimum=2, what="Anisotropy")
    sums = known or moments(embeddings)
    drawn = sample or pairs(embeddings, max_pairs=max_pairs, seed=seed)
    centred = _centre(embeddings, sums.mean)
    cosines = drawn.cosines.astype(np.float64)
    edges = np.linspace(-1, 1, bins + 1)
    contributions = _per_dimension(sums.total, np.diag(sums.outer), n)
    contributions_centred = _per_dimension(centred.total, centred.squares, n)
    return Anisotropy(
        mean_cosine=_in_range(contributions.sum(), n),
        mean_cosine_centred=_in_range(contributions_centred.sum(), n),
        deviation=float(cosines.std()),
        histogram=_share(cosines, edges),
        histogram_centred=_share(centred.cosines(drawn), edges),
        uniform_sphere=_uniform_sphere_share(edges, d),
        bin_edges=edges,
        top_direction_share=_top_share(sums.raw_spectrum),
        top_direction_share_centred=_top_share(sums.spectrum),
        contributions=contributions,
        contributions_centred=contributions_centred,
        pairs=len(cosines),
        every_pair=drawn.every_pair,
        items=n,
        dimensions=d,
        seed=drawn.seed,
    )


def _per_dimension(total: NDArray[np.float64], squares: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """mean_{i != j} u_i[k] u_j[k] for every dimension k, shape (d,)."""
    return (np.square(total) - squares) / (n * (n - 1))


@dataclass(frozen=True)
class _Centred:
    """What is needed of the embeddings moved by -mean and brought to length 1 again, without keeping them."""

    total: NDArray[np.float64]  # sum of the moved unit embeddings, (d,)
    squares: NDArray[np.float64]  # sum of their squares, (d,)
    along: NDArray[np.float32]  # u . mean of each embedding, (n,)
    lengths: NDArray[np.float32]  # |u - mean| of each, (n,); infinite at the mean itself, which counts as cosine 0
    mean_square: float  # |mean|^2

    def cosines(self, drawn: Pairs) -> NDArray[np.float64]:
        """(u - mean).(v - mean) / (|u - mean| |v - mean|), from u . v alone."""
        left, right = drawn.left, drawn.right
        products = drawn.cosines.astype(np.float64) - self.along[left] - self.along[right] + self.mean_square
        return np.clip(products / (self.lengths[left] * self.lengths[right]), -1, 1)


def _centre(embeddings: NDArray[np.floating], mean: NDArray[np.float64]) -> _Centred:
    n, d = embeddings.shape
    total, squares = np.zeros(d), np.zeros(d)
    along, lengths = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    middle = mean.astype(np.float32)
    for span, rows in unit_blocks(embeddings):
        along[span] = rows @ middle
        rows -= middle
        norms = np.sqrt(np.vecdot(rows, rows))
        lengths[span] = np.where(norms > _AT_THE_MEAN, norms, np.inf)
        rows /= lengths[span, None]
        total += rows.sum(axis=0)
        squares += np.einsum("ij,ij->j", rows, rows)
    return _Centred(total, squares, along, lengths, float(mean @ mean))


_AT_THE_MEAN = 1e-3  # u . v, rounded to 1e-7, then leaves (u - mean).(v - mean) no sure digit


def _in_range(mean_cosine: float, n: int) -> float:
    return float(np.clip(mean_cosine, -1 / (n - 1), 1))  # rounding may step over the ends


def _share(cosines: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts, _ = np.histogram(cosines, edges)
    return counts / len(cosines)


def _uniform_sphere_share(edges: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """On the unit sphere in R^d, (cosine + 1) / 2 follows Beta((d - 1) / 2, (d - 1) / 2)."""
    from scipy.stats import beta

    if d == 1:  # two points: cosine is -1 or 1, half each
        share = np.zeros(len(edges) - 1)
        share[[0, -1]] = 0.5
        return share
    return np.asarray(np.diff(beta.cdf((edges + 1) / 2, (d - 1) / 2, (d - 1) / 2)))


def _top_share(spectrum: NDArray[np.float64]) -> float:
    return float(spectrum[0] / spectrum.sum()) if spectrum.sum() > SAME**2 else 0.0
