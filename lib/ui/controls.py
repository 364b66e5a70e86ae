"""Controls that several views use."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lib.numerals import spelt


def one_of(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    help: str | None = None,
    width: int | Literal["content", "stretch"] = "content",
) -> str:
    """One of a few options, the first at the start; bound to the address."""
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, bind="query-params", persist_state="session",
        help=help, width=width,
    )  # fmt: skip
    return options[0] if chosen is None else str(chosen)  # an address with an empty value clears even a required one


def one_metric(label: str, names: Sequence[str], *, key: str, help: str, width: int = 220) -> str:
    """One of some metrics, the first at the start; on screen and in the address as a reader knows them: NDCG@10."""
    return str(
        st.selectbox(
            label, _known(names, key), key=key, bind="query-params", persist_state="session", format_func=spelt,
            help=help, width=width,
        )
    )  # fmt: skip


def one_metric_of_few(label: str, names: Sequence[str], *, key: str, help: str) -> str:
    """The same, of so few that they stand side by side."""
    options = _known(names, key)
    chosen = st.segmented_control(
        label, options, default=None if key in st.session_state else options[0], required=True, key=key,
        bind="query-params", persist_state="session", format_func=spelt, help=help,
    )  # fmt: skip
    return options[0] if chosen is None else str(chosen)


def _known(names: Sequence[str], key: str) -> list[str]:
    """The names; an address that has one as the command line writes it (ndcg@10) is understood too."""
    given = st.query_params.get(key)
    if given is not None and key not in st.session_state and given in names:
        st.session_state[key] = given  # the control then writes its address anew
    return list(names)


def put(key: str, value: str | None) -> None:
    """Set a control that is bound to the address, from a callback; None for nothing chosen.

    A control that is drawn already writes its address by itself. One that is about to be drawn for the first time does
    not: it takes what it is given as its beginning, and a copied link would lose it.
    """
    st.session_state[key] = value
    try:
        if value is None:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = value
    except StreamlitAPIException:  # it is drawn, and Streamlit keeps its part of the address to itself
        return
