"""One list of a comparison (pairs, or what only one model knows), its table, and a feature beside its counterpart."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.sae.matching import Side
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.messages import count, plain, share
from lib.ui.sae.decompose_cached import strongest_texts
from lib.ui.sae.names import feature_name, feature_of
from lib.ui.sae_space import SaeSpace

CHART = "match_pairs"
_FEATURE = "match_feature"
_LISTS = ("in both", "only here")
_MOST_LISTED = 1_000
_TEXTS = 5


def choose_listed(side: Side, space: SaeSpace) -> tuple[NDArray[np.int64], list[str], int | None]:
    """Draw which features are listed, and which of them is looked at: their numbers, their names, and the one.

    Raises:
        InputError: what was typed is no feature.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = one_of("Listed", _LISTS, key="match_listed", help="in both: with a counterpart. only here: without one.")
        rows = side.pairs if kind == _LISTS[0] else side.only
        names = [feature_name(space.database, feature) for feature in rows.tolist()]
        typed = st.selectbox(
            "Feature", names[:_MOST_LISTED], key=_FEATURE, bind="query-params", persist_state="session",
            accept_new_options=True, width=460,
            help="The heaviest on this corpus first. Or click a point, or type the number of any feature.",
        )  # fmt: skip
    if not typed:
        return rows, names, int(rows[0]) if len(rows) else None
    return rows, names, feature_of(str(typed), space.sae.features)


def pick_clicked(names: Mapping[int, str]) -> None:
    """Choose the feature whose point was clicked; `names` are those that are listed."""
    for point in st.session_state[CHART]["selection"]["points"]:
        if "customdata" in point:
            clicked = str(point["customdata"][0])
            st.session_state[_FEATURE] = names.get(int(clicked), clicked)


def show_pair(side: Side, spaces: tuple[SaeSpace, SaeSpace], feature: int) -> None:
    """The feature, and its partner in the other model, each with the texts that fire it most."""
    match = int(side.match[feature])
    left, right = st.columns(2)
    with left:
        _examples(spaces[0], feature)
    with right:
        if match < 0:
            st.info("It has no partner: it cannot be judged here, or the other model has too few features.")
        else:
            _examples(spaces[1], match)
    if match >= 0:
        st.caption(_told(side, feature))


def _told(side: Side, feature: int) -> str:
    known = np.isfinite(side.correlation[feature])
    correlation = f"{side.correlation[feature]:.2f}" if known else "not to be told (one of them fires too rarely)"
    said = "They count as the same feature." if side.matched[feature] else "They do not count as the same feature."
    return (
        f"{said} Cosine of directions {side.cosine[feature]:.2f}, correlation of activations {correlation}, "
        f"p = {side.p_value[feature]:.2g} by chance."
    )


def _examples(space: SaeSpace, feature: int) -> None:
    corpus, found = space.space.corpus, strongest_texts(space, feature, _TEXTS)
    encoder = space.space.checkpoint.source if space.space.checkpoint is not None else "own embeddings"
    st.markdown(f"**{plain(feature_name(space.database, feature))}**")
    st.caption(plain(f"{encoder} · fires on {count(found.fires)} different texts ({share(found.fires / len(corpus))})"))
    if found.fires:
        st.dataframe(
            pd.DataFrame(
                {
                    "activation": found.activations,
                    "text": [corpus.texts[row] for row in found.rows],
                }
            ),
            hide_index=True,
            column_config={
                "activation": st.column_config.NumberColumn(format="%.3f", width="small"),
                "text": st.column_config.TextColumn(width="large"),
            },
        )  # fmt: skip


def feature_table(side: Side, spaces: tuple[SaeSpace, SaeSpace], rows: NDArray[np.int64]) -> None:
    """Every listed feature with its partner and both labels."""
    mine, other = (space.database for space in spaces)
    matches = side.match[rows]
    table = pd.DataFrame(
        {
            "feature": rows,
            "label": [mine.label(f) if mine else None for f in rows.tolist()],
            "of the other": [match if match >= 0 else None for match in matches.tolist()],
            "its label": [other.label(f) if other and f >= 0 else None for f in matches.tolist()],
            "cosine": side.cosine[rows],
            "correlation": side.correlation[rows],
            "p": side.p_value[rows],
            "texts": side.count[rows],
            "weight": side.weight[rows],
        }
    )
    with st.expander(f"All {count(len(rows))} listed features"):
        st.dataframe(
            table.head(_MOST_LISTED), hide_index=True,
            column_config={
                **{name: st.column_config.NumberColumn(format="%.2f") for name in ("cosine", "correlation", "weight")},
                "p": st.column_config.NumberColumn(format="%.2g", help="By chance, not corrected for many features."),
                "weight": st.column_config.NumberColumn(format="%.2f", help="Sum of its activations on this corpus."),
                "of the other": st.column_config.NumberColumn(help="Its partner, the same feature or not."),
            },
        )  # fmt: skip
        if len(rows) > _MOST_LISTED:
            st.caption(f"The first {count(_MOST_LISTED)}; the files hold all.")
        downloads.offer_table(table, name="match")
