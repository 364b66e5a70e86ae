"""What did the fine-tune change, and was it for the better? The verdict, how far topics moved, and what became of each.

Drift is one number for how much has changed, read on a scale of known cases; the verdict says whether that was good.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.charts import finetune_drift as charts
from lib.charts import finetune_drift_scale as scales
from lib.corpora import QuerySet
from lib.finetune.diff.drift import Drift, drift
from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.finetune import drift_words as words
from lib.ui.finetune.cached import ranks_of, space_of
from lib.ui.finetune.drift_topics import narrowed, show_topics
from lib.ui.finetune.pair import PairSpace, asked, choose_asked, say_missing
from lib.ui.messages import plain, tell

_WEIGHTS = {"Centroid shift": "shift", "Changed ranks": "ranks", "Anisotropy": "anisotropy"}
_MOST_WEIGHT = 3.0
_RULER = 330  # pixels


def show(pair: PairSpace) -> None:
    """Draw the view."""
    st.subheader("What did the fine-tune change, and was it for the better?", anchor=False)
    verdict, pictures, reasons, parts = (st.container() for _ in range(4))
    queries, weights = _choices(parts)
    with verdict:
        space = space_of(pair)
        ranks = None if queries is None else ranks_of(asked(pair, queries))
        found = drift(space, ranks, weights=weights)
        _verdict(found, words.judged_by(pair.base.corpus, queries))
    with pictures:
        _pictures(space, found)
    with reasons:
        _reasons(found)
    with parts:
        _parts(found, ranks)
    show_topics(space, ranks, found)


def _choices(place: DeltaGenerator) -> tuple[QuerySet | None, list[float]]:
    """The query set that ranks are of, None where there is none; and the weight of each part of drift."""
    with place:
        st.subheader("What is the drift made of?", anchor=False)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            weights = [_weight(label, key) for label, key in _WEIGHTS.items()]
            with st.popover("Query set of the ranks", icon=":material/manage_search:"):
                choice = choose_asked()
        if choice.query_set is None:
            say_missing(choice)
    return choice.query_set, weights


def _weight(label: str, key: str) -> float:
    return float(
        st.slider(
            f"Weight: {label.lower()}", 0.0, _MOST_WEIGHT, 1.0, 0.5, key=f"drift_weight_{key}", bind="query-params",
            persist_state="session", width=180,
            help="How much this part counts in the drift, against the others; 0 leaves it out.",
        )
    )  # fmt: skip


def _verdict(found: Drift, judged_by: str) -> None:
    verdict = found.verdict
    with st.container(border=True):
        st.markdown(f"#### {words.mark(verdict.direction)} {plain(verdict.sentence)}")
        st.caption(plain(f"{words.direction(verdict)} The rule of this verdict: {verdict.rule}"))
        st.caption(plain(judged_by))


def _pictures(space: SpaceDiff, found: Drift) -> None:
    with st.container(horizontal=True, gap="medium"):
        moved, much = st.container(width="stretch"), st.container(width=_RULER)
    with moved:
        _moved(space)
    with much:
        st.markdown("**How much is that?**")
        ruler = scales.drift_scale(found)
        downloads.picture(
            ruler,
            key="drift_scale",
            quiet=True,
            about="How large the drift is, on a scale of known fine-tunes.",
        )
        st.caption(plain(words.of_scale(found)))
    tell(dict.fromkeys([*space.topics.notices, *space.notices, *found.notices]))
    with st.container(horizontal=True):
        downloads.offer_result(found, name="drift", label="Drift as JSON")
        downloads.offer_result(space, name="space_diff", label="All figures of the space as JSON")


def _moved(space: SpaceDiff) -> None:
    """The picture of the shift; what stands in its place where the two share no space."""
    if space.projection is None or space.projection_shift is None or space.centroids is None:
        st.markdown("**How wide is each topic, before and after?**")
        st.info(plain(words.without_picture(space)), icon=":material/link_off:")
        narrowed(space)
        return
    st.markdown("**Where did each topic move?**")
    place = st.container()
    plane = one_of("This plane", words.PLANES, key="drift_plane", help=words.PLANE)
    picture = space.projection_shift if plane == words.PLANES[0] else space.projection
    fig = charts.centroid_shifts(
        picture,
        space.topics.codes,
        names=words.topic_names(space.centroids),
        hovers=words.topic_hovers(space, picture),
    )
    with place:
        downloads.picture(
            fig,
            key="drift_picture",
            name="centroid_shift",
            quiet=True,
            about="Where each topic's centre stood before and where it stands after, on a map of both.",
        )
    st.caption(plain(words.of_picture(picture, space.centroids)))


def _reasons(found: Drift) -> None:
    st.subheader("Why this verdict?", anchor=False)
    for reason in found.verdict.reasons:
        st.markdown(f"{words.mark(reason.direction)} {plain(reason.sentence)}", help=plain(reason.rule))
    st.caption(words.LEGEND)


def _parts(found: Drift, ranks: RankDiff | None) -> None:
    fig = scales.drift_parts(found)
    downloads.picture(
        fig,
        key="drift_parts",
        quiet=True,
        about="Of what the drift consists: its parts, side by side.",
    )
    st.caption(plain(words.of_parts(found, ranks)))
