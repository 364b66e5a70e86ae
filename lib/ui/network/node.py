"""One feature of the network: its numbers, its strongest texts, its neighbours, and the texts that it shares."""

import pandas as pd
import streamlit as st

from lib.charts.network_picture import UNITS
from lib.charts.sae_browser import example_list
from lib.errors import InputError
from lib.sae.network import Cluster, Neighbours, Network, neighbours, pair_texts
from lib.ui import downloads
from lib.ui.controls import put
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, refuse, share
from lib.ui.sae import cached as sae_cached
from lib.ui.sae.decompose_cached import strongest_texts
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeSpace

NODE, OTHER = "network_node", "network_other"
_TABLE, _LISTED = "network_neighbours", "_network_neighbours"
_TEXTS, _PAIR_TEXTS = 5, 20
_FLAG = "◇ "


def chosen_node(found: Network, names: dict[int, str], features: int) -> int | None:
    """Draw the choice of a feature; None where none is chosen, or what was typed or addressed is none."""
    chosen = st.selectbox(
        "Feature", list(names.values()), index=None, key=NODE, bind="query-params", persist_state="session",
        accept_new_options=True, width=460, placeholder="Click a node, or choose or type a feature",
        help="Those of the picture, the largest total activation first: type a word of a label, or any feature's "
        "number.",
    )  # fmt: skip
    if not chosen:
        st.caption("Click a node for its texts and neighbours, or a line for the texts on which both of its ends fire.")
        return None
    try:
        return feature_named(str(chosen), list(names.values()), features)
    except InputError as fault:
        refuse(fault)
        return None


def chosen_other(found: Network, names: dict[int, str], feature: int | None) -> int | None:
    """The neighbour whose shared texts are shown: the one that was asked for, else the first; None where none is."""
    if feature is None or found.place(feature) is None:
        return None
    listed = {names[other]: other for other in neighbours(found, feature).features.tolist()}
    asked = st.session_state.get(OTHER) or st.query_params.get(OTHER)
    return listed.get(str(asked), next(iter(listed.values()), None))


def open_node(names: dict[int, str], feature: int | None, other: int | None) -> None:
    """Choose a feature, and one that it is joined with, as a click in the picture asks; None lets go."""
    st.session_state[NODE] = None if feature is None else names.get(feature, str(feature))
    if other is not None:
        put(OTHER, names.get(other, str(other)))


def show_node(
    space: SaeSpace,
    found: Network,
    names: dict[int, str],
    clusters: tuple[Cluster, ...],
    *,
    feature: int,
    other: int | None,
) -> None:
    """Draw it."""
    name = feature_name(space.database, feature)
    st.subheader(f"What fires together with {plain(name)}?")
    place = found.place(feature)
    if place is None:
        st.info(
            f"It is not among the {count(len(found))} features drawn: show more features, or those that fire "
            "everywhere."
        )
        _texts(space, feature)
        return
    _numbers(found, place, clusters)
    near = neighbours(found, feature)
    with st.container(horizontal=True, gap="small"):  # wraps on narrow screens
        with st.container(width=400):
            _texts(space, feature)
        with st.container(width=510):
            _neighbours(found, names, near)
    if other is not None:
        _shared(space, near, [names[feature] for feature in near.features.tolist()], other)


def _numbers(found: Network, place: int, clusters: tuple[Cluster, ...]) -> None:
    fires = round(float(found.frequency[place]) * found.texts)
    cluster = int(found.clusters[place])
    with st.container(horizontal=True, gap="small"):
        number("Frequency", share(float(found.frequency[place])), f"It fires on {counted(fires, 'text')}.")
        number("Mean activation", f"{found.mean_activation[place]:.3g}", "Over the texts on which it fires.")
        number("Neighbours", count(int(found.degree[place])), "Features that it is joined with at this threshold.")
        number(
            "Bridging", f"{found.bridging[place]:.2f}",
            "Participation coefficient: 0, all its edges stay within one cluster; near 1, they reach evenly into many.",
        )  # fmt: skip
        number(
            "Cluster", f"{cluster + 1} of {len(clusters)}" if cluster >= 0 else "on its own",
            plain(clusters[cluster].name) if cluster >= 0 else "No cluster holds it.",
        )  # fmt: skip


def _texts(space: SaeSpace, feature: int) -> None:
    st.markdown("**Where does it fire most?**")
    shown = strongest_texts(space, feature, _TEXTS)
    if not shown.fires:
        st.caption("On no text of this corpus.")
    else:
        st.html(_listed(space, shown.rows.tolist(), shown.activations.tolist()))
        st.caption(f"The strongest of {counted(shown.fires, 'different text')} on which it fires, with its activation.")
    st.page_link(
        "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
        query_params={"view": "Browser", "feature": str(feature)},
    )  # fmt: skip


def _listed(space: SaeSpace, rows: list[int], values: list[float]) -> str:
    corpus = space.space.corpus
    labels = [corpus.labels[row] for row in rows] if corpus.labels else None
    return example_list([corpus.texts[row] for row in rows], values, labels, most=max(values))


def _neighbours(found: Network, names: dict[int, str], near: Neighbours) -> None:
    st.markdown("**Its neighbours**")
    if not len(near):
        st.caption("None at this threshold: on its own.")
        return
    listed = [names[feature] for feature in near.features.tolist()]
    table = pd.DataFrame(
        {
            "neighbour": [_FLAG * bool(chance) + name for name, chance in zip(listed, near.chance, strict=True)],
            "co-activation": near.co_frequency,
            "texts": near.both,
            "by chance": near.expected,
            UNITS[found.measure]: near.weight,
        }
    )
    if found.measure == "frequency":
        table = table.drop(columns=UNITS["frequency"])
    st.session_state[_LISTED] = listed
    downloads.table(
        table,
        name="network_neighbours",
        hide_index=True, key=_TABLE, on_select=_pick_neighbour, selection_mode="single-row", height=250,
        column_config={
            "neighbour": st.column_config.TextColumn(width=170),
            "co-activation": st.column_config.ProgressColumn(
                width=90, format="percent", min_value=0, max_value=float(near.co_frequency.max()),
                help="Share of all texts on which both fire.",
            ),
            "texts": st.column_config.NumberColumn(width=50),
            "by chance": st.column_config.NumberColumn(width=70, format="%.1f", help="Texts, if independent."),
            UNITS[found.measure]: st.column_config.NumberColumn(width=80, format="%.2f"),
        },
    )  # fmt: skip
    st.caption(f"The heaviest edge first. Select a row for the texts that both share. {_FLAG}= chance alone would "
               "give this edge.")  # fmt: skip


def _pick_neighbour() -> None:
    """Choose the neighbour whose row was selected."""
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    listed = st.session_state.get(_LISTED, [])
    if rows and rows[0] < len(listed):
        st.session_state[OTHER] = listed[rows[0]]


def _shared(space: SaeSpace, near: Neighbours, options: list[str], other: int) -> None:
    if st.session_state.get(OTHER, options[0]) not in options:  # it was a neighbour of another feature
        st.session_state[OTHER] = options[near.features.tolist().index(other)]
    st.selectbox(
        "Texts that it shares with", options, key=OTHER, bind="query-params", persist_state="session", width=460,
        help="Its neighbours, the heaviest edge first. Or click a line in the picture.",
    )  # fmt: skip
    pair, corpus = pair_texts(sae_cached.codes(space), near.feature, other), space.space.corpus
    rows = pair.rows[:_PAIR_TEXTS].tolist()
    downloads.table(
        pd.DataFrame(
            {
                f"#{pair.a}": pair.activation_a[:_PAIR_TEXTS],
                f"#{pair.b}": pair.activation_b[:_PAIR_TEXTS],
                "text": [corpus.texts[row] for row in rows],
                "label": [corpus.labels[row] if corpus.labels else None for row in rows],
            }
        ).dropna(axis="columns", how="all"),
        name="network_shared",
        hide_index=True, key="network_shared",
        column_config={
            f"#{pair.a}": st.column_config.NumberColumn(format="%.3f", width=75),
            f"#{pair.b}": st.column_config.NumberColumn(format="%.3f", width=75),
            "text": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
    st.caption(
        f"Both fire on {counted(len(pair), 'text')} ({share(len(pair) / pair.texts)}), {pair.expected:.1f} by "
        f"chance: feature {pair.a} fires on {count(pair.count_a)} and feature {pair.b} on {count(pair.count_b)}. Those "
        "on which the weaker of the two is strongest stand first."
    )
