"""Hubness: do a few texts turn up among everyone's neighbours?

k-occurrence N_k(x) = how many texts have x among their k nearest neighbours; its mean is k. In high
dimensions its distribution grows a long right tail (Radovanovic et al. 2010, JMLR 11): hubs, which crowd
into unrelated result lists, and antihubs, which are never retrieved.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.neighbours import Neighbours, neighbours
from lib.geometry.vectors import check, sample_rows, unit_rows
from lib.results import Result


@dataclass(frozen=True)
class Hubness(Result):
    """How unevenly neighbourhoods are shared out."""

    skewness: float
    """Third standardised moment of N_k; 0 = even, above 1 marked hubness; 0 where every N_k is the same."""
    occurrence: NDArray[np.int64]
    """N_k of each text counted, shape (m,)."""
    rows: NDArray[np.int64]
    """The texts counted, shape (m,): all of them, or a uniform sample that was searched among itself."""
    hubs: NDArray[np.int64]
    """Rows of the texts with the highest N_k, highest first."""
    hub_counts: NDArray[np.int64]
    """Their N_k."""
    antihub_share: float
    """Share of texts that are nobody's neighbour (N_k = 0)."""
    chance_skewness: float
    """Skewness that N_k would have were neighbours drawn at random (binomial): the baseline."""
    k: int
    """Neighbours counted, after lowering to m - 1."""
    items: int
    """Texts in the corpus, n."""
    seed: int
    """Seed of the sample."""


def hubness(
    embeddings: NDArray[np.floating],
    *,
    k: int = 10,
    top: int = 20,
    exact_up_to: int = 10_000,
    sample: int = 5_000,
    nearest: Neighbours | None = None,
    seed: int = 0,
) -> Hubness:
    """Measure hubness among the directions of `embeddings`, shape (n, d), n >= 2, by cosine.

    Above `exact_up_to` texts a uniform sample is searched among itself. `nearest` is used where it holds every row
    and at least k neighbours.

    Raises:
        InputError: fewer than two embeddings, one of zero length, k < 1, or a sample of fewer than two.
    """
    n, _ = check(embeddings, minimum=2, what="Hubness")
    if k < 1 or sample < 2:
        raise InputError(f"Hubness needs k of at least 1 and a sample of at least 2, got {k} and {sample}.")
    rows = sample_rows(n, n if n <= exact_up_to else sample, seed=seed)
    k = min(k, len(rows) - 1)
    if nearest is not None and len(nearest.rows) == nearest.items == len(rows) == n and nearest.indices.shape[1] >= k:
        found = nearest.indices[:, :k]
    else:
        chosen = embeddings if len(rows) == n else unit_rows(embeddings, rows)
        found = neighbours(chosen, k=k, exact_up_to=len(rows)).indices
    occurrence = np.bincount(found.ravel(), minlength=len(rows))
    order = np.argsort(-occurrence, kind="stable")[:top]
    chance = k / (len(rows) - 1)
    spread = np.sqrt((len(rows) - 1) * chance * (1 - chance))
    return Hubness(
        skewness=_skewness(occurrence),
        occurrence=occurrence,
        rows=rows,
        hubs=rows[order],
        hub_counts=occurrence[order],
        antihub_share=float((occurrence == 0).mean()),
        chance_skewness=float((1 - 2 * chance) / spread) if spread > 0 else 0.0,
        k=k,
        items=n,
        seed=seed,
    )


def _skewness(counts: NDArray[np.int64]) -> float:
    gaps = counts - counts.mean()
    deviation = np.sqrt(np.square(gaps).mean())
    return float((gaps**3).mean() / deviation**3) if deviation > 0 else 0.0
