"""One feature taken out: the queries that it hurts and helps."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.sae.faithfulness import MEANINGS, Faithfulness
from lib.ui.messages import count, plain
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace

_MOST = 200  # queries in the table


def show_feature(space: SaeQuerySpace, found: Faithfulness, feature: int) -> None:
    """Draw what happens to the queries without it."""
    name = feature_name(space.database, feature)
    st.markdown(f"**Which queries need {plain(name)}?**")
    place = found.place_of(feature)
    if place is None:
        st.caption("It fires on none of these queries: taking it out changes nothing.")
    else:
        _queries(space, found, place)
    st.page_link(
        "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
        query_params={"view": "Browser", "feature": str(feature)},
    )  # fmt: skip


def _queries(space: SaeQuerySpace, found: Faithfulness, place: int) -> None:
    rows, activations, change = found.changes(place)
    verdict, queries = found.verdict[place], space.space.queries
    st.caption(
        plain(
            f"{verdict.capitalize()}: {MEANINGS[verdict]}. It fires on {count(len(rows))} of {count(len(found.query))} "
            f"queries; without it NDCG@{found.k} is lower on {count(int(found.hurt[place]))}, higher on "
            f"{count(int(found.helped[place]))} and the same on the others."
        )
    )
    order = np.lexsort((-activations, -np.abs(change)))[:_MOST]
    before = found.ndcg[np.searchsorted(found.query, rows)]
    table = pd.DataFrame(
        {
            "": ["▼ hurt" if one > 0 else "▲ helped" if one < 0 else "same" for one in change[order]],
            "query": [queries.queries[row] for row in rows[order]],
            "id": [queries.query_ids[row] for row in rows[order]],
            "topic": [queries.topics[row] if queries.topics else None for row in rows[order]],
            "activation": activations[order],
            "NDCG": before[order],
            "without it": (before - change)[order],
        }
    ).dropna(axis="columns", how="all")
    st.dataframe(
        table, hide_index=True, height=min(38 + 35 * len(table), 300),
        column_config={
            "query": st.column_config.TextColumn(width="large"),
            **{name: st.column_config.NumberColumn(format="%.3f") for name in ("activation", "NDCG", "without it")},
        },
    )  # fmt: skip
