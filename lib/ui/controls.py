"""Controls that several views use."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st


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
