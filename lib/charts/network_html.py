"""The co-activation network as one HTML file, made by pyvis, that asks no other machine for anything."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from lib.charts.network_picture import UNITS, Colouring, network_picture
from lib.charts.palette import GREY, INK
from lib.sae.network.graph import Network

_REQUESTS = re.compile(
    r"<link\b[^>]*\bhref\s*=\s*\"(?:https?:)?//[^>]*>|<script\b[^>]*\bsrc\s*=\s*\"(?:https?:)?//[^>]*>\s*</script>|"
    r"<!-- <link.*?-->",
    re.DOTALL,
)
_WIDER = 1.6  # room for the numbers beneath the nodes
_NAMED = 30  # features at most whose labels stand beneath their numbers
_CUT = 24  # characters of a label there
_HEADINGS = re.compile(r"<center>\s*<h1>\s*</h1>\s*</center>")
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_OPTIONS = {
    "physics": {"enabled": False},
    "interaction": {"hover": True, "navigationButtons": False, "keyboard": True, "tooltipDelay": 120},
    "edges": {"smooth": False, "color": {"color": INK, "opacity": 0.55, "highlight": INK, "hover": INK}},
    "nodes": {"font": {"size": 15, "color": "#4B4F57", "strokeWidth": 3, "strokeColor": "#FFFFFF"}},
}
_TIPS = (  # vis-network sets a title that is a string as text, never as HTML
    "nodes.update(nodes.get().map(function (n) { return {id: n.id, title: n.about}; }));"
    "edges.update(edges.get().map(function (e) { return {id: e.id, title: e.about}; }));"
    "network.fit();"
)
_STYLE = """
body{font:15px system-ui,sans-serif;margin:1rem auto;max-width:1200px;padding:0 1rem;color:#23262D;background:#FFF}
.head{font-size:1.05rem;margin:.2rem 0}.read{color:#5E636C;font-size:.88rem;max-width:75ch;line-height:1.45}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.85rem;color:#5E636C;align-items:center;margin:.4rem 0}
.legend i{display:inline-block;vertical-align:middle;margin-right:.4rem}
#mynetwork{border:1px solid #D9DADD!important;border-radius:6px;float:none!important}
"""


def standalone_html(
    network: Network,
    names: Sequence[str],
    *,
    colour_by: Colouring = "frequency",
    clusters: Sequence[str] = (),
) -> str:
    """A page with the network in it: drag, zoom, point at a node or an edge; a click fades what is not near.

    `names` has one name a feature. No text of the user's becomes HTML, and a policy in the page forbids every request.
    """
    from pyvis.network import Network as Pyvis

    picture = network_picture(network, names, colour_by=colour_by, clusters=clusters)
    drawn = Pyvis(height="640px", width="100%", cdn_resources="in_line", neighborhood_highlight=True)
    drawn.toggle_physics(False)
    named = len(network) <= _NAMED
    for node in picture["nodes"]:
        drawn.add_node(node["id"], **_node(node, named))
    features = network.features.tolist()
    for number, (a, b, width, chance, told) in enumerate(picture["edges"]):
        drawn.add_edge(features[a], features[b], id=number, width=width, dashes=bool(chance), about=told)
    drawn.set_options(json.dumps(_OPTIONS))
    return _offline(drawn.generate_html(), network, picture)


def _node(node: dict[str, Any], named: bool) -> dict[str, Any]:
    """A node as pyvis takes it; what is said of it is not its title, in which pyvis would look for links."""
    label = node["name"].partition(" · ")[2] if named else ""
    short = label if len(label) <= _CUT else f"{label[: _CUT - 1].rstrip()}…"
    return {
        "label": f"{node['id']}\n{short}".strip(),
        "about": f"{node['name']}\n{node['tip']}",
        "x": _WIDER * node["x"],
        "y": _WIDER * node["y"],
        "size": node["r"],
        "color": node["fill"],
        "shape": "square" if node["square"] else "dot",
        "physics": False,
    }


def _offline(page: str, network: Network, picture: dict[str, Any]) -> str:
    """The page that pyvis wrote, without its requests, with a heading, a legend and how to read it."""
    page = _HEADINGS.sub("", _REQUESTS.sub("", page))
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Co-activation network</title><style>{_STYLE}</style>"
    )
    page = page.replace("<html>", '<!DOCTYPE html>\n<html lang="en">', 1).replace("<head>", f"<head>{head}", 1)
    page = page.replace("<body>", f"<body>{_told(network, picture)}", 1)
    before, _, after = page.rpartition("</body>")
    return f"{before}<script>{_TIPS}</script></body>{after}"


def _told(network: Network, picture: dict[str, Any]) -> str:
    heading = html.escape(" · ".join(picture["header"]))
    null = (
        f" Shuffled activations gave {network.null_edges:,.0f} pairs above the same threshold on average "
        f"({network.null_edges_low:,.0f} to {network.null_edges_high:,.0f} in {network.shuffles} shuffles), "
        f"the corpus {network.passed:,}."
        if network.shuffles
        else ""
    )
    unit = html.escape(UNITS[network.measure])
    return (
        f'<h1 style="font-size:1.3rem;margin:.2rem 0">Which features fire on the same texts?</h1>'
        f'<p class="head">{heading}</p><div class="legend">{_legend(picture["legend"])}</div>'
        f'<p class="read">Each node is a feature; edges join features that fire on the same texts, thicker with the '
        f"weight ({unit}). Dashed edges would come by chance as well.{html.escape(null)} Place and distance are the "
        "drawing's, and an edge says nothing of cause.</p>"
    )


def _legend(legend: dict[str, Any]) -> str:
    parts = []
    if "ramp" in legend:
        ramp = legend["ramp"]
        stops = ",".join(ramp["colours"])
        bar = f'<i style="width:5rem;height:.7rem;background:linear-gradient(90deg,{stops});margin:0 .4rem"></i>'
        parts.append(f"<span>{html.escape(ramp['low'])}{bar}{html.escape(ramp['high'])}</span>")
    for entry in legend.get("categories", ()):
        dot = f'<i style="width:.75rem;height:.75rem;border-radius:50%;background:{entry["colour"]}"></i>'
        parts.append(f"<span>{dot}{html.escape(entry['text'])}</span>")
    for line in legend["lines"]:
        kind = "dashed" if line["dashed"] else "solid"
        parts.append(
            f'<span><i style="width:1.6rem;border-top:2px {kind} {GREY}"></i>{html.escape(line["text"])}</span>'
        )
    parts.append(f"<span>{html.escape(legend['size'])}</span>")
    if legend["square"]:
        parts.append(f"<span>■ {html.escape(legend['square'])}</span>")
    return "".join(parts)
