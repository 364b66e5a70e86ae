"""The clusters of a network, each with its features and its share of every label of the corpus, as HTML.

Any page can show it: no script, inherited ink, colours that are seen on light and dark paper, every text escaped.
"""

import html
from collections.abc import Sequence

from lib.charts.palette import CATEGORIES, GREY, INK, category_colours
from lib.sae.network.clusters import Cluster

_CUT = 60  # characters of a name
_NAMED = 8  # features named in a card


def cluster_cards(clusters: Sequence[Cluster], names: dict[int, str], *, marked: bool = False) -> str:
    """A card for each cluster: its name, its features, and a bar of its firings by label over that of all features.

    `marked` cards carry the colour that their cluster has in the picture.
    """
    labels = clusters[0].labels if clusters else ()
    colours = category_colours(labels)
    cards = "".join(_card(cluster, names, colours, marked) for cluster in clusters)
    return (
        f"{_legend(colours)}"
        f'<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:.7rem">{cards}</div>'
    )


def _card(cluster: Cluster, names: dict[int, str], colours: dict[str, str], marked: bool) -> str:
    mark = CATEGORIES[cluster.number] if cluster.number < len(CATEGORIES) else GREY
    edge = f"border-left:.4rem solid {mark};" if marked else ""
    members = cluster.features.tolist()
    listed = "".join(f"<li>{html.escape(_cut(names[feature]))}</li>" for feature in members[:_NAMED])
    more = f'<li style="opacity:.65">and {len(members) - _NAMED} more</li>' if len(members) > _NAMED else ""
    return (
        f'<div style="border:1px solid {INK}66;{edge}border-radius:.4rem;'
        'padding:.55rem .7rem;font-size:.88rem;overflow-wrap:anywhere">'
        f'<div style="font-weight:600">{cluster.number + 1} · {html.escape(_cut(cluster.name, 90))}</div>'
        f'<div style="opacity:.7;font-size:.8rem;margin:.1rem 0 .4rem">{_edges(cluster)}</div>'
        f"{_shares(cluster, colours)}"
        f'<ul style="margin:.4rem 0 0;padding-left:1.1rem">{listed}{more}</ul></div>'
    )


def _edges(cluster: Cluster) -> str:
    inside = f"{cluster.edges} edge{'s' * (cluster.edges != 1)} inside"
    return f"{len(cluster)} features · {inside} · {cluster.edges_out} to others"


def _shares(cluster: Cluster, colours: dict[str, str]) -> str:
    """Two stacked bars: where the cluster's features fire, and, thinner, where all features of the network do."""
    if not cluster.labels:
        return ""
    if not cluster.firings:
        return '<div style="opacity:.7;font-size:.8rem">It fires on no text that has a label.</div>'
    order = sorted(range(len(cluster.labels)), key=lambda at: -cluster.share[at])
    said = ", ".join(
        f"{html.escape(_cut(cluster.labels[at]))} {100 * cluster.share[at]:.0f} % "
        f"({100 * cluster.low[at]:.0f}–{100 * cluster.high[at]:.0f})"
        for at in order[:3]
    )
    told = (
        f" ◆ typical: {html.escape(_cut(cluster.typical))}" if cluster.typical is not None else " no label stands out"
    )
    return (
        f"{_bar(cluster.labels, cluster.share.tolist(), colours, '.75rem')}"
        f"{_bar(cluster.labels, cluster.base.tolist(), colours, '.3rem')}"
        f'<div style="font-size:.8rem;margin-top:.2rem">{said};{told}</div>'
    )


def _bar(labels: Sequence[str], shares: Sequence[float], colours: dict[str, str], height: str) -> str:
    parts = "".join(
        f'<span title="{html.escape(_cut(label))}: {100 * share:.0f} %" style="width:{100 * share:.2f}%;'
        f'background:{colours[label]}"></span>'
        for label, share in zip(labels, shares, strict=True)
    )
    return (
        f'<div style="display:flex;height:{height};border-radius:.2rem;overflow:hidden;margin-bottom:.12rem">'
        f"{parts}</div>"
    )


def _legend(colours: dict[str, str]) -> str:
    if not colours:
        return ""
    entries = "".join(
        f'<span><span style="display:inline-block;width:.7rem;height:.7rem;border-radius:.15rem;'
        f'background:{colour};margin-right:.35rem"></span>{html.escape(_cut(label))}</span>'
        for label, colour in colours.items()
    )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.82rem;margin-bottom:.5rem">{entries}</div>'
    )


def _cut(name: str, characters: int = _CUT) -> str:
    line = " ".join(name.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
