"""The circuit graph on a page: it scrolls sideways under its rows' names, and a column can be clicked."""

from collections.abc import Callable, Mapping

import streamlit as st

from lib.charts.circuits_trace import Reach, columns, gutter, legend
from lib.sae.circuits.trace import Trace

KEY = "trace_graph"
_HTML = """
<div class="graph"><div class="rows"></div><div class="scroll" tabindex="-1"></div></div>
<div class="legend"></div>
"""
_CSS = """
.graph{display:flex;--paper:var(--st-background-color);color:var(--st-text-color);font-family:var(--st-font)}
.legend{color:var(--st-text-color);font-family:var(--st-font);padding-top:8px}
.rows{flex:none}
.scroll{overflow-x:auto;flex:1;padding-bottom:6px}
svg{display:block}
"""
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const rows = parentElement.querySelector(".rows"), scroll = parentElement.querySelector(".scroll");
  rows.innerHTML = data.rows;
  parentElement.querySelector(".legend").innerHTML = data.legend;
  const focused = parentElement.activeElement?.dataset?.column;
  scroll.innerHTML = data.columns;
  for (const column of scroll.querySelectorAll("[data-column]")) {
    const open = () => setTriggerValue("column", column.dataset.column);
    column.onclick = open;
    column.onkeydown = (event) => {
      const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); }
      else if (step && column[step]?.dataset?.column) { event.preventDefault(); column[step].focus(); }
    };
    if (column.dataset.column === focused) column.focus({ preventScroll: true });
  }
  if (scroll.dataset.text !== data.about) {
    scroll.dataset.text = data.about;
    const chosen = scroll.querySelector(".chosen");
    if (chosen && scroll.scrollWidth > scroll.clientWidth) {
      const place = chosen.querySelector(".box");
      scroll.scrollLeft = place.x.baseVal.value - scroll.clientWidth / 2;
    }
  }
}
"""
_GRAPH = st.components.v2.component("embedscope_circuit", html=_HTML, css=_CSS, js=_JS)


def show_graph(
    trace: Trace,
    names: Mapping[int, str],
    *,
    chosen: int,
    reach: Reach,
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
    }
    _GRAPH(key=KEY, data=drawn, on_column_change=lambda: on_click(str(st.session_state[KEY]["column"])))
