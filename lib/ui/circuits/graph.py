"""The circuit graph on a page: it scrolls sideways under its rows' names, a column can be clicked, and it is saved."""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from lib.charts.circuits_trace import Reach, columns, gutter, legend
from lib.charts.circuits_trace_file import trace_svg
from lib.sae.circuits.trace import Trace
from lib.ui import downloads
from lib.ui.file_names import file_name

KEY = "trace_graph"
_ASSETS = Path(__file__).parent / "assets"
_HTML = """
<div class="graph"><div class="rows"></div><div class="scroll" tabindex="-1"></div></div>
<div class="below">
  <div class="legend"></div><span class="how"></span>
  <div class="save">
    <button class="png" type="button" title="Save the graph as a picture, with its heading and legend">PNG</button>
    <button class="svg" type="button" title="Save the graph as a drawing that can be edited">SVG</button>
  </div>
</div>
"""
_PAGE = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Circuit</title>\n<body>\n{}\n</body></html>\n'
_GRAPH = st.components.v2.component(
    "embedscope_circuit",
    html=_HTML,
    css=(_ASSETS / "graph.css").read_text("utf-8"),
    js=(_ASSETS / "graph.js").read_text("utf-8"),
)


def show_graph(
    trace: Trace,
    names: Mapping[int, str],
    *,
    chosen: int,
    reach: Reach,
    encoder: str,
    on_click: Callable[[str], None],
) -> None:
    """Draw the graph with the column at the place `chosen` marked; `on_click` is told the depth that was clicked.

    All that reaches the page as markup is made by `lib.charts.circuits_trace`, which escapes every text.
    """
    drawn = {
        "rows": gutter(trace, reach),
        "columns": columns(trace, names, chosen=chosen, reach=reach),
        "legend": legend(),
        "about": f"{trace.feature} {trace.lens} {trace.text}",
        "file": trace_svg(trace, names, reach=reach, encoder=encoder),
        "name": file_name(f"circuit_{trace.feature}"),
    }
    _GRAPH(key=KEY, data=drawn, on_column_change=lambda: on_click(str(st.session_state[KEY]["column"])))
    downloads.offer_page(lambda: _PAGE.format(drawn["file"]), name=f"circuit_{trace.feature}")
