"""All edges as a list that can be sorted, searched and opened without the picture; and the network as files."""

import streamlit as st

from lib.charts.network import network_figure
from lib.charts.network_html import standalone_html
from lib.charts.network_picture import Colouring
from lib.sae.network import MEASURES, Cluster, Measure, Network, edge_table, graphml, node_table
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.file_names import file_name
from lib.ui.messages import counted
from lib.ui.network.node import open_node

_TABLE, _LISTED = "network_edges", "_network_edges"
_MEASURED_AS: dict[Measure, str] = {measure: measure for measure in MEASURES} | {"frequency": "co_frequency"}
_ORDERS = {"weight": ("weight", False), "texts": ("both", False), "sureness": ("q_value", True),
           "name": ("name_a", True)}  # fmt: skip
_MEASURED = tuple(_MEASURED_AS.values())


def show_edges(found: Network, names: dict[int, str]) -> None:
    """Draw the list."""
    if not found.edges:
        st.caption("There are no edges at this threshold.")
        return
    order = one_of("Sorted by", tuple(_ORDERS), key="network_sorted", help="Or click on a column's head.")
    column, ascending = _ORDERS.get(order, _ORDERS["weight"])
    table = edge_table(found, list(names.values())).sort_values(column, ascending=ascending, kind="stable")
    st.session_state[_LISTED] = (names, table["feature_a"].tolist(), table["feature_b"].tolist())
    st.dataframe(
        table, hide_index=True, key=_TABLE, on_select=_open, selection_mode="single-row", height=420,
        column_order=(
            "name_a", "name_b", "weight", "both", "expected", "chance", "q_value",
            *(column for column in _MEASURED if column != _MEASURED_AS[found.measure]),
        ),
        column_config={
            "name_a": st.column_config.TextColumn("feature", width="medium"),
            "name_b": st.column_config.TextColumn("with", width="medium"),
            "weight": st.column_config.NumberColumn(
                found.measure, help="What is drawn.", format="percent" if found.measure == "frequency" else "%.3f",
            ),
            "both": st.column_config.NumberColumn("texts", help="On which both fire."),
            "expected": st.column_config.NumberColumn("by chance", format="%.1f", help="If they were independent."),
            "co_frequency": st.column_config.NumberColumn("frequency", format="percent", help="Share of all texts."),
            "jaccard": st.column_config.NumberColumn(format="%.3f"),
            "lift": st.column_config.NumberColumn(format="%.2f"),
            "npmi": st.column_config.NumberColumn(format="%.3f"),
            "correlation": st.column_config.NumberColumn(format="%.3f"),
            "q_value": st.column_config.NumberColumn("q", format="%.2g", help="Share of false discoveries among edges "
                                                     "at least as sure, at most, as expected."),
            "chance": st.column_config.CheckboxColumn("by chance alone", help="Dashed in the picture."),
        },
    )  # fmt: skip
    st.caption(
        f"{counted(found.edges, 'edge')}, each with all its measures. Select a row (by keyboard: arrows, then Shift "
        "and Space) to open its feature and the texts that both share. This list says all that the picture says of "
        "edges."
    )


def show_files(found: Network, names: dict[int, str], clusters: tuple[Cluster, ...], *, colour_by: Colouring) -> None:
    """Draw the buttons that hand the network over; each file is written only when its button is pressed."""
    named, called = list(names.values()), [one.name for one in clusters]
    st.markdown("**The network**")
    with st.container(horizontal=True):
        st.download_button(
            "Page of its own (HTML)", file_name=file_name("page", "html"),
            data=lambda: standalone_html(found, named, colour_by=colour_by, clusters=called).encode(),
            mime="text/html", icon=":material/download:", key="network_html", on_click="ignore",
            help="Nodes can be moved; it opens without a network connection.",
        )  # fmt: skip
        st.download_button(
            "GraphML", data=lambda: graphml(found, named).encode(), file_name=file_name("graph", "graphml"),
            mime="application/xml", icon=":material/download:", key="network_graphml", on_click="ignore",
            help="For Gephi, Cytoscape, igraph and others.",
        )  # fmt: skip
        downloads.offer_result(found, name="network")
        st.download_button(
            "Figure as HTML", file_name=file_name("figure", "html"),
            data=lambda: _figure(found, named, colour_by, called), mime="text/html", icon=":material/download:",
            key="figure_network_figure", on_click="ignore",
            help="A still figure, 5 MB, opens without a network connection. The camera above it saves it as PNG.",
        )  # fmt: skip
    for title, table, name in (
        ("Edges", edge_table(found, named), "network_edges"),
        ("Features", node_table(found, named), "network_features"),
    ):
        st.markdown(f"**{title}**")
        downloads.offer_table(table, name=name)
    st.caption("The picture itself is saved as it is seen by its own buttons, PNG and SVG.")


def _figure(found: Network, names: list[str], colour_by: Colouring, clusters: list[str]) -> bytes:
    fig = network_figure(found, names, colour_by=colour_by, clusters=clusters)
    return bytes(fig.to_html(include_plotlyjs=True, full_html=True), "utf-8")


def _open() -> None:
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    names, ones, others = st.session_state.get(_LISTED, ({}, [], []))
    if rows and rows[0] < len(ones):
        open_node(names, ones[rows[0]], others[rows[0]])
