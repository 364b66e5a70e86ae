"""What fires at one depth of a text: its features with their labels, and which of them stay to the end."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lib.sae.circuits.trace import Trace
from lib.sae.decomposition import Decomposition
from lib.ui import downloads
from lib.ui.circuits.choice import FEATURE
from lib.ui.messages import count, plain, share
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace


def show_column(space: SaeSpace, trace: Trace, place: int, states: tuple[Decomposition, Decomposition]) -> None:
    """Draw the features that fire at the depth in `place`; `states` are that depth and the output, taken apart."""
    here, output = states
    st.subheader(f"What fires at {trace.depths[place]}?")
    if not len(here.features):
        st.caption("No feature fires at this depth.")
        return
    table = _table(space, here, output)
    names = [feature_name(space.database, feature) for feature in here.features.tolist()]
    key = f"trace_features_{place}_{trace.feature}"
    st.dataframe(
        table, hide_index=True, key=key, on_select=partial(_trace_chosen, key, names), selection_mode="single-row",
        height=min(420, 36 + 35 * len(table)),
        column_config={
            "label": st.column_config.TextColumn(width="large"),
            "activation": st.column_config.NumberColumn(format="%.4f"),
            "at the output": st.column_config.NumberColumn(format="%.4f", help="None: it does not fire there."),
        },
    )  # fmt: skip
    st.caption(_read(trace, place, here, output))
    with st.container(horizontal=True):
        downloads.offer_table(table, name=f"features_at_depth_{place}")
        st.page_link(
            "pages/sae_features.py", label=f"Feature {trace.feature} in the Browser", icon=":material/menu_book:",
            query_params={"view": "Browser", "feature": str(trace.feature)},
        )  # fmt: skip


def _table(space: SaeSpace, here: Decomposition, output: Decomposition) -> pd.DataFrame:
    at_end = dict(zip(output.features.tolist(), output.activations.tolist(), strict=True))
    features = here.features.tolist()
    database = space.database
    labels = {} if database is None else {"label": [database.label(feature) for feature in features]}
    return pd.DataFrame(
        {
            "feature": features,
            **labels,
            "activation": here.activations,
            "at the output": pd.array([at_end.get(feature) for feature in features], dtype="Float64"),
        }
    )


def _read(trace: Trace, place: int, here: Decomposition, output: Decomposition) -> str:
    stay = int(np.isin(here.features, output.features).sum())
    end = place == len(trace.depths) - 1
    fires = np.flatnonzero(here.features == trace.feature)
    stands = (
        f"Feature {trace.feature} is number {int(fires[0]) + 1} of them"
        if len(fires)
        else f"Feature {trace.feature} is silent here"
    )
    shared = (
        "This is the output itself."
        if end
        else f"{count(stay)} ({share(stay / len(here.features), 0)}) of them also fire at the output, where "
        f"{share(len(output.features) / here.dictionary)} of features drawn at random would."
    )
    return f"{count(len(here.features))} features fire. {stands}. {plain(shared)} Choose a row to trace that feature."


def _trace_chosen(key: str, names: list[str]) -> None:
    """Trace the feature in the row of the table `key` that was chosen, of those called `names`."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[FEATURE] = names[rows[0]]
