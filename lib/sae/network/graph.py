"""The co-activation network: features that fire on the same texts, joined."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

Measure = Literal["frequency", "jaccard", "lift", "npmi", "correlation"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
"""What an edge can measure: the share of texts on which both fire; that share of the texts on which either fires; how
many times as often as independent features would; the same as normalised pointwise mutual information; and the
correlation of their activations over all texts."""


@dataclass(frozen=True, eq=False)
class Network(Result):
    """Features as nodes, arrays (m,), and pairs that fire on the same texts as edges, arrays (e,), heaviest first."""

    features: NDArray[np.int32]
    """The features, by their numbers in the dictionary, shape (m,): those of the largest total activation first."""
    frequency: NDArray[np.float64]
    """Share of the texts on which each fires, shape (m,), in 0 to 1."""
    mean_activation: NDArray[np.float64]
    """Mean activation over the texts on which it fires, shape (m,); 0 where it never fires."""
    everywhere: NDArray[np.bool_]
    """Fires on the share `everywhere_from` of the texts or more, shape (m,)."""
    a: NDArray[np.int32]
    """One end of each edge, a place in `features`, shape (e,)."""
    b: NDArray[np.int32]
    """The other end, a place in `features` after `a`, shape (e,)."""
    both: NDArray[np.int32]
    """Texts on which both fire, shape (e,), at least 2."""
    weight: NDArray[np.float64]
    """The chosen measure, shape (e,), at least `threshold`."""
    co_frequency: NDArray[np.float64]
    """Share of the texts on which both fire, shape (e,), in 0 to 1."""
    jaccard: NDArray[np.float64]
    """Texts with both over texts with either, shape (e,), in 0 to 1."""
    lift: NDArray[np.float64]
    """How many times as often as independent features of these frequencies, shape (e,); 1 is chance."""
    npmi: NDArray[np.float64]
    """log(lift) / -log(share with both), shape (e,), in -1 to 1: 0 is chance, 1 never one without the other."""
    correlation: NDArray[np.float64]
    """Pearson correlation of the activations over all texts, silence counted as 0, shape (e,), in -1 to 1."""
    expected: NDArray[np.float64]
    """Texts on which both would fire if they were independent, shape (e,)."""
    p_value: NDArray[np.float64]
    """Chance of at least this weight between shuffled activations, shape (e,). The measures that count texts: the tail
    of the hypergeometric law, exact. Correlation: Pearson's type III law with the exact first three moments of a
    shuffled pair's."""
    q_value: NDArray[np.float64]
    """The same among all pairs of the features shown, by Benjamini and Hochberg, shape (e,)."""
    chance: NDArray[np.bool_]
    """Edges that chance alone would give too, shape (e,): the q-value is above `false_discovery`."""
    clusters: NDArray[np.int32]
    """Number of each feature's cluster, the largest 0, shape (m,); -1 for a feature on its own."""
    bridging: NDArray[np.float64]
    """Participation coefficient, shape (m,), 0 (all its edges within one cluster) to 1 (spread over many)."""
    modularity: float
    """Modularity of the clusters, -0.5 to 1: 0 is no more edges within clusters than at random; NaN without edges."""
    positions: NDArray[np.float64]
    """Where each node is drawn, shape (m, 2), in -1 to 1, y downwards: the same for the same input and seed."""
    measure: Measure
    """What `weight` is."""
    threshold: float
    """The least `weight` of an edge."""
    passed: int
    """Pairs of `threshold` or more: with more than `most_edges`, only the heaviest are edges."""
    most_edges: int
    """Most edges that are kept."""
    texts: int
    """Texts of the corpus."""
    active: int
    """Features of the dictionary that fire on it at all."""
    hidden: int
    """Features left out as they fire everywhere."""
    everywhere_from: float
    """Share of the texts from which a feature fires everywhere."""
    shown_of: int
    """Features that could have been shown: those that fire, less the hidden ones."""
    looked_at: int
    """Pairs of the features shown."""
    false_discovery: float
    """Share of wrong ones among the edges that are not chance, at most, as expected."""
    shuffles: int
    """Shuffled networks made for comparison."""
    null_edges: float
    """Mean pairs of a shuffled network above the same threshold, to hold against `passed`; NaN without shuffles."""
    null_edges_low: float
    """Fewest such pairs of a shuffled network."""
    null_edges_high: float
    """Most such pairs of a shuffled network."""
    seed: int
    """Seed of the shuffles, the clusters and the layout."""

    def __len__(self) -> int:
        return len(self.features)

    @property
    def edges(self) -> int:
        """Edges drawn."""
        return len(self.a)

    @property
    def groups(self) -> int:
        """Clusters of two features or more."""
        return int(self.clusters.max(initial=-1)) + 1

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """Edges of each feature, shape (m,)."""
        ends = np.concatenate([self.a, self.b])
        return np.bincount(ends, minlength=len(self)).astype(np.int64)

    def place(self, feature: int) -> int | None:
        """Where `feature` is in `features`; None if it is not shown."""
        found = np.flatnonzero(self.features == feature)
        return int(found[0]) if len(found) else None
