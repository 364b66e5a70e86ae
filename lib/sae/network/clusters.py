"""What the clusters of a network are about, and which features join them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.network.communities import cluster_weights
from lib.sae.network.graph import Network

_NORMAL_95 = 1.959964
_NAMED_BY = 3  # features' labels in a cluster's name
_FEWEST_EDGES = 3  # of a feature that bridges


@dataclass(frozen=True, eq=False)
class Cluster(Result):
    """Features with more edges among them than at random, and the texts on which they fire."""

    number: int
    """The cluster, as in `Network.clusters`."""
    name: str
    """Labels of its features of most edge weight inside it; their numbers where they have no label."""
    features: NDArray[np.int32]
    """Its features, those of most edge weight inside it first, shape (size,)."""
    inside: NDArray[np.float64]
    """Weight of each one's edges inside the cluster, shape (size,)."""
    edges: int
    """Edges inside it."""
    edges_out: int
    """Edges from it to other features."""
    firings: int
    """Times that one of its features fires on a text with a label."""
    labels: tuple[str, ...]
    """The L labels of the corpus, sorted; none without labels."""
    share: NDArray[np.float64]
    """Share of these firings that are on texts of each label, shape (L,), 0 to 1."""
    low: NDArray[np.float64]
    """Lower end of its 95 % interval, shape (L,): texts are what varies, not firings."""
    high: NDArray[np.float64]
    """Upper end, shape (L,)."""
    base: NDArray[np.float64]
    """The same share over all features of the network, shape (L,)."""
    typical: str | None
    """The label with the largest share over base among those whose interval lies above it; None if there is none."""

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class Bridge(Result):
    """A feature whose edges reach into several clusters."""

    feature: int
    """The feature."""
    participation: float
    """1 - sum of squared shares of its edge weight by cluster, 0 to 1: 0 is within one cluster."""
    edges: int
    """Its edges."""
    cluster: int
    """The cluster it is counted to; -1 if it is on its own."""
    joins: tuple[tuple[int, float], ...]
    """Clusters that its edges reach and the share of its edge weight there, the largest first; its own included."""


def describe(
    network: Network,
    names: Sequence[str | None] | None,
    labels: Sequence[str | None] | None,
    codes: Codes,
) -> tuple[Cluster, ...]:
    """Each cluster's features, name, and labels; the largest first.

    `names` are the labels of the network's features in their order (None: it has none), `labels` those of the corpus's
    texts, and `codes` the corpus that the network was counted on.

    Raises:
        InputError: names, labels or codes of another length than the network's.
    """
    _check(network, names, labels, codes)
    table = _firings(network, labels, codes) if labels is not None else None
    inside = np.zeros(len(network))
    within = network.clusters[network.a] == network.clusters[network.b]
    np.add.at(inside, network.a[within], network.weight[within])
    np.add.at(inside, network.b[within], network.weight[within])
    return tuple(_cluster(network, number, names, inside, table) for number in range(network.groups))


def bridges(network: Network, *, most: int = 10) -> tuple[Bridge, ...]:
    """Features with three edges or more that reach into two clusters or more, the highest participation first."""
    weights = cluster_weights(network.a, network.b, network.weight, clusters=network.clusters)[:, : network.groups]
    can = (network.degree >= _FEWEST_EDGES) & ((weights > 0).sum(axis=1) >= 2)
    order = np.lexsort((network.features, -weights.sum(axis=1), -network.bridging))
    found = []
    for place in order[can[order]][:most].tolist():
        shares = weights[place] / max(float(weights[place].sum()), 1e-300)
        reached = [(int(at), float(shares[at])) for at in np.argsort(-shares, kind="stable") if shares[at] > 0]
        found.append(
            Bridge(
                int(network.features[place]),
                float(network.bridging[place]),
                int(network.degree[place]),
                int(network.clusters[place]),
                tuple(reached),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Table:
    names: tuple[str, ...]
    label: NDArray[np.int64]  # of each text, (n,); -1 none
    fires: NDArray[np.int64]  # features of each cluster that fire on each text, (n, clusters)
    base: NDArray[np.float64]


def _check(
    network: Network, names: Sequence[str | None] | None, labels: Sequence[str | None] | None, codes: Codes
) -> None:
    if len(codes) != network.texts:
        raise InputError(f"The network was counted on {network.texts:,} texts, these codes have {len(codes):,}.")
    if labels is not None and len(labels) != len(codes):
        raise InputError(f"One label a text is needed: {len(codes):,} texts, got {len(labels):,} labels.")
    if names is not None and len(names) != len(network):
        raise InputError(f"One name a feature is needed: {len(network):,} features, got {len(names):,} names.")


def _firings(network: Network, labels: Sequence[str | None], codes: Codes) -> _Table | None:
    """How many features of each cluster fire on each text that has a label."""
    names = tuple(sorted({label for label in labels if label is not None}))
    if not names:
        return None
    at = {name: number for number, name in enumerate(names)}
    label = np.array([-1 if one is None else at[one] for one in labels], dtype=np.int64)
    cluster = np.full(codes.width, -2, dtype=np.int64)
    cluster[network.features] = network.clusters
    of, text = cluster[codes.features], np.repeat(np.arange(len(codes)), codes.active)
    labelled = label[text] >= 0
    base = np.bincount(label[text[(of > -2) & labelled]], minlength=len(names)).astype(np.float64)
    kept = (of >= 0) & labelled
    groups = max(network.groups, 1)
    fires = np.bincount(text[kept] * groups + of[kept], minlength=len(codes) * groups)
    return _Table(names, label, fires.reshape(len(codes), groups), base / max(base.sum(), 1.0))


def _cluster(
    network: Network,
    number: int,
    names: Sequence[str | None] | None,
    inside: NDArray[np.float64],
    table: _Table | None,
) -> Cluster:
    places = np.flatnonzero(network.clusters == number)
    places = places[np.lexsort((network.features[places], -inside[places]))]
    ends = np.stack([network.clusters[network.a] == number, network.clusters[network.b] == number])
    share, low, high, firings = _shares(table, number)
    base = np.empty(0) if table is None else table.base
    return Cluster(
        number=number,
        name=_name(network, places, names),
        features=network.features[places],
        inside=inside[places],
        edges=int(ends.all(axis=0).sum()),
        edges_out=int((ends[0] != ends[1]).sum()),
        firings=firings,
        labels=() if table is None else table.names,
        share=share,
        low=low,
        high=high,
        base=base,
        typical=_typical(table, share, low),
    )


def _shares(
    table: _Table | None, number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int]:
    """Share of a cluster's firings by label, with the 95 % interval of a ratio of sums over texts."""
    if table is None:
        return np.empty(0), np.empty(0), np.empty(0), 0
    fires = table.fires[:, number].astype(np.float64)
    labelled = table.label >= 0
    total, n = float(fires[labelled].sum()), int(labelled.sum())
    share, error = np.zeros(len(table.names)), np.zeros(len(table.names))
    for at in range(len(table.names)):
        here = fires * (table.label == at)
        share[at] = here.sum() / max(total, 1.0)
        left = (here - share[at] * fires)[labelled]
        error[at] = np.sqrt((left**2).sum() * n / max(n - 1, 1)) / max(total, 1.0)
    reach = _NORMAL_95 * error
    return share, np.clip(share - reach, 0, 1), np.clip(share + reach, 0, 1), int(total)


def _typical(table: _Table | None, share: NDArray[np.float64], low: NDArray[np.float64]) -> str | None:
    if table is None:
        return None
    lift = np.divide(share, table.base, out=np.zeros_like(share), where=table.base > 0)
    sure = low > table.base
    return table.names[int(np.argmax(np.where(sure, lift, -1.0)))] if sure.any() else None


def _name(network: Network, places: NDArray[np.integer], names: Sequence[str | None] | None) -> str:
    said: list[str] = []
    for place in places.tolist():
        label = names[place] if names is not None else None
        if label and label not in said:
            said.append(label)
        if len(said) == _NAMED_BY:
            break
    return " · ".join(said) or " · ".join(f"#{feature}" for feature in network.features[places[:_NAMED_BY]].tolist())
