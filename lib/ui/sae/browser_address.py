"""Which feature the Browser's address names. A click changes it as typing does, so no widget holds it."""

import streamlit as st

from lib.ui.sae.names import feature_of

_NAME, _TYPED, _SEEN = "feature", "browser_feature", "_browser_feature_seen"


def chosen_feature(features: int) -> int | None:
    """Draw the field for a feature's number; the feature that the address names, out of so many, if it names one.

    Raises:
        InputError: it names none that there is.
    """
    asked = st.query_params.get(_NAME, "").strip()
    if st.session_state.get(_SEEN) != asked or _TYPED not in st.session_state:
        st.session_state[_TYPED] = st.session_state[_SEEN] = asked
    st.text_input(
        "Open feature", key=_TYPED, on_change=_take_typed, width=200, max_chars=200, icon=":material/tag:",
        placeholder="number, such as 319",
        help="It stands in the address: whoever opens that sees the same feature.",
    )  # fmt: skip
    return feature_of(asked, features) if asked else None


def open_feature(feature: str) -> None:
    """Put a feature into the address; "" takes it out."""
    if feature:
        st.query_params[_NAME] = feature
    else:
        st.query_params.pop(_NAME, None)


def toggle_feature(feature: str) -> None:
    """Open a feature, or close it where it is open."""
    open_feature("" if st.query_params.get(_NAME) == feature else feature)


def _take_typed() -> None:
    open_feature(str(st.session_state.get(_TYPED) or "").strip())
