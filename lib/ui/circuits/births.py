"""Where are features born? Every feature of a corpus at the depth where it first appears, and what becomes of it."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import circuits_births as charts
from lib.layers.states import why_no_layers
from lib.sae.circuits.births import Births
from lib.sae.circuits.lens import Lens
from lib.ui import downloads
from lib.ui.circuits import births_words as words
from lib.ui.circuits.births_cached import born
from lib.ui.circuits.births_list import chosen_feature, filtered, list_features
from lib.ui.circuits.choice import FEATURE
from lib.ui.circuits.lens_quality import show_lens
from lib.ui.circuits.lenses import choose_lens
from lib.ui.circuits.one_birth import show_one
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, tell
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

CHART = "births_map"
_STEPS = (2_000, 10_000)
"""How many texts of a larger corpus can be chosen, beside all of them."""


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("At which layer are features born?")
    checkpoint = space.space.checkpoint
    why = why_no_layers(checkpoint)
    if why or checkpoint is None:
        st.info(f"{plain(why)} Choose an encoder with layers to see where features are born.",
                icon=":material/layers_clear:")  # fmt: skip
        return
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    lens = choose_lens(space, checkpoint, row)
    with row:
        most = _how_many(len(space.space.corpus))
    result = None if lens is None else born(space, checkpoint, lens, most)
    if lens is None or result is None:
        return
    tell(words.notices(result, lens))
    if not len(result.features):
        st.info(words.none_judged(result))
        return
    numbers, picture = numbers_over_picture()
    names = [feature_name(space.database, feature) for feature in result.features.tolist()]
    with numbers:
        _numbers(result)
    with picture:
        _map(space, result, lens, names)
    show_lens(space, lens)
    _everything(space, result, lens)


def _map(space: SaeSpace, result: Births, lens: Lens, names: list[str]) -> None:
    shown = filtered(result, names)
    rows = np.flatnonzero(shown)
    rows = rows[np.lexsort((-result.firing[rows], charts.everywhere(result)[rows], result.birth[rows]))]
    place, listed = st.container(), st.container()
    with listed:
        list_features(result, names, rows)
        feature = chosen_feature(space, [names[row] for row in rows])
    fig = charts.birth_map(result, names, shown, chosen=feature)
    with place:
        downloads.picture(
            fig,
            key=CHART,
            name="births",
            on_select=partial(_pick_clicked, dict(zip(result.features.tolist(), names, strict=True))),
            selection_mode="points",
            quiet=True,
            about="Where each feature comes up: a mark a feature, by the depth at which it is born "
            "and how strong it ends.",
        )  # fmt: skip
        st.caption(words.of_map(result, lens, int(shown.sum())))
    show_one(space, result, feature)


def _numbers(result: Births) -> None:
    number("Features judged", count(len(result.features)), words.judged(result))
    number("Median birth", *words.median(result))
    for verdict in words.by_share(result)[:3]:
        number(verdict.capitalize(), *words.verdict(result, verdict))


def _how_many(texts: int) -> int | None:
    """At most how many texts are followed; None for all. Asked only where it matters."""
    steps = [str(step) for step in _STEPS if step < texts]
    if not steps:
        return None
    asked = one_of("Texts", [*steps, "all"], key="births_texts", help="A uniform sample of so many, drawn once.")
    return None if asked == "all" else int(asked)


def _pick_clicked(names: dict[int, str]) -> None:
    for point in st.session_state[CHART]["selection"]["points"]:
        clicked = int(str(point["customdata"][0]).removeprefix("#"))
        st.session_state[FEATURE] = names[clicked]


def _everything(space: SaeSpace, result: Births, lens: Lens) -> None:
    with st.expander("Features born at each depth"):
        table = pd.DataFrame(words.by_depth(result, lens))
        downloads.table(table, name="births_by_depth", hide_index=True)
        st.caption(words.OF_DEPTHS)
    if len(result.passing):
        with st.expander("Features that pass by"):
            passing = [feature_name(space.database, feature) for feature in result.passing.tolist()]
            downloads.table(pd.DataFrame({"feature": passing}), name="births_passing", hide_index=True)
    downloads.offer_result(result, name="births")
