"""How far the chosen lens can be trusted at each depth: its figure, its numbers, its file."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.circuits_lens import lens_quality
from lib.sae.circuits.lens import Lens
from lib.ui import downloads
from lib.ui.messages import count, plain
from lib.ui.sae_space import SaeSpace


def show_lens(space: SaeSpace, lens: Lens) -> None:
    """Draw how far `lens` reads each depth."""
    with st.expander(f"How far can each layer be read? The {lens.kind} lens, measured"):
        if lens.r2 is None:
            st.caption("This lens has not been measured.")
            return
        own = lens.sae == space.sae.key
        downloads.picture(
            lens_quality(lens, own_dictionary=own),
            key="lens_quality",
            quiet=True,
            about="How much of each layer the lens can read, layer by layer.",
        )
        st.caption(_read(lens, own=own))
        columns: dict[str, Any] = {"depth": lens.depths, "R²": lens.r2}
        if own:
            columns |= {"FVU": lens.fvu, "features shared": lens.overlap, "by chance": lens.by_chance}
        if lens.ridge is not None:
            columns["ridge"] = [*lens.ridge.tolist(), np.nan]
        table = pd.DataFrame(columns)
        st.dataframe(table.round(4), hide_index=True)
        downloads.offer_table(table, name=f"lens_{lens.kind}")


def _read(lens: Lens, *, own: bool) -> str:
    made = (
        f"Fitted on {count(lens.fitted)} texts of {plain(lens.corpus)}, measured on {count(lens.held_out)} others."
        if lens.kind == "tuned"
        else f"Measured on {count(lens.held_out)} texts of {plain(lens.corpus)}."
    )
    rest = (
        f" Shared features are those among the {count(lens.strongest)} strongest of the reading and of the output."
        if own
        else " What it leaves of features was measured under another dictionary, and is not shown."
    )
    return (
        f"{made} R² 1 = the reading is the output, 0 = no better than the mean output, below 0 worse; FVU 1 and above "
        f"= the dictionary can make nothing of the readings.{rest} A value beyond the axis is drawn at its edge."
    )
