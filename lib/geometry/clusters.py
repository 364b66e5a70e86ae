"""Clusters: which texts lie together, found without labels.

HDBSCAN (Campello et al. 2013) finds groups of any shape and number and leaves out what belongs to none; k-means on unit
vectors divides everything into a given number. In hundreds of dimensions densities differ too little for HDBSCAN, so it
works on a UMAP of 5 dimensions. Measured with the packaged encoder on the test texts of Banking77 (3,080, 77 intents)
and CLINC150 (5,500, 150 intents and 1,000 out of scope), smallest cluster 10 texts: adjusted Rand index over the
in-scope texts, and the share of these left in no cluster; for what is seeded the mean of five seeds and the range:

    HDBSCAN on            Banking77                    CLINC150
    all dimensions        .03, 51 %                    .04, 39 %
    PCA, 20 dimensions    .04, 44 %                    .03, 40 %
    PCA, 50 dimensions    .05, 42 %                    .07, 30 %
    UMAP, 5 dimensions    .43 (.41 to .45), 8 %        .55 (.54 to .57), 6 %
    the same, min_size left to `cluster`
                          .46 (.44 to .47), 8 %        .62 (.61 to .64), 4 %
    k-means, told the number of intents
                          .49 (.48 to .50), 0 %        .66 (.65 to .68), 0 %

Where topics run into each other the answer hangs on the seed: a corpus of 378 texts in three fields and 18 topics gave
two to six clusters (adjusted Rand index with the fields .52 to .73). A cluster is where to look, not a fact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.cluster_methods import (
    assign_to_centroids,
    assign_to_neighbours,
    centroid_distances,
    default_size,
    hdbscan,
    kmeans,
    largest_first,
    silhouette,
)
from lib.geometry.vectors import check, sample_rows, unit_rows
from lib.results import Result

Method = Literal["hdbscan", "kmeans"]
Labels = Sequence[str | None]

FIT_ON = 20_000
_ROUNDING = 1e-6  # of a cosine in float32


@dataclass(frozen=True)
class Clusters(Result):
    """Which cluster each text belongs to, how firmly, and which texts are far from all of them."""

    labels: NDArray[np.int64]
    """Cluster of each text, shape (n,), 0 = the largest; -1 = in none (HDBSCAN only)."""
    sizes: NDArray[np.int64]
    """Texts in each cluster, shape (clusters,), descending."""
    strength: NDArray[np.float64]
    """How firmly a text sits in its cluster, in [0, 1], shape (n,); HDBSCAN: its density against the densest of the
    cluster, 0 outside; k-means: 1 - distance to its centroid / distance to the next one."""
    distance: NDArray[np.float64]
    """Cosine distance to the nearest cluster's centroid, itself left out, shape (n,); in [0, 2]."""
    far: NDArray[np.bool_]
    """Texts far from every cluster: `distance` above `fence`, shape (n,). Of CLINC150's in-scope and out-of-scope test
    texts, mixed 98 : 2, it flags 5 % and 82 %; where 18 % are out of scope they widen the fence: 1.5 % and 30 %."""
    fence: float
    """Median of the clustered texts' `distance` + 2 standard deviations, these from the median absolute deviation."""
    method: Method
    """Method that was used."""
    min_size: int | None
    """HDBSCAN: fewest texts that make a cluster. Else None."""
    silhouette: float | None
    """Mean silhouette by cosine over the clustered texts (a sample of 2,000), in [-1, 1]; None under 2 clusters."""
    tried: dict[int, float]
    """k-means without a count: silhouette of each count that was tried; else empty."""
    fitted: int
    """Texts the clusters were fitted on."""
    assigned: int
    """Texts given the cluster of their nearest fitted text (HDBSCAN) or nearest centroid (k-means) afterwards."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of sample, reduction and starting points."""
    notices: tuple[str, ...]
    """Sentences to show: whatever was changed about the request, and why."""

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return len(self.sizes)

    @property
    def unclustered(self) -> int:
        """How many texts are in no cluster."""
        return int((self.labels < 0).sum())


@dataclass(frozen=True)
class Agreement(Result):
    """How well clusters and labels divide the texts alike."""

    adjusted_rand: float
    """Adjusted Rand index (Hubert and Arabie 1985), at most 1; 0 = as two random divisions, 1 = the same."""
    normalised_mutual_information: float
    """Mutual information over the mean entropy, in [0, 1]; rises with the number of clusters even by chance."""
    items: int
    """Texts compared: those with a label. Texts in no cluster count as one group."""


def cluster(
    embeddings: NDArray[np.floating],
    *,
    method: Method = "hdbscan",
    count: int | None = None,
    min_size: int | None = None,
    seed: int = 0,
) -> Clusters:
    """Find clusters among `embeddings`, shape (n, d), n >= 1.

    The same seed gives the same clusters on one machine; another processor rounds differently, which UMAP enlarges.
    `count` is for k-means: clusters to make, or None for that with the best silhouette out of at most 50. `min_size` is
    for HDBSCAN: fewest texts in a cluster, or None for 10 (fewer under 200 texts, sqrt(n) / 4 above 1,600).
    Above 20,000 texts the clusters are fitted on a seeded sample and the rest is assigned.

    Raises:
        InputError: unknown method, a count or size out of range, no embeddings, or one of zero length.
    """
    n, _ = check(embeddings, minimum=1, what="Clustering")
    if method not in get_args(Method):
        raise InputError(f"Clusters are found by one of {', '.join(get_args(Method))}, got {method!r}.")
    if count is not None and not 1 <= count <= n:
        raise InputError(f"k-means makes between 1 and {n} clusters of {n} texts, got {count}.")
    if min_size is not None and min_size < 2:
        raise InputError(f"A cluster has at least 2 texts, got min_size={min_size}.")
    rows = sample_rows(n, FIT_ON, seed=seed)
    chosen = unit_rows(embeddings, rows)
    notices = []
    tried: dict[int, float] = {}
    if method == "hdbscan":
        min_size = min_size or default_size(len(rows))
        fitted, firm = hdbscan(chosen, min_size, seed)
        labels, strength = assign_to_neighbours(embeddings, rows, chosen, fitted, firm)
    else:
        min_size = None
        centroids, tried = kmeans(chosen, count, seed)
        labels, strength = assign_to_centroids(embeddings, centroids)
        if count is not None and len(centroids) < count:
            notices.append(f"k-means made {len(centroids)} clusters: there are no more different texts.")
    labels, sizes = largest_first(labels)
    if len(sizes) == 0:
        notices.append("No cluster was found: distances are to the centroid of all texts.")
    if len(rows) < n:
        notices.append(f"Fitted on {len(rows):,} of {n:,} texts; each of the others joined its nearest cluster.")
    distance, fence = centroid_distances(embeddings, labels)
    return Clusters(
        labels=labels,
        sizes=sizes,
        strength=strength,
        distance=distance,
        far=distance > fence + _ROUNDING,
        fence=fence,
        method=method,
        min_size=min_size,
        silhouette=silhouette(chosen, labels[rows], seed),
        tried=tried,
        fitted=len(rows),
        assigned=n - len(rows),
        items=n,
        seed=seed,
        notices=tuple(notices),
    )


def agreement(clusters: Clusters, labels: Labels) -> Agreement:
    """Compare `clusters` with `labels`, one for each text; texts labelled None are passed over.

    Raises:
        InputError: another number of labels than texts, or no label at all.
    """
    if len(labels) != clusters.items:
        raise InputError(f"{clusters.items} texts were clustered, but {len(labels)} labels came: give one a text.")
    known = np.flatnonzero([label is not None for label in labels])
    if len(known) == 0:
        raise InputError("Agreement needs labels, and every one is missing: choose a label column.")
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    truth, found = [str(labels[int(row)]) for row in known], clusters.labels[known]
    return Agreement(
        adjusted_rand=float(adjusted_rand_score(truth, found)),
        normalised_mutual_information=float(normalized_mutual_info_score(truth, found)),
        items=len(known),
    )
