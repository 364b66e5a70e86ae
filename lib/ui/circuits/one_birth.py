"""One feature's way through the depths over a corpus, and the way to its trace on one text."""

import numpy as np
import streamlit as st

from lib.charts.circuits_births import feature_curve
from lib.sae.circuits.births import Births
from lib.ui import downloads
from lib.ui.circuits.choice import FEATURE, TEXT
from lib.ui.controls import put
from lib.ui.messages import count, plain
from lib.ui.sae.decompose_cached import strongest_texts
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

MOST_CHARACTERS = 5_000  # that the field for a text takes


def show_one(space: SaeSpace, result: Births, feature: int) -> None:
    """Draw the curve of `feature`, or say why it has none."""
    name = feature_name(space.database, feature)
    st.subheader(f"How does {plain(name)} come up?")
    rows = np.flatnonzero(result.features == feature)
    if len(rows):
        row = int(rows[0])
        downloads.picture(
            feature_curve(result, feature),
            key="births_curve",
            quiet=True,
            about="How this feature comes up through the layers.",
        )
        st.caption(_read(result, row))
    else:
        st.info(
            f"Feature {feature} fires on fewer than {count(result.least)} of the {count(result.texts)} texts followed, "
            "too few to judge. Trace follows it in one text."
        )
    _ways_on(space, feature, name)


def _read(result: Births, row: int) -> str:
    born, peak = result.depths[result.birth[row]], result.depths[result.peak[row]]
    low, high = result.depths[result.earliest[row]], result.depths[result.latest[row]]
    sure = "whichever end of the intervals is taken" if low == high else f"{low} to {high} by the 95 % intervals"
    return (
        f"Over the {count(int(result.firing[row]))} texts on which it fires at the output: born at {born} ({sure}), "
        f"strongest at {peak}; {result.verdicts[row]}. {plain(result.rules[result.verdicts[row]])} The grey band holds "
        "the curves of half of all features: what is the feature's own lies outside it. Where it fires on hardly more "
        "of its own texts than of all texts (dashed), it does not yet tell them apart."
    )


def _ways_on(space: SaeSpace, feature: int, name: str) -> None:
    found = strongest_texts(space, feature, 1)
    with st.container(horizontal=True):
        if found.fires:
            text = space.space.corpus.texts[int(found.rows[0])][:MOST_CHARACTERS]
            st.button(
                "Trace it in the text where it fires most", key="births_trace", on_click=_trace, args=(text, name),
                icon=":material/timeline:",
            )  # fmt: skip
        st.page_link(
            "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
            query_params={"view": "Browser", "feature": str(feature)},
        )  # fmt: skip


def _trace(text: str, name: str) -> None:
    for key, value in (("view", "Trace"), (FEATURE, name), (TEXT, text)):
        put(key, value)
