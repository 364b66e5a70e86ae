"""The list of births: which features are shown, their table, and the one that is looked at."""

from functools import partial
from zlib import crc32

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.sae.circuits.births import Births
from lib.ui import downloads
from lib.ui.circuits import births_words as words
from lib.ui.circuits.choice import FEATURE
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeSpace

_ANY = "any"


def filtered(result: Births, names: list[str]) -> NDArray[np.bool_]:
    """Which features are shown, by the controls above the map; shape (m,)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdict = st.selectbox(
            "Verdict", [_ANY, *words.by_share(result)], key="births_verdict", bind="query-params",
            persist_state="session", width=180,
            help="Lists only features whose curve over the depths got this verdict.",
        )  # fmt: skip
        depth = st.selectbox(
            "Born at", [_ANY, *result.depths], key="births_depth", bind="query-params", persist_state="session",
            width=180,
            help="Lists only features that are born at this depth.",
        )  # fmt: skip
        sought = st.text_input(
            "Label holds", key="births_label", bind="query-params", persist_state="session", max_chars=100, width=220,
            placeholder="part of a label",
            help="Lists only features whose label has these letters in it.",
        )  # fmt: skip
    kept = np.ones(len(result.features), dtype=bool)
    if verdict in result.verdicts:
        kept &= np.array(result.verdicts) == verdict
    if depth in result.depths:
        kept &= result.birth == result.depths.index(depth)
    if sought and sought.strip():
        kept &= np.array([sought.strip().casefold() in name.casefold() for name in names])
    return kept


def list_features(result: Births, names: list[str], rows: NDArray[np.intp]) -> None:
    """The table of the features at `rows`; a row that is chosen becomes the feature that is looked at."""
    if not len(rows):
        st.info("No feature is left: take another verdict, depth or label.")
        return
    key = f"births_list_{crc32(rows.tobytes())}"  # another list has nothing selected
    downloads.table(
        words.table(result, names, rows),
        name="births", hide_index=True, height=300, key=key, selection_mode="single-row",
        on_select=partial(_pick_row, key, [names[row] for row in rows]), column_config=words.COLUMNS,
    )  # fmt: skip
    st.caption(words.of_list(result))


def chosen_feature(space: SaeSpace, offered: list[str]) -> int:
    """Draw the choice of a feature among those `offered`, or any other by number.

    Raises:
        InputError: what was typed is no feature.
    """
    asked = st.selectbox(
        "Feature", offered or [feature_name(space.database, 0)], key=FEATURE, bind="query-params",
        persist_state="session", accept_new_options=True, width=460,
        help="Click a point, choose a row, or type a number. The Trace tab follows the same feature.",
    )  # fmt: skip
    return feature_named(str(asked or (offered or ["0"])[0]), offered, space.sae.features)


def _pick_row(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[FEATURE] = names[rows[0]]
