"""All edges as a list that can be sorted, searched and opened without the picture; and the network as files."""

import streamlit as st

from lib.charts.network import network_figure
from lib.charts.network_html import standalone_html
from lib.sae.network import Network, edge_table, graphml, node_table
from lib.ui import downloads
from lib.ui.messages import counted
from lib.ui.network.node import open_node

_TABLE, _LISTED = "network_edges", "_network_edges"
_SHARE = "percent"


def show_edges(found: Network, names: dict[int, str]) -> None:
    """Draw the list."""
    if not found.edges:
        st.caption("There are no edges at this threshold.")
        return
    table = edge_table(found, list(names.values()))
    st.session_state[_LISTED] = (names, found.features[found.a].tolist(), found.features[found.b].tolist())
    st.dataframe(
        table, hide_index=True, key=_TABLE, on_select=_open, selection_mode="single-row", height=420,
        column_order=(
            "name_a", "name_b", "weight", "both", "expected", "co_frequency", "jaccard", "lift", "npmi", "correlation",
            "q_value", "chance",
        ),
        column_config={
            "name_a": st.column_config.TextColumn("feature", width="medium"),
            "name_b": st.column_config.TextColumn("with", width="medium"),
            "weight": st.column_config.NumberColumn(found.measure, format="%.3f", help="What is drawn."),
            "both": st.column_config.NumberColumn("texts", help="On which both fire."),
            "expected": st.column_config.NumberColumn("by chance", format="%.1f", help="If they were independent."),
            "co_frequency": st.column_config.NumberColumn("frequency", format=_SHARE, help="Share of all texts."),
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
        f"{counted(found.edges, 'edge')}, the heaviest first. A click on a column's head sorts; select a row to open "
        "its feature and the texts that both share. This list says all that the picture says of edges."
    )


def show_files(found: Network, names: dict[int, str]) -> None:
    """Draw the buttons that hand the network over; each file is written only when its button is pressed."""
    named = list(names.values())
    st.markdown("**The network**")
    with st.container(horizontal=True):
        st.download_button(
            "Page of its own (HTML)", data=lambda: standalone_html(found, named).encode(), file_name="network.html",
            mime="text/html", icon=":material/download:", key="network_html", on_click="ignore",
            help="Nodes can be moved; it opens without a network connection.",
        )  # fmt: skip
        st.download_button(
            "GraphML", data=lambda: graphml(found, named).encode(), file_name="network.graphml",
            mime="application/xml", icon=":material/download:", key="network_graphml", on_click="ignore",
            help="For Gephi, Cytoscape, igraph and others.",
        )  # fmt: skip
        downloads.offer_result(found, name="network")
        downloads.offer_figure(network_figure(found, named), name="network_figure")
    for title, table, name in (
        ("Edges", edge_table(found, named), "network_edges"),
        ("Features", node_table(found, named), "network_features"),
    ):
        st.markdown(f"**{title}**")
        downloads.offer_table(table, name=name)
    st.caption("The picture itself is saved as it is seen by its button PNG.")


def _open() -> None:
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    names, ones, others = st.session_state.get(_LISTED, ({}, [], []))
    if rows and rows[0] < len(ones):
        open_node(names, ones[rows[0]], others[rows[0]])
