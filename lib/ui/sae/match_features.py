"""One list of a comparison (pairs, or what only one model knows), its table, and a feature beside its counterpart."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts.sae_browser import example_list
from lib.sae.matching import Side
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.messages import count, counted, plain, share
from lib.ui.sae.decompose_cached import strongest_texts
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeSpace

CHART = "match_pairs"
_FEATURE, _LISTED = "match_feature", "_match_listed"
_LISTS = ("in both", "no counterpart", "only here")
_MOST_LISTED = 1_000
_TEXTS = 4


def choose_listed(side: Side, space: SaeSpace, *, whose: str) -> tuple[NDArray[np.int64], list[str], int | None]:
    """Draw which features of model `whose` are listed, and which is looked at: their numbers, names, and the one.

    Another list begins with its first feature.

    Raises:
        InputError: what was typed is no feature.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = one_of(
            "Listed", _LISTS, key="match_listed",
            help="in both: with a counterpart. no counterpart: without one. only here: nor can the other's vectors "
            "tell it, while its own can.",
        )  # fmt: skip
        rows = side.pairs if kind == _LISTS[0] else side.only
        rows = rows[side.lacking[rows]] if kind == _LISTS[2] else rows
        names = [feature_name(space.database, feature) for feature in rows.tolist()]
        if st.session_state.setdefault(_LISTED, (whose, kind)) != (whose, kind):
            st.session_state[_LISTED], st.session_state[_FEATURE] = (whose, kind), names[0] if names else None
        typed = st.selectbox(
            "Feature", names[:_MOST_LISTED], key=_FEATURE, bind="query-params", persist_state="session",
            accept_new_options=True, width=460,
            help="The heaviest on this corpus first. Or click a point, or type the number of any feature.",
        )  # fmt: skip
    if not typed:
        return rows, names, int(rows[0]) if len(rows) else None
    return rows, names, feature_named(str(typed), names, space.sae.features)


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
    st.caption(_told(side, feature))


def _told(side: Side, feature: int) -> str:
    told = []
    if side.match[feature] >= 0:
        known = np.isfinite(side.correlation[feature])
        correlation = f"{side.correlation[feature]:.2f}" if known else "not to be told (one of them fires too rarely)"
        told.append(
            f"They {'count' if side.matched[feature] else 'do not count'} as the same feature. Cosine of directions "
            f"{side.cosine[feature]:.2f}, correlation of activations {correlation}, p = {side.p_value[feature]:.2g} "
            "by chance."
        )
    own, other = side.reading.own[feature], side.reading.other[feature]
    if np.isfinite(own):
        told.append(
            f"Estimated from vectors of held-out texts, it correlates {own:.2f} with its own model's estimate, "
            f"{other:.2f} with the other's: {_verdict(side, feature)}."
        )
    return " ".join(told) or "It fires on too few of these texts for anything to be told."


def _verdict(side: Side, feature: int) -> str:
    if not side.reading.told[feature]:
        return "on these texts not even its own vectors tell it"
    kept = side.reading.kept[feature]
    known = "known there" if side.reading.read[feature] else "not enough to be known there"
    return f"the other's vectors tell {share(kept, 0)} of what its own do, {known}"


def _examples(space: SaeSpace, feature: int) -> None:
    corpus, found = space.space.corpus, strongest_texts(space, feature, _TEXTS)
    encoder = space.space.checkpoint.source if space.space.checkpoint is not None else "own embeddings"
    scores = space.database.numbers("score") if space.database is not None else None
    scored = f" · label's AUROC {scores[feature]:.2f}" if scores is not None and np.isfinite(scores[feature]) else ""
    fires = f"fires on {counted(found.fires, 'different text')} ({share(found.fires / len(corpus))})"
    st.markdown(f"**{plain(feature_name(space.database, feature))}**")
    st.caption(plain(f"{encoder} · {fires}{scored}"))
    if found.fires:
        labels = [corpus.labels[row] for row in found.rows] if corpus.labels else None
        texts, most = [corpus.texts[row] for row in found.rows], float(max(found.activations))
        st.html(example_list(texts, found.activations.tolist(), labels, most=most))


def feature_table(side: Side, spaces: tuple[SaeSpace, SaeSpace], rows: NDArray[np.int64]) -> None:
    """Every listed feature with its partner and both labels."""
    mine, other = (space.database for space in spaces)
    matches = side.match[rows]
    returns = mine.numbers("stability") if mine else None
    table = pd.DataFrame(
        {
            "feature": rows,
            "label": [mine.label(f) if mine else None for f in rows.tolist()],
            "of the other": [match if match >= 0 else None for match in matches.tolist()],
            "its label": [other.label(f) if other and f >= 0 else None for f in matches.tolist()],
            "cosine": side.cosine[rows],
            "correlation": side.correlation[rows],
            "p": side.p_value[rows],
            "own vectors": side.reading.own[rows],
            "other's vectors": side.reading.other[rows],
            "returns": np.nan if returns is None else returns[rows],
            "texts": side.count[rows],
            "weight": side.weight[rows],
        }
    )
    with st.expander(f"All {count(len(rows))} listed features"):
        st.dataframe(
            table.head(_MOST_LISTED), hide_index=True,
            column_config={
                **{name: st.column_config.NumberColumn(format="%.2f") for name in ("cosine", "correlation")},
                "own vectors": st.column_config.NumberColumn(
                    format="%.2f", help="Correlation with its estimate from its own model's vectors, texts held out."
                ),
                "other's vectors": st.column_config.NumberColumn(
                    format="%.2f", help="The same from the other model's vectors."
                ),
                "returns": st.column_config.NumberColumn(
                    format="%.2f",
                    help="Cosine with its counterpart in a second training of its own dictionary, where that is known: "
                    "what is low here may be missing in the other for no better reason than the draw.",
                ),
                "p": st.column_config.NumberColumn(format="%.2g", help="By chance, not corrected for many features."),
                "weight": st.column_config.NumberColumn(format="%.2f", help="Sum of its activations on this corpus."),
                "of the other": st.column_config.NumberColumn(help="Its partner, the same feature or not."),
            },
        )  # fmt: skip
        if len(rows) > _MOST_LISTED:
            st.caption(f"The first {count(_MOST_LISTED)}; the files hold all.")
        downloads.offer_table(table, name="match")
