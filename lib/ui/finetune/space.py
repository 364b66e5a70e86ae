"""How does the space look before and after? Similarities, topics, dimensions, and how much of it is a mere rotation."""

import numpy as np
import streamlit as st

from lib.charts import finetune_space as charts
from lib.finetune.diff.separation import Separation
from lib.finetune.diff.space import SpaceDiff
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.finetune import space_words as words
from lib.ui.finetune.cached import space_of
from lib.ui.finetune.pair import PairSpace
from lib.ui.finetune.space_pairs import pair_table
from lib.ui.layout import number
from lib.ui.messages import plain, tell

_NARROW = 430  # pixels
_PAIRS = ("within and between topics", "all")


def show(pair: PairSpace) -> None:
    """Draw the view."""
    st.subheader("How similar are two texts, before and after?", anchor=False)
    found = space_of(pair)
    _numbers(found)
    _similarities(found)
    _topics(found)
    with st.container(horizontal=True, gap="large"):
        left, right = st.container(width="stretch"), st.container(width=_NARROW)
    with left:
        _dimensions(found)
    with right:
        _rotation(found)
    with st.expander("Do both share one space, and which figures need that?", expanded=not found.sharing.shared):
        st.markdown(plain(found.sharing.sentence))
        st.caption(plain(words.of_sharing(found)))
    tell(dict.fromkeys([*found.topics.notices, *found.notices]))
    downloads.offer_result(found, name="space_diff", label="All figures of the space as JSON")


def _numbers(found: SpaceDiff) -> None:
    """What changed, each with its interval or baseline behind the question mark."""
    with st.container(horizontal=True, gap="small"):
        for label, value, meaning in words.numbers(found):
            number(label, value, meaning, wide=True)


def _similarities(found: SpaceDiff) -> None:
    by_topic = found.similarities.base_within is not None and found.similarities.base_between is not None
    if by_topic:
        by_topic = (
            one_of(
                "Pairs of texts",
                _PAIRS,
                key="space_pairs",
                help="Pairs of one topic and of two drawn apart, or all pairs together.",
            )
            == _PAIRS[0]
        )
    fig = charts.similarities(found.similarities, by_topic=by_topic)
    downloads.picture(
        fig,
        key="space_similarities",
        name="similarities_before_after",
        quiet=True,
        about="How similar two texts are, before and after, as distributions.",
    )
    st.caption(words.of_similarities(found, by_topic=by_topic))


def _topics(found: SpaceDiff) -> None:
    """How far every two topics stand apart, and how wide each is."""
    if found.spread is None:
        return
    if found.separation is not None:
        st.subheader("Do topics stand further apart than before?", anchor=False)
        fig = charts.dumbbells(
            _apart(found.separation).most_changed(), x="distance between the centroids of two topics"
        )
        downloads.picture(
            fig,
            key="space_apart",
            name="topics_apart",
            quiet=True,
            about="The distance between the centres of two topics, before and after, with intervals.",
        )
        st.caption(words.of_separation(found.separation))
        pair_table(found.separation)
    st.subheader("Did topics draw together?", anchor=False)
    low, high = found.spread.change_interval.T
    change = charts.Change(found.spread.names, found.spread.base, found.spread.tuned, low, high)
    fig = charts.dumbbells(change.most_changed(), x="mean cosine distance of a text to its topic's centroid")
    downloads.picture(
        fig,
        key="space_spread",
        name="topic_spread",
        quiet=True,
        about="For each topic, how far its texts lie from its centre, before and after, with intervals.",
    )
    st.caption(words.of_spread(found.spread))


def _apart(found: Separation) -> charts.Change:
    """Every two topics once."""
    first, second = np.triu_indices(len(found.names), 1)
    names = [f"{found.names[a]} – {found.names[b]}" for a, b in zip(first, second, strict=True)]
    at = first, second
    return charts.Change(names, found.base[at], found.tuned[at], found.change_low[at], found.change_high[at])


def _dimensions(found: SpaceDiff) -> None:
    st.subheader("How many dimensions do the texts fill?", anchor=False)
    downloads.picture(
        charts.variance_kept(found.dimension),
        key="space_dimensions",
        name="dimensions_before_after",
        quiet=True,
        about="How much variance the strongest components hold, before and after.",
    )
    st.caption(words.of_dimension(found.dimension))


def _rotation(found: SpaceDiff) -> None:
    st.subheader("How much of it could a search see?", anchor=False)
    downloads.picture(
        charts.rotation_bar(found.rotation),
        key="space_rotation",
        name="rotation",
        quiet=True,
        about="How much of the change is a mere rotation, and how much a search could see.",
    )
    st.caption(words.of_rotation(found.rotation))
