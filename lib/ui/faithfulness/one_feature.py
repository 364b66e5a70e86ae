"""One feature taken out: the queries that it hurts and helps, and what happens to one of them."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lib.sae.faithfulness import MEANINGS, Faithfulness
from lib.sae.faithfulness.controls import PEERS
from lib.ui import downloads
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.links import named
from lib.ui.faithfulness.one_query import show_query
from lib.ui.messages import count, plain
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace

_MOST = 200  # queries in the table
_CHANGED, _HURT = "faithfulness_changed", "faithfulness_hurt"


def show_feature(space: SaeQuerySpace, settings: Settings, found: Faithfulness, feature: int) -> None:
    """Draw what happens to the queries without it."""
    name = feature_name(space.database, feature)
    st.markdown(f"**Which queries need {plain(name)}?**")
    place = found.place_of(feature)
    if place is None:
        st.caption("It fires on none of these queries: taking it out changes nothing.")
    else:
        _queries(space, settings, found, place)
    st.page_link(
        "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
        query_params={"view": "Browser", "feature": str(feature)},
    )  # fmt: skip


def _queries(space: SaeQuerySpace, settings: Settings, found: Faithfulness, place: int) -> None:
    rows, activations, change = found.changes(place)
    st.caption(plain(_told(found, place, len(rows))))
    order = np.lexsort((-activations, -np.abs(change)))[:_MOST]
    rows, change, feature = rows[order], change[order], int(found.features[place])
    before = found.ndcg[np.searchsorted(found.query, rows)]
    queries = space.space.queries
    options = [named(queries.query_ids[row], queries.queries[row]) for row in rows.tolist()]
    table = pd.DataFrame(
        {
            "": ["▼ hurt" if one > 0 else "▲ helped" if one < 0 else "same" for one in change],
            "query": [queries.queries[row] for row in rows],
            "id": [queries.query_ids[row] for row in rows],
            "topic": [queries.topics[row] if queries.topics else None for row in rows],
            "activation": activations[order],
            "NDCG": before,
            "without it": before - change,
        }
    ).dropna(axis="columns", how="all")
    key = f"{_CHANGED}_{feature}"
    downloads.table(
        table,
        name="faithfulness_queries",
        hide_index=True, height=min(38 + 35 * len(table), 300), key=key, selection_mode="single-row",
        on_select=partial(_take_clicked, key, options),
        column_config={
            "query": st.column_config.TextColumn(width="large"),
            **{name: st.column_config.NumberColumn(format="%.3f") for name in ("activation", "NDCG", "without it")},
        },
    )  # fmt: skip
    chosen = st.selectbox(
        "One of these queries, with and without the feature", options, key=_HURT, bind="query-params",
        persist_state="session", help="Those that change most first. Or click a row of the table.",
    )  # fmt: skip
    at = options.index(chosen) if chosen in options else 0
    show_query(space, settings, query=int(rows[at]), feature=feature)


def _told(found: Faithfulness, place: int, fires: int) -> str:
    verdict = found.verdict[place]
    cost = found.peers[place] * min(PEERS, len(found.features) - 1)
    beside = (
        ""
        if np.isnan(cost)
        else f" Of the {min(PEERS, len(found.features) - 1)} other features that fire about as often, "
        f"{count(round(cost))} cost as much or more."
    )
    return (
        f"{verdict.capitalize()}: {MEANINGS[verdict]}. It fires on {count(fires)} of {count(len(found.query))} "
        f"queries; without it NDCG@{found.k} is lower on {count(int(found.hurt[place]))}, higher on "
        f"{count(int(found.helped[place]))} and the same on the others.{beside}"
    )


def _take_clicked(key: str, options: list[str]) -> None:
    """Look at the query whose row was clicked."""
    clicked = st.session_state[key]["selection"]["rows"]
    if clicked:
        st.session_state[_HURT] = options[clicked[0]]
