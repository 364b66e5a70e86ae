"""Where does a sentence land? It is embedded, placed on the map, and its nearest texts are listed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry import Projection, place
from lib.geometry.neighbours import search
from lib.geometry.vectors import unit
from lib.ui import downloads, resources
from lib.ui.messages import refuse
from lib.ui.workspace import Space

_LISTED = 10


@dataclass(frozen=True)
class Probe:
    """A sentence in the space."""

    text: str
    vector: NDArray[np.float32]
    """Its embedding, shape (1, d)."""
    landing: NDArray[np.float32]
    """Its place on the map, shape (1, dimensions)."""


def ask(space: Space, layout: Projection) -> Probe | None:
    """Ask for a sentence; None while there is none, or none can be embedded."""
    if space.checkpoint is None:
        st.caption("This corpus brought embeddings of its own, so no new sentence can be placed among them.")
        return None
    text = st.text_input(
        "Where does a sentence land?",
        key="probe",
        bind="query-params",
        persist_state="session",
        placeholder="Type a sentence to see where it lands and what is near it",
        max_chars=2_000,
        help="Is placed on the map amid its nearest texts, which are listed; it changes nothing else.",
    ).strip()
    if not text:
        return None
    try:
        vector = resources.embed_now((text,), space.checkpoint, role="document", precision=space.precision)
        return Probe(text, vector, place(layout, space.vectors, vector))
    except InputError as fault:
        refuse(fault)
        return None


def show_neighbours(space: Space, probe: Probe) -> None:
    """The texts nearest to the sentence."""
    found, distances = search(unit(probe.vector), space.vectors, min(_LISTED, len(space.corpus)))
    rows = found[0]
    st.subheader("Nearest to your sentence")
    downloads.table(
        pd.DataFrame(
            {
                "cosine": 1 - distances[0] ** 2 / 2,
                "id": [space.corpus.ids[row] for row in rows],
                "label": [space.labels[row] if space.labels else None for row in rows],
                "text": [space.corpus.texts[row] for row in rows],
            }
        ),
        name="nearest",
        hide_index=True,
        column_config={
            "cosine": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f"),
            "text": st.column_config.TextColumn(width="large"),
        },
    )
