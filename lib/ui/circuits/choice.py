"""Which feature of which text the Circuits page looks at: one choice for all of its views."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.sae.decomposition import Decomposition
from lib.ui.sae.decompose_cached import decomposition
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae.text_choice import ChosenText, choose_text
from lib.ui.sae_space import SaeSpace

TEXT = "circuit_text"
FEATURE = "circuit_feature"


@dataclass(frozen=True, eq=False)
class Choice:
    """A text and a feature."""

    text: ChosenText
    """The text with its embedding."""
    feature: int
    """A feature of the dictionary, whether it fires on the text or not."""
    name: str
    """What the feature is called."""
    output: Decomposition
    """The text's vector taken apart: what fires on it at the end."""
    row: DeltaGenerator
    """The row in which the feature was chosen: further controls find a place beside it."""

    @property
    def fires(self) -> bool:
        """Whether the feature fires on the text."""
        return self.feature in self.output.features


def choose(space: SaeSpace) -> Choice:
    """Draw the choice: a text, typed or of the corpus, and one of the features that fire on it, or any other by number.

    The strongest feature goes first; one that was chosen before stays chosen for the next text.

    Raises:
        InputError: what was typed is no feature.
    """
    text = choose_text(space, key=TEXT, label="Text")
    output = decomposition(space, text.vector)
    names = [feature_name(space.database, feature) for feature in output.features.tolist()]
    names = names or [feature_name(space.database, 0)]
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    chosen = row.selectbox(
        "Feature", names, key=FEATURE, bind="query-params", persist_state="session", accept_new_options=True, width=460,
        help="The features that fire on this text, the strongest first. Or type the number of any other.",
    )  # fmt: skip
    feature = feature_named(str(chosen or names[0]), names, space.sae.features)
    return Choice(text, feature, feature_name(space.database, feature), output, row)
