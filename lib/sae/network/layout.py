"""Where nodes are drawn: each connected part by springs, the parts packed beside one another, loners in rows below."""

import numpy as np
from numpy.typing import NDArray

_ASPECT = 1.7  # width over height of the picture
_WITHIN, _CHANCE = 4.0, 0.25  # pull of a spring within a cluster over one between, and of an edge that chance gives
_STEPS, _STEPS_MANY, _MANY = 150, 40, 400  # of the springs; for parts of many nodes
_ROOM = 1.9  # of each node in the plane, where two that touch are 1 apart
_APART = 60  # steps that push nodes off one another

_Floats = NDArray[np.float64]


def positions(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    *,
    clusters: NDArray[np.integer],
    chance: NDArray[np.bool_],
    seed: int,
) -> _Floats:
    """Places in [-1, 1] x [-1, 1], y downwards, shape (nodes, 2); the same for the same input and seed.

    Springs within a cluster pull harder, so that clusters stand apart, and those of chance hardly at all. Distances
    mean nothing beyond that.
    """
    import networkx

    nodes = len(clusters)
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    pull = np.where(clusters[a] == clusters[b], _WITHIN, 1.0) * np.where(chance, _CHANCE, 1.0)
    graph.add_weighted_edges_from(zip(a.tolist(), b.tolist(), pull.tolist(), strict=True))
    parts = sorted(map(sorted, networkx.connected_components(graph)), key=lambda part: (-len(part), part))
    drawn = [(part, _springs(graph.subgraph(part), part, seed)) for part in parts if len(part) > 1]
    placed = np.zeros((nodes, 2))
    floor = _pack(placed, drawn)
    _rows(placed, [part[0] for part in parts if len(part) == 1], floor)
    return _fitted(placed)


def _springs(graph: object, part: list[int], seed: int) -> _Floats:
    """Places of the nodes of a connected part, in a box from (0, 0) that is wider than high."""
    import networkx

    if len(part) == 2:
        return np.array([[0.0, 0.0], [1.6, 0.0]])
    steps = _STEPS if len(part) < _MANY else _STEPS_MANY
    found = networkx.spring_layout(graph, iterations=steps, seed=seed, method="force")
    places = np.array([found[node] for node in part], dtype=np.float64)
    places -= places.mean(axis=0)
    # the long side lies down: axes of most and least spread, each with a sign that rounding cannot turn
    _, _, axes = np.linalg.svd(places, full_matrices=False)
    axes *= np.where(axes[[0, 1], np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    places = places @ axes.T
    spread = np.maximum(places.std(axis=0), 1e-9)
    side = np.sqrt(_ROOM * len(part))
    room = np.array([side * np.sqrt(_ASPECT), side / np.sqrt(_ASPECT)]) / np.sqrt(12)  # of an even spread over the box
    return _apart(places / spread * room)


def _apart(places: _Floats) -> _Floats:
    """The same places, with nodes that lie on one another pushed off; few steps, no randomness."""
    places = places.copy()
    for _ in range(_APART):
        away = places[:, None] - places[None]
        distance = np.sqrt((away**2).sum(axis=2))
        np.fill_diagonal(distance, np.inf)
        near = distance < 1
        if not near.any():
            break
        push = np.where(near, 1 - distance, 0.0) / np.maximum(distance, 1e-6)
        places += 0.35 * (away * push[:, :, None]).sum(axis=1)
    moved: _Floats = places - places.min(axis=0)
    return moved


def _pack(placed: _Floats, drawn: list[tuple[list[int], _Floats]]) -> float:
    """Put the parts on shelves from the left, the largest first; the height they reach, downwards."""
    sizes = [places.max(axis=0) + 1.6 for _, places in drawn]
    width = max(
        [np.sqrt(_ASPECT * sum(float(size.prod()) for size in sizes)), *(float(size[0]) for size in sizes), 1.0]
    )
    x = y = shelf = 0.0
    for (part, places), size in zip(drawn, sizes, strict=True):
        if x and x + size[0] > width + 1e-9:
            x, y, shelf = 0.0, y + shelf, 0.0
        placed[part] = places + np.array([x, y])
        x, shelf = x + float(size[0]), max(shelf, float(size[1]))
    return y + shelf


def _rows(placed: _Floats, loners: list[int], floor: float) -> None:
    """Nodes without edges, in rows beneath the rest."""
    if not loners:
        return
    width = max(float(placed[:, 0].max()), 1.2 * np.sqrt(_ASPECT * len(loners)))
    columns = max(1, int(width / 1.2) + 1)
    for number, node in enumerate(loners):
        placed[node] = (1.2 * (number % columns), floor + 1.2 * (number // columns))


def _fitted(placed: _Floats) -> _Floats:
    """The middle at (0, 0), the longer side from -1 to 1."""
    low, high = placed.min(axis=0), placed.max(axis=0)
    scale = max(float((high - low).max()), 1e-9) / 2
    fitted: _Floats = (placed - (low + high) / 2) / scale
    return fitted
