"""The co-activation network as numbers, colours and plain words, for a picture that a browser draws and moves.

No text in it is HTML: whoever draws it must set it as text. Colours of frequencies stand on a logarithmic scale, since
most features are rare; the area of a node grows with its mean activation; a line's width grows with its weight.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.charts.palette import CATEGORIES, GREY, HIGH, LOW, NEUTRAL
from lib.numerals import counted, short_share
from lib.sae.network.graph import Measure, Network

Colouring = Literal["frequency", "cluster"]

UNITS: dict[Measure, str] = {
    "frequency": "of texts with both",
    "jaccard": "Jaccard",
    "lift": "× chance",
    "npmi": "normalised PMI",
    "correlation": "correlation",
}
"""What stands behind the number of an edge."""
_SMALLEST, _LARGEST = 8.0, 26.0  # radius of a node
_THINNEST, _THICKEST = 0.8, 6.5  # width of a line
_SPREAD = 80.0  # from a node to the next, about; the fewer they are, the more room for their names
_GAP = 5.0  # about a node
_ROUNDS = 60
_CHARACTERS = 60  # of a name


def network_picture(
    network: Network,
    names: Sequence[str],
    *,
    colour_by: Colouring = "frequency",
    clusters: Sequence[str] = (),
) -> dict[str, Any]:
    """What the browser draws: nodes, edges, legend and header, in JSON values.

    Args:
        network: the network.
        names: a name for each of `network.features`, "319 · medical diagnosis".
        colour_by: frequency on the ramp from violet to amber, or a colour for each of the seven largest clusters.
        clusters: what the clusters are called, the largest first.
    """
    radii, widths = _radii(network.mean_activation), _widths(network.weight)
    places = _apart(_reach(len(network)) * network.positions, radii + _GAP)
    colours = (
        frequency_colours(network.frequency) if colour_by == "frequency" else cluster_colours(network.clusters.tolist())
    )
    nodes = [
        {
            "id": int(feature),
            "name": _cut(name),
            "x": round(float(places[at, 0]), 1),
            "y": round(float(places[at, 1]), 1),
            "r": round(float(radii[at]), 2),
            "fill": colours[at],
            "square": bool(network.everywhere[at]),
            "group": int(network.clusters[at]),
            "tip": _of_node(network, at),
        }
        for at, (feature, name) in enumerate(zip(network.features.tolist(), names, strict=True))
    ]
    edges = [
        [int(a), int(b), round(float(width), 2), int(chance), _of_edge(network, at)]
        for at, (a, b, width, chance) in enumerate(
            zip(network.a.tolist(), network.b.tolist(), widths.tolist(), network.chance.tolist(), strict=True)
        )
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "header": header(network),
        "legend": _legend(network, colour_by, clusters),
        "groups": [_cut(name) for name in clusters[: len(CATEGORIES)]] if colour_by == "cluster" else [],
    }


def header(network: Network) -> list[str]:
    """What stands above the picture: features, edges, threshold, texts."""
    return [
        counted(len(network), "feature"),
        counted(network.edges, "edge"),
        f"threshold {network.threshold:g}{' ×' if network.measure == 'lift' else ''}",
        counted(network.texts, "text"),
    ]


def frequency_colours(frequency: NDArray[np.floating]) -> list[str]:
    """Violet for the rarest to amber for the most frequent of these, on a logarithmic scale; all amber if equal."""
    logs = np.log(np.maximum(frequency, 1e-12))
    low, high = logs.min(initial=0.0), logs.max(initial=-np.inf)
    shares = np.ones(len(logs)) if high <= low else (logs - logs.min()) / (high - logs.min())
    return [_ramp(share) for share in shares.tolist()]


def cluster_colours(clusters: Sequence[int]) -> list[str]:
    """One of seven colours for a feature of the seven largest clusters, grey for any other."""
    return [CATEGORIES[cluster] if 0 <= cluster < len(CATEGORIES) else GREY for cluster in clusters]


def _reach(nodes: int) -> float:
    """Half the longer side of the plane on which so many nodes are drawn."""
    room = _SPREAD * (1 + 10 / max(nodes, 20))
    return float(room * np.sqrt(max(nodes, 4)) / 2)


def _radii(mean_activation: NDArray[np.floating]) -> NDArray[np.float64]:
    """Radius of each node: its area grows with the mean activation, between two bounds."""
    most = float(mean_activation.max(initial=0.0)) or 1.0
    roots = np.sqrt(np.clip(mean_activation / most, 0, 1))
    return np.asarray(np.maximum(_SMALLEST, _LARGEST * roots), dtype=np.float64)


def _apart(places: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same places, shape (m, 2), with nodes that lie upon one another pushed apart, a little at a time."""
    found = places.copy()
    needed = radii[:, None] + radii[None, :]
    np.fill_diagonal(needed, 0.0)
    turn = 2.399963 * np.arange(len(found))  # the golden angle: a way to go for two nodes in one place
    for _ in range(_ROUNDS):
        steps = found[:, None, :] - found[None, :, :]
        far = np.linalg.norm(steps, axis=2)
        short = np.maximum(needed - far, 0.0)
        if short.max(initial=0.0) < 0.5:
            break
        steps = np.where((far == 0)[..., None], np.stack([np.cos(turn), np.sin(turn)], axis=1)[:, None, :], steps)
        found += 0.5 * (steps * (short / np.where(far == 0, 1.0, far))[..., None]).sum(axis=1)
    return found


def _widths(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Width of each line: straight from the least weight drawn to the most."""
    if not len(weight):
        return np.empty(0)
    low, high = float(weight.min()), float(weight.max())
    shares = (weight - low) / (high - low) if high > low else np.full(len(weight), 0.5)
    return np.asarray(_THINNEST + (_THICKEST - _THINNEST) * shares, dtype=np.float64)


def _of_node(network: Network, at: int) -> str:
    everywhere = f" · {_everywhere(network)}" if network.everywhere[at] else ""
    return (
        f"on {short_share(float(network.frequency[at]))} of texts · "
        f"mean activation {network.mean_activation[at]:.3g} · {counted(int(network.degree[at]), 'edge')}{everywhere}"
    )


def _of_edge(network: Network, at: int) -> str:
    weight = float(network.weight[at])
    told = "" if network.measure == "frequency" else f" · {weight:.2g} {UNITS[network.measure]}"
    return (
        f"both fire on {counted(int(network.both[at]), 'text')} ({short_share(float(network.co_frequency[at]))}), "
        f"{network.expected[at]:.1f} by chance{told}{' · chance alone would give it' if network.chance[at] else ''}"
    )


def _legend(network: Network, colour_by: Colouring, clusters: Sequence[str]) -> dict[str, Any]:
    """Entries of the legend: the ramp or the clusters, kinds of lines and of nodes that there are."""
    width = "its frequency" if network.measure == "frequency" else UNITS[network.measure]
    found: dict[str, Any] = {
        "lines": [{"text": f"co-activation, width = {width}", "dashed": False}],
        "size": "node size = mean activation",
        "square": _everywhere(network) if network.everywhere.any() else "",
    }
    if network.chance.any():
        found["lines"].append({"text": "chance alone would give it", "dashed": True})
    if colour_by == "frequency":
        low, high = network.frequency.min(initial=1.0), network.frequency.max(initial=0.0)
        found["ramp"] = {
            "colours": [LOW, NEUTRAL, HIGH],
            "low": f"low freq {short_share(float(low))}" if len(network) else "low freq",
            "high": f"high freq {short_share(float(high))}" if len(network) else "high freq",
        }
        return found
    named = [{"colour": CATEGORIES[at], "text": _cut(name)} for at, name in enumerate(clusters[: len(CATEGORIES)])]
    others = bool((network.clusters >= len(CATEGORIES)).any() or (network.clusters < 0).any())
    found["categories"] = named + ([{"colour": GREY, "text": "smaller clusters, or on its own"}] if others else [])
    return found


def _everywhere(network: Network) -> str:
    return f"fires on {short_share(network.everywhere_from)} of texts or more"


def _ramp(share: float) -> str:
    stops = [tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in (LOW, NEUTRAL, HIGH)]
    place = min(int(2 * share), 1)
    near = 2 * share - place
    red, green, blue = (round((1 - near) * a + near * b) for a, b in zip(stops[place], stops[place + 1], strict=True))
    return f"#{red:02X}{green:02X}{blue:02X}"


def _cut(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _CHARACTERS else line[: _CHARACTERS - 1].rstrip() + "…"
