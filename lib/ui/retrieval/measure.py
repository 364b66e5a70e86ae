"""Which similarity the Retrieval page searches by: one choice for all its views, drawn above them."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.retrieval import Measure

KEY = "measure"
"""Key of the widget."""
MEASURES: tuple[Measure, ...] = ("cosine", "dot", "l2", "manhattan")
MEANINGS: dict[Measure, str] = {
    "cosine": "the angle between two vectors, whatever their lengths; −1 to 1, higher is closer",
    "dot": "the cosine times both lengths: long vectors score higher; without bounds, higher is closer",
    "l2": "the straight-line distance; 0 and up, lower is closer",
    "manhattan": "the sum of the differences of all dimensions; 0 and up, lower is closer; slow, and rarely used",
}
"""Each measure in one sentence."""
DISTANCES: tuple[Measure, ...] = ("l2", "manhattan")
"""Measures shown as distances; scores are their negatives."""


def choose() -> Measure:
    """Draw the choice and return it."""
    st.segmented_control(
        "Similarity", MEASURES, default=MEASURES[0], required=True, key=KEY, bind="query-params",
        persist_state="session", width="content",
        help="What every view searches by.\n" + "\n".join(f"- **{name}**: {MEANINGS[name]}" for name in MEASURES),
    )  # fmt: skip
    return chosen()


def chosen() -> Measure:
    """The similarity that is chosen, in whichever view; cosine until one is."""
    value = st.session_state.get(KEY) or st.query_params.get(KEY)
    return next((measure for measure in MEASURES if measure == value), "cosine")


def shown(scores: NDArray[np.float32], by: Measure) -> NDArray[np.float32]:
    """Scores as the screen has them: similarities as they are, distances positive."""
    return -scores if by in DISTANCES else scores


def value_name(by: Measure) -> str:
    """What the number shown is called."""
    return {"cosine": "cosine", "dot": "dot product", "l2": "L2 distance", "manhattan": "Manhattan distance"}[by]
