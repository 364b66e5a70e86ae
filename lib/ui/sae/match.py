"""What do two models both know, and what does only one? Their features paired on one corpus, coverage, and the rest."""

from functools import partial
from typing import cast, get_args

import numpy as np
import streamlit as st

from lib.charts import sae_match as charts
from lib.sae.matching import ALIGNED, CORRELATED, SHARED, By, ModelMatch, Pairing, Side
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number
from lib.ui.messages import plain, tell
from lib.ui.sae import match_words as words
from lib.ui.sae.match_cached import Way, aligned, compared
from lib.ui.sae.match_features import CHART, choose_listed, feature_table, pick_clicked, show_pair
from lib.ui.sae.match_other import choose_other, follow_default
from lib.ui.sae_space import SaeSpace

_SIDES = ("this model", "other model")


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("What do two models both know, and what does only one?")
    other = choose_other(space)
    found = _compared(space, other)
    one_model, one_dictionary = space.space.vectors_key == other.space.vectors_key, space.sae.key == other.sae.key
    st.markdown(f"**{words.verdict(found, one_model=one_model, one_dictionary=one_dictionary)}**")
    if found.labels and not one_model:
        st.markdown(plain(words.where(found)))
    _numbers(found)
    st.caption(words.by_chance(found))
    fig = charts.coverages(found, ours="this model", theirs="other model")
    downloads.picture(
        fig,
        key="match_coverage",
        quiet=True,
        about="How much of each model the features of the other cover.",
    )
    st.caption(words.of_coverage(found))
    tell(words.of_alignment(found))
    if not found.labels:
        tell(["The corpus has no labels: where the two are interchangeable is told label by label."])
    whose = one_of("Features of", _SIDES, key="match_side", help="Whose features are looked at below.")
    side, spaces = (found.ours, (space, other)) if whose == _SIDES[0] else (found.theirs, (other, space))
    _similarities(found, side)
    _features(side, spaces, whose)
    with st.container(horizontal=True):
        downloads.offer_result(found, name="match")


def _compared(space: SaeSpace, other: SaeSpace) -> ModelMatch:
    one_space = _one_space(space, other)
    ways = get_args(By) if one_space else get_args(By)[::-1]  # between two encoders, what needs no map first
    follow_default("match_by", ways[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = cast(By, one_of("Paired by", ways, key="match_by", help=words.BY))
        pairing = cast(Pairing, one_of("Pairs", get_args(Pairing), key="match_pairing", help=words.PAIRING))
        way = cast(Way, one_of("Directions", get_args(Way), key="match_space", help=words.SPACE))
        alignment = aligned(space, other, way)
        mapped = alignment.map is not None
        usual = CORRELATED if by == "correlation" else ALIGNED if mapped else SHARED
        threshold = st.slider(
            "The same feature from", 0.0, 1.0, usual, 0.05, key=_threshold_key(by, mapped=mapped),
            bind="query-params", persist_state="session", width=240,
            help="Similarity from which two features count as the same, if it is beyond chance as well.",
        )  # fmt: skip
    return compared(space, other, by=by, pairing=pairing, alignment=alignment, threshold=threshold)


def _threshold_key(by: By, *, mapped: bool) -> str:
    """A slider for each scale: they begin elsewhere."""
    return f"match_from_{by}{'_aligned' if mapped and by == 'cosine' else ''}"


def _one_space(space: SaeSpace, other: SaeSpace) -> bool:
    ours, theirs = space.space.checkpoint, other.space.checkpoint
    return ours is not None and theirs is not None and ours.fingerprint == theirs.fingerprint


def _numbers(found: ModelMatch) -> None:
    for side, whose in ((found.ours, "This"), (found.theirs, "Other")):
        with st.container(horizontal=True, gap="small"):
            number(f"{whose}: known", words.or_dash(side.known.share), words.known(side))
            number(f"{whose}: paired", words.or_dash(side.domain.share), words.domain(side))
            number(f"{whose}: features", words.or_dash(side.coverage), words.coverage(side))
            if side is found.ours and np.isfinite(found.alignment.r2):
                number("Alignment R²", f"{found.alignment.r2:.2f}", words.of_alignment(found)[0])


def _similarities(found: ModelMatch, side: Side) -> None:
    st.subheader("Are the pairs more than chance?")
    fig = charts.similarities(side, by=found.by, threshold=found.threshold)
    downloads.picture(
        fig,
        key="match_similarities",
        quiet=True,
        about="How similar matched features are, beside pairs by chance.",
    )
    st.caption(words.of_similarities(found))


def _features(side: Side, spaces: tuple[SaeSpace, SaeSpace], whose: str) -> None:
    """Pairs or lone features of one side: picture, table, and one of them with its examples."""
    st.subheader("Which features are the same, and what does only this model know?")
    st.caption(words.of_lists(side))
    rows, names, chosen = choose_listed(side, spaces[0], whose=whose)
    if chosen is None:
        st.info("No feature is of this kind: choose the other list, or move the threshold.")
        return
    show_pair(side, spaces, chosen)
    drawn = rows[: charts.MOST_POINTS]
    downloads.picture(
        charts.agreement(side, drawn, names[: len(drawn)], chosen=chosen),
        key=CHART,
        name="match_agreement",
        on_select=partial(pick_clicked, dict(zip(rows.tolist(), names, strict=True))),
        selection_mode="points",
        quiet=True,
        about="For each pair of matched features, how often the one and the other fire.",
    )  # fmt: skip
    st.caption(words.of_agreement(side.agreement(drawn)))
    feature_table(side, spaces, rows)
