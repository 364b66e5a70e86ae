"""Addresses from before the overview was the first page: what they show is on the Geometry page now."""

import streamlit as st

_VIEWS = {"Map", "Anisotropy", "Dimension", "Labels", "Hubs", "Outliers"}
_CONTROLS = {
    "above", "clusters", "colour", "count", "dims", "flags", "k", "map", "min_dist", "min_size", "near", "occurrence",
    "pairs", "perplexity", "probe", "quantile", "rule", "seed", "similarity", "threshold", "truth",
}  # fmt: skip
"""Views and controls of the Geometry page as they stand in addresses."""


def send_on() -> None:
    """Go to the Geometry page where the address asks for one of its views, with all that the address holds."""
    params = st.query_params
    if params.get("view") in _VIEWS or _CONTROLS & set(params):
        st.switch_page("pages/geometry.py", query_params=params.to_dict())
