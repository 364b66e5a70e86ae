"""The clusters of a network, and the features that join them."""

import pandas as pd
import streamlit as st

from lib.charts.network_clusters import cluster_cards
from lib.sae.network import Cluster, Network, bridges
from lib.ui import downloads
from lib.ui.messages import counted, share
from lib.ui.network.node import open_node

_CUT = 24  # characters of a cluster among others
_TABLE, _LISTED = "network_bridges", "_network_bridges"


def show_clusters(found: Network, names: dict[int, str], clusters: tuple[Cluster, ...], *, coloured: bool) -> None:
    """Draw the clusters, the largest first; `coloured` as in the picture."""
    if not clusters:
        st.caption("No features are joined, so there is no cluster.")
        return
    st.html(cluster_cards(clusters, names, marked=coloured))
    alone = int((found.clusters < 0).sum())
    bars = (
        "The upper bar says on which texts a cluster's features fire, by label, the thin one where all features of the "
        "network do: compare the two. In brackets the 95 % interval; ◆ names the label furthest above the thin bar "
        "among those whose interval lies above it. "
        if clusters[0].labels
        else "This corpus has no labels to tell clusters by. "
    )
    st.caption(
        f"{bars}A cluster is called by the labels of its features with most edge weight inside. Modularity is "
        f"{found.modularity:.2f}; the method (Louvain, seed {found.seed}) is greedy, so that another seed may part a "
        f"loosely knit network elsewhere. {counted(alone, 'feature')} on {'its' if alone == 1 else 'their'} own."
    )


def show_bridges(found: Network, names: dict[int, str], clusters: tuple[Cluster, ...]) -> None:
    """Draw the features that reach into several clusters."""
    listed = bridges(found)
    if not listed:
        st.caption("No feature with three edges or more reaches into two clusters.")
        return
    table = pd.DataFrame(
        {
            "feature": [names[one.feature] for one in listed],
            "bridging": [one.participation for one in listed],
            "edges": [one.edges for one in listed],
            "joins": [
                " · ".join(f"{at + 1} {_short(clusters[at].name)} ({share(part, 0)})" for at, part in one.joins)
                for one in listed
            ],
        }
    )
    st.session_state[_LISTED] = [one.feature for one in listed]
    downloads.table(
        table, name="network_bridges", hide_index=True, key=_TABLE, on_select=_open, selection_mode="single-row",
        column_config={
            "feature": st.column_config.TextColumn(width="medium"),
            "bridging": st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0),
            "joins": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
    st.session_state[f"{_LISTED}_names"] = names
    st.caption(
        "Features with three edges or more that reach into several clusters. Bridging is the participation "
        "coefficient: 0, all edges stay within one cluster; near 1, they reach evenly into many. Each cluster that is "
        "joined stands with its number, the label of one of its features, and its share of the feature's edge weight. "
        "Such features are of general purpose, or of two concepts at once: read their texts. Select a row to open it."
    )


def _open() -> None:
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    listed = st.session_state.get(_LISTED, [])
    if rows and rows[0] < len(listed):
        open_node(st.session_state[f"{_LISTED}_names"], listed[rows[0]], None)


def _short(name: str) -> str:
    """The first of the labels that a cluster is called by."""
    first = name.split(" · ")[0]
    return first if len(first) <= _CUT else f"{first[: _CUT - 1].rstrip()}…"
