"""A label that somebody wrote: kept at once, and scored as the page is drawn next, as any other label is."""

import streamlit as st

from lib.errors import InputError
from lib.sae.database import FeatureDatabase, check_label
from lib.sae.feature_table import Edit
from lib.ui.messages import tell
from lib.ui.sae import labels_in_force
from lib.ui.sae.browser_cached import score_of
from lib.ui.sae_space import SaeSpace

_SAVED = "_browser_saved_label"


def save_label(space: SaeSpace, feature: int, text: str) -> None:
    """Give a feature another label; `score_saved` scores it.

    Raises:
        InputError: it is too long, or cannot be kept on disk.
    """
    label = check_label(text)
    if label is not None:
        st.session_state[_SAVED] = (space.sae.key, feature, label)
    labels_in_force.edit(space.sae, {feature: Edit(label)})


def score_saved(space: SaeSpace) -> FeatureDatabase | None:
    """The database to show, with the score on this corpus of a label that was saved just now."""
    key, feature, label = st.session_state.get(_SAVED, (None, 0, ""))
    if key != space.sae.key:
        return space.database
    try:
        found = score_of(space, feature, label)
        if found.auroc == found.auroc:
            corpus = space.space.corpus.name
            edit = Edit(label, found.auroc, found.error, found.near, found.texts, scored_on=corpus)
            labels_in_force.edit(space.sae, {feature: edit})
    except InputError as fault:
        tell([f"The label is saved, but not scored: {fault}"])
    st.session_state.pop(_SAVED)  # after the work, so that a click meanwhile does not lose it
    return labels_in_force.labels_in_force(space.sae, space.shipped)
