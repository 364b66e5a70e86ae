"""One feature's neighbours in a network, and the texts on which two features fire together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.network.graph import Network


@dataclass(frozen=True, eq=False)
class Neighbours(Result):
    """The features that one has an edge to, the heaviest edge first; arrays of shape (neighbours,)."""

    feature: int
    """The feature."""
    features: NDArray[np.int32]
    """Its neighbours."""
    edges: NDArray[np.int64]
    """Which edges of the network these are."""
    weight: NDArray[np.float64]
    """The network's measure."""
    both: NDArray[np.int32]
    """Texts on which both fire."""
    co_frequency: NDArray[np.float64]
    """Share of the texts on which both fire."""
    conditional: NDArray[np.float64]
    """P(the neighbour fires | the feature fires)."""
    reverse: NDArray[np.float64]
    """P(the feature fires | the neighbour fires)."""
    expected: NDArray[np.float64]
    """Texts on which both would fire if they were independent."""
    chance: NDArray[np.bool_]
    """Edges that chance alone would give too."""

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class PairTexts(Result):
    """The texts on which two features fire together; arrays of shape (both,)."""

    a: int
    """The first feature."""
    b: int
    """The second."""
    rows: NDArray[np.int32]
    """Rows of the texts, those where the weaker of the two fires strongest first, each held against its own maximum."""
    activation_a: NDArray[np.float32]
    """How strongly the first fires there."""
    activation_b: NDArray[np.float32]
    """How strongly the second does."""
    count_a: int
    """Texts on which the first fires."""
    count_b: int
    """Texts on which the second does."""
    expected: float
    """Texts on which both would fire if they were independent."""
    texts: int
    """Texts of the corpus."""

    def __len__(self) -> int:
        return len(self.rows)


def neighbours(network: Network, feature: int) -> Neighbours:
    """The features that `feature` has an edge to, with how often they fire together.

    Raises:
        InputError: the network does not show this feature.
    """
    place = network.place(feature)
    if place is None:
        raise InputError(
            f"Feature {feature} is not among the {len(network)} features of this network: choose one of them."
        )
    edges = np.flatnonzero((network.a == place) | (network.b == place))  # the heaviest first, as they are
    other = np.where(network.a[edges] == place, network.b[edges], network.a[edges])
    fires = network.frequency * network.texts
    return Neighbours(
        feature=feature,
        features=network.features[other],
        edges=edges,
        weight=network.weight[edges],
        both=network.both[edges],
        co_frequency=network.co_frequency[edges],
        conditional=network.both[edges] / max(float(fires[place]), 1.0),
        reverse=network.both[edges] / np.maximum(fires[other], 1.0),
        expected=network.expected[edges],
        chance=network.chance[edges],
    )


def pair_texts(codes: Codes, a: int, b: int) -> PairTexts:
    """The texts on which `a` and `b` both fire.

    Raises:
        InputError: a number that no feature has.
    """
    for feature in (a, b):
        if not 0 <= feature < codes.width:
            raise InputError(f"This dictionary has features 0 to {codes.width - 1:,}, got {feature}.")
    (rows_a, values_a), (rows_b, values_b) = codes.firing(a), codes.firing(b)
    rows, at_a, at_b = np.intersect1d(rows_a, rows_b, assume_unique=True, return_indices=True)
    one, other = values_a[at_a], values_b[at_b]
    weaker = np.minimum(one / values_a.max(initial=1e-30), other / values_b.max(initial=1e-30))
    order = np.lexsort((rows, -weaker))
    return PairTexts(
        a=a,
        b=b,
        rows=rows[order].astype(np.int32),
        activation_a=one[order],
        activation_b=other[order],
        count_a=len(rows_a),
        count_b=len(rows_b),
        expected=len(rows_a) * len(rows_b) / max(len(codes), 1),
        texts=len(codes),
    )
