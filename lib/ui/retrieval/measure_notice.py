"""What a view does not take over of the choices that others follow, said where it matters."""

import streamlit as st

from lib.corpora import QuerySet
from lib.retrieval import Gain
from lib.ui.messages import tell
from lib.ui.retrieval import measure

_GAIN = "quality_gain"  # key of the widget in the Quality view


def tell_measure() -> None:
    """Say how scores read that are distances."""
    by = measure.chosen()
    if by in measure.DISTANCES:
        tell([f"Scores by {by} are negative distances: higher is closer."])


def tell_cosine(why: str) -> None:
    """Say that a view goes by cosine, and why, where another similarity is chosen."""
    by = measure.chosen()
    if by != "cosine":
        tell([f"By cosine here, not by {by}: {why}"])


def tell_linear_gain(queries: QuerySet) -> None:
    """Say that NDCG has linear gain here, where the other gain is chosen and makes a difference."""
    if queries.graded and chosen_gain() == "exponential":
        tell(["NDCG has linear gain here; the exponential gain chosen under Quality counts there alone."])


def chosen_gain() -> Gain:
    """The gain that is chosen under Quality; linear until one is."""
    value = st.session_state.get(_GAIN) or st.query_params.get(_GAIN)
    return "exponential" if value == "exponential" else "linear"
