"""Views about features: what is needed to draw one, and what to do where it is missing."""

from collections.abc import Callable

import streamlit as st

from lib.encoders import PACKAGED
from lib.errors import InputError
from lib.sae.database import FeatureDatabase
from lib.sae.fit import check_fit
from lib.sae.sources import PACKAGED_SAES, OpenedSae
from lib.ui import resources, workspace
from lib.ui.messages import refuse, tell
from lib.ui.query_space import QuerySpace
from lib.ui.sae.labels_in_force import labels_in_force
from lib.ui.sae_choice import KEY, choose_sae, chosen_sae
from lib.ui.sae_space import SaeQuerySpace, SaeSpace
from lib.ui.workspace import Space


def about_features(show: Callable[[SaeSpace], None]) -> Callable[[Space], None]:
    """A view of a corpus's space from one of its features; says what is missing where there is no dictionary."""

    def draw(space: Space) -> None:
        try:
            features = _features_of(space)
        except InputError as fault:
            refuse(fault)
            _ways_on(space)
            return
        show(features)

    return draw


def about_asked_features(show: Callable[[SaeQuerySpace], None]) -> Callable[[QuerySpace], None]:
    """A view of a query set through a dictionary, which is chosen in the view: Retrieval's sidebar has no choice of it.

    Says what is missing where the dictionary does not belong to the encoder.
    """

    def draw(space: QuerySpace) -> None:
        with st.container(width=360):
            choose_sae(space.checkpoint)
        try:
            found = chosen_sae()
            check_fit(found.sae, space.checkpoint)
        except InputError as fault:
            refuse(fault)
            return
        show(SaeQuerySpace(space, found.sae, labels_in_force(found.sae, _shipped(found)), found.source))

    return draw


def asked_beside(show: Callable[[SaeQuerySpace], None]) -> Callable[[SaeSpace], None]:
    """The same view on a page about a corpus: the query set is chosen in the view, the dictionary in the sidebar."""

    def draw(features: SaeSpace) -> None:
        if features.space.checkpoint is None:
            raise InputError(
                "This corpus brought its own embeddings; queries need the encoder that made them: choose another one."
            )
        with st.container(width=360):
            space = workspace.queries_beside(features.space.checkpoint, features.space.precision)
        show(SaeQuerySpace(space, features.sae, features.database, features.source))

    return draw


def _features_of(space: Space) -> SaeSpace:
    found = chosen_sae()
    if space.checkpoint is None:
        found.sae.check_width(space.vectors)
    else:
        check_fit(found.sae, space.checkpoint)
    shipped = _shipped(found)
    return SaeSpace(space, found.sae, labels_in_force(found.sae, shipped), found.source, shipped)


def _shipped(found: OpenedSae) -> FeatureDatabase | None:
    """What lies beside the dictionary; where that cannot be used it is said, and the dictionary goes without."""
    try:
        return resources.feature_database(found)
    except InputError as fault:
        tell([f"This dictionary is shown without the labels that lie beside it, which cannot be used: {fault}"])
        return None


def _ways_on(space: Space) -> None:
    """What can be done where the chosen dictionary does not belong to the encoder."""
    with st.container(horizontal=True):
        if space.checkpoint is not None and space.checkpoint.source != PACKAGED:
            st.button(
                "Open the packaged encoder",
                on_click=_set,
                args=("encoder", PACKAGED),
                icon=":material/package_2:",
            )
        for source, encoder in PACKAGED_SAES.items():
            if space.checkpoint is not None and space.checkpoint.source == encoder:
                st.button("Take the packaged SAE", on_click=_set, args=(KEY, source), icon=":material/hub:")
        st.button("Train one on this corpus", on_click=_set, args=("view", "Train"), icon=":material/model_training:")


def _set(key: str, value: str) -> None:
    st.session_state[key] = value
