"""Which features are pushed, and how far: one recipe, which stands in the address and which sliders change."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.codes import Codes
from lib.sae.decomposition import Decomposition
from lib.sae.statistics import feature_statistics, rank_features
from lib.sae.steering import Recipe, parse_recipe
from lib.sae.steering.recipes import MOST_DELTA, MOST_FEATURES
from lib.ui import resources
from lib.ui.messages import plain, refuse
from lib.ui.sae import cached
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeSpace

RECIPE, ADD = "recipe", "steer_add"
FIRST_DELTA = 4.0
MOST_OFFERED = 2_000  # features in the list; any other can be typed
_FAULT = "_steer_fault"


def choose_recipe(space: SaeSpace, output: Decomposition) -> Recipe:
    """Draw a slider for each feature of the recipe, and what adds one; the text's strongest feature at the start.

    Raises:
        InputError: the address holds what is no recipe, or no feature fires on the text and none is in the recipe.
    """
    sliders = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        add = st.container(width=420)
        written = st.text_input(
            "Recipe", key=RECIPE, bind="query-params", persist_state="session", width=300, max_chars=300,
            placeholder="such as 319:+4,27:-2",
            help="feature:delta, with commas between. It stands in the address: whoever opens that sees the same. "
            "Clear it to begin anew with the text's strongest feature.",
        )  # fmt: skip
    recipe = parse_recipe(written or "", space.sae.features)
    if not recipe.features:
        if not len(output.features):
            raise InputError("No feature fires on this text: write one into the recipe, such as 319:+4.")
        recipe = Recipe((int(output.features[0]),), (FIRST_DELTA,))
    with add:
        _add(space, output, recipe)
    with sliders:
        for feature, delta in zip(recipe.features, recipe.deltas, strict=True):
            _slider(space, recipe, feature, delta)
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        refuse(fault)
    return recipe


def pushed_first(space: SaeSpace) -> str | None:
    """Name of the first feature of the recipe set in the other view or by address; None where there is none."""
    try:
        recipe = parse_recipe(st.session_state.get(RECIPE) or st.query_params.get(RECIPE, ""), space.sae.features)
    except InputError:  # it is refused where it stands
        return None
    return feature_name(space.database, recipe.features[0]) if recipe.features else None


def feature_options(space: SaeSpace, output: Decomposition) -> list[str]:
    """Names of features to choose from: those that fire on the text first, then those that fire most on the corpus."""
    here = output.features.tolist()
    known = set(here)
    others = [feature for feature in _by_total(space.codes_key, cached.codes(space)).tolist() if feature not in known]
    return [feature_name(space.database, feature) for feature in [*here, *others][:MOST_OFFERED]]


def _slider(space: SaeSpace, recipe: Recipe, feature: int, delta: float) -> None:
    key = f"steer_delta_{feature}"
    st.session_state[key] = delta  # the recipe is what holds it
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider(
            plain(feature_name(space.database, feature)), -MOST_DELTA, MOST_DELTA, step=0.5, key=key, format="%+g",
            on_change=_set, args=(recipe, feature),
            help="How many of its mean active values are added: left of 0 suppresses the feature, right of it boosts "
            "it, 0 changes nothing at all.",
        )  # fmt: skip
        st.button(
            "Take out", key=f"steer_out_{feature}", on_click=_take_out, args=(recipe, feature),
            icon=":material/close:", disabled=len(recipe.features) == 1, width="content",
        )  # fmt: skip


def _add(space: SaeSpace, output: Decomposition, recipe: Recipe) -> None:
    full, options = len(recipe.features) >= MOST_FEATURES, feature_options(space, output)
    st.selectbox(
        "Add a feature", options, index=None, key=ADD, accept_new_options=True, disabled=full,
        on_change=_take, args=(recipe, options, space.sae.features),
        placeholder="a word of its label, or its number",
        help="Those that fire on this text come first, then those that fire most on the corpus.",
    )  # fmt: skip


def _set(recipe: Recipe, feature: int) -> None:
    st.session_state[RECIPE] = str(recipe.with_delta(feature, float(st.session_state[f"steer_delta_{feature}"])))


def _take_out(recipe: Recipe, feature: int) -> None:
    st.session_state[RECIPE] = str(recipe.without(feature))


def _take(recipe: Recipe, options: Sequence[str], features: int) -> None:
    chosen = st.session_state[ADD]
    st.session_state[ADD] = None
    if not chosen:
        return
    try:
        feature = feature_named(str(chosen), options, features)
    except InputError as fault:
        st.session_state[_FAULT] = str(fault)
        return
    if feature not in recipe.features:
        st.session_state[RECIPE] = str(recipe.with_delta(feature, FIRST_DELTA))


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _by_total(key: str, _codes: Codes) -> NDArray[np.int64]:
    return rank_features(feature_statistics(_codes))[:MOST_OFFERED]
