"""What the user sets of a network: which features, what an edge measures, and from where on it is drawn."""

from dataclasses import dataclass

import streamlit as st

from lib.charts.network_picture import Colouring
from lib.sae.network import MEASURES, Measure
from lib.sae.network.settings import DEFAULT_FEATURES, DEFAULT_MEASURE, DEFAULT_THRESHOLDS
from lib.ui.controls import one_of

FEWEST, MOST = 5, 300
_FIRST = (DEFAULT_MEASURE, *(measure for measure in MEASURES if measure != DEFAULT_MEASURE))
_MEANING: dict[Measure, str] = {
    "correlation": "how alike their activations rise and fall over all texts, 0 = unrelated, 1 = in step",
    "frequency": "share of the texts on which both fire; common features reach it by being common",
    "jaccard": "texts with both, of the texts with either: 1 = always together",
    "lift": "how many times as often as independent features would, 1 = chance; rare features reach far by luck",
    "npmi": "the same made comparable between rare and common features: 0 = chance, 1 = always together",
}
_RANGES: dict[Measure, tuple[float, float, float]] = {
    "correlation": (0.05, 1.0, 0.01),
    "frequency": (0.01, 1.0, 0.01),
    "jaccard": (0.01, 1.0, 0.01),
    "lift": (1.0, 30.0, 0.5),
    "npmi": (0.05, 1.0, 0.01),
}
"""Least and most threshold, and a step of its slider."""


Content = tuple[int, Measure, float, bool]
"""What decides which network it is."""


@dataclass(frozen=True)
class Choices:
    """What is asked for."""

    most: int
    """Features shown at most."""
    measure: Measure
    """What an edge measures."""
    threshold: float
    """The least of it that is drawn."""
    hide_everywhere: bool
    """Leave out features that fire on half of the texts or more."""
    colour_by: Colouring
    """What the colour of a node is."""

    @property
    def content(self) -> Content:
        """All of it but how the network is drawn."""
        return self.most, self.measure, self.threshold, self.hide_everywhere


def choose() -> Choices:
    """Draw the controls."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = one_of(
            "An edge measures", _FIRST, key="network_measure",
            help="  \n".join(f"**{name}**: {_MEANING[name]}." for name in _FIRST),
        )  # fmt: skip
        colour = one_of(
            "Colour", ("frequency", "cluster"), key="network_colour",
            help="**frequency**: the share of texts on which a feature fires. **cluster**: groups with more edges "
            "among them than at random.",
        )  # fmt: skip
    measure: Measure = chosen if chosen in MEASURES else DEFAULT_MEASURE
    low, high, step = _RANGES[measure]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        most = st.slider(
            "Features", FEWEST, MOST, DEFAULT_FEATURES, key="network_features", bind="query-params",
            persist_state="session", width=260, help="Those of the largest total activation on these texts.",
        )  # fmt: skip
        threshold = st.slider(
            f"Threshold of {_NAMES[measure]}", low, high, DEFAULT_THRESHOLDS[measure], step,
            key=f"network_{measure}", bind="query-params", persist_state="session", width=260,
            help="Pairs below it are not drawn. Each measure has a threshold of its own.",
        )  # fmt: skip
        hide = st.toggle(
            "Hide features that fire everywhere", True, key="network_hide", bind="query-params",
            persist_state="session",
            help="On half of the texts or more: they are joined with all others, and say little of any.",
        )  # fmt: skip
    return Choices(
        most=int(most),
        measure=measure,
        threshold=round(float(threshold), 4),
        hide_everywhere=bool(hide),
        colour_by="cluster" if colour == "cluster" else "frequency",
    )


_NAMES: dict[Measure, str] = {
    "correlation": "correlation",
    "frequency": "co-activation frequency",
    "jaccard": "Jaccard",
    "lift": "lift",
    "npmi": "normalised PMI",
}
