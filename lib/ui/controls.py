"""Controls that several views use."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.errors import StreamlitAPIException


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
