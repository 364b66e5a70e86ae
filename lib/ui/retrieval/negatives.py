"""By how much do true documents beat the hardest false ones?"""

import numpy as np
import streamlit as st

from lib.charts import retrieval_negatives as charts
from lib.charts import retrieval_quality
from lib.numerals import minus
from lib.retrieval.negatives import HardNegatives, Source
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, refuse, share, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure
from lib.ui.retrieval.measure_notice import tell_measure
from lib.ui.retrieval.negatives_asked import cross_encoder, with_opinion
from lib.ui.retrieval.negatives_cached import gaps, pool
from lib.ui.retrieval.negatives_pairs import show_triplets, show_worst
from lib.ui.terms import explained

_SOURCES: tuple[Source, ...] = ("mined", "explicit", "BM25")


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("By how much do true documents beat the hardest false ones?")
    of = pool(space, measure.chosen(), _source(space))
    if of is None:
        return
    found = gaps(space, of)
    if found is None:
        refuse(
            "No query has both a relevant document and another one to compare it with: add documents, or judgements "
            "above 0." + (" Or take other negatives than BM25's." if of.source == "BM25" else "")
        )
        return
    asked = cross_encoder(space)
    found = with_opinion(space, found, asked)
    unit = measure.chosen()
    tell_measure()
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    with picture:
        histogram = charts.gap_histogram(found, unit=unit)
        downloads.picture(
            histogram,
            key="gaps",
            name="hard_negative_gaps",
            about="How far the best true document of each query leads over its hardest negative, as a distribution.",
        )
        st.caption(
            "The gap of a query is the score of its best true document minus the score of its hardest negative: the "
            "further right, the safer; at 0 a small change of either text turns the order round. Scores differ in "
            "scale from encoder to encoder, so compare shares below 0 between encoders, not gaps."
        )
        texts = [space.queries.queries[row] for row in found.query]
        downloads.picture(
            charts.scores_against(found, texts, unit=unit),
            key="gap_scores",
            name="hard_negative_scores",
            about="For each query, the score of its best true document against that of its hardest negative.",
        )
        st.caption(
            "The same query by query: below the dashed line a negative leads. Far to the left, queries that are close "
            "to nothing. A diamond is a negative that nobody judged: read it before you call it a failure."
        )
        _tell_left_out(found)
    _show_topics(found, unit)
    show_worst(space, found)
    if found.agreed is None and found.suspicious.any():
        tell(["Choose a cross-encoder under Reranking to hear whether it too puts suspicious negatives first."])
    show_triplets(space, of, asked)
    st.subheader("Take it with you")
    with st.container(horizontal=True):
        downloads.offer_result(found, name="hard_negatives")


def _source(space: QuerySpace) -> Source:
    judged = bool((space.queries.relevance == 0).any())
    chosen = one_of(
        "Negatives", [source for source in _SOURCES if judged or source != "explicit"], key="negatives_source",
        help="- **mined**: the document that the encoder scores highest among those not judged relevant.\n"
        + ("- **explicit**: the highest-scoring one that was judged 0; a mined one for queries without any.\n"
           if judged else "")
        + "- **BM25**: the one that BM25 ranks first, by shared words; its score is the encoder's.",
    )  # fmt: skip
    if chosen == "BM25":
        st.caption(
            "BM25's negatives share the query's words without answering it: an encoder trained against them learns "
            "meaning where words mislead, which is often the step of fine-tuning that gains most."
        )
    elif not judged:
        st.caption("No document is judged 0, so there are no explicit negatives to choose.")
    return next((source for source in _SOURCES if source == chosen), "mined")


def _show_topics(found: HardNegatives, unit: str) -> None:
    if not found.by_topic:
        return
    st.subheader("In which topics do negatives come closest?")
    title = f"hard-negative gap ({unit})"
    downloads.picture(
        retrieval_quality.metric_by_topic(found.summaries, title=title, bounded=False),
        key="gap_by_topic",
        about="For each topic, the mean gap between the true document and its hardest negative, with intervals.",
    )
    most = retrieval_quality.MOST_TOPICS
    st.caption(
        "Each dot is the mean gap of a topic's queries (their number in brackets), the bar its 95 % interval; the "
        "diamond and the dashed line are all queries. A topic whose documents resemble each other has small gaps even "
        "with a good encoder, and unlabelled true documents pull a mean down too."
        + (f" The {most} lowest of {count(len(found.by_topic))} are drawn." if len(found.by_topic) > most else "")
    )


def _numbers(found: HardNegatives) -> None:
    between = "one query: no interval" if np.isnan(found.low) else f"{found.low:.3f} to {found.high:.3f}"
    st.metric(
        "Hard-negative gap", minus(f"{found.hard_negative_gap:.3f}"), minus(between), delta_color="off",
        delta_arrow="off", width=160,
        help=explained(
            "Hard-negative gap",
            "Mean over queries, in units of the score, with its 95 % bootstrap interval. Above 0 true documents lead.",
        ),
    )  # fmt: skip
    number("Below 0", share(found.share_below), "Queries where a negative scores above every true document.")
    doubtful = int(found.suspicious.sum())
    number(
        "Maybe unlabelled", f"{count(doubtful)} ({share(doubtful / len(found.gap), 0)})",
        "Negatives that nobody judged and that score above the true document: they may be true documents without a "
        "label. Look at them before you call them failures.", wide=True,
    )  # fmt: skip
    if found.agreed is not None:
        number(
            "Cross-encoder agrees", f"{count(int(found.agreed.sum()))} of {count(found.asked)}",
            "Of those, how many the cross-encoder too puts above the true document.",
        )  # fmt: skip
    number("Queries", count(len(found.gap)), "Queries with a relevant document and another one.")


def _tell_left_out(found: HardNegatives) -> None:
    notices = []
    if found.without_positive:
        notices.append(f"{_queries(found.without_positive)} without a relevant document left out.")
    if found.without_negative:
        only = " or BM25 finds none: they share no word with any" if found.source == "BM25" else ""
        notices.append(f"{_queries(found.without_negative)} left out: every document found for them is relevant{only}.")
    mined = len(found.gap) - int(found.explicit.sum())
    if found.source == "explicit" and mined:
        notices.append(f"{_queries(mined)} with no document judged 0: their negatives are mined.")
    tell(notices)


def _queries(number: int) -> str:
    return f"{count(number)} query" if number == 1 else f"{count(number)} queries"
