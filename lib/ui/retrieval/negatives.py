"""By how much do true documents beat the hardest false ones?"""

import numpy as np
import streamlit as st

from lib.charts import retrieval_negatives as charts
from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.retrieval.negatives import HardNegatives, Source, with_cross_encoder
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, refuse, share, tell
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure, reranking_cached
from lib.ui.retrieval.measure_notice import tell_measure
from lib.ui.retrieval.negatives_cached import gaps
from lib.ui.retrieval.negatives_pairs import show_triplets, show_worst

_SOURCES: tuple[Source, ...] = ("mined", "explicit")


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("By how much do true documents beat the hardest false ones?")
    found = gaps(space, measure.chosen(), _source(space))
    if found is None:
        refuse(
            "No query has both a relevant document and another one to compare it with: add documents, or judgements "
            "above 0."
        )
        return
    found = _asked(space, found)
    unit = measure.chosen()
    tell_measure()
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    with picture:
        st.plotly_chart(charts.gap_histogram(found, unit=unit), key="gaps")
        st.caption(
            "The gap of a query is the score of its best true document minus the score of its hardest negative: the "
            "further right, the safer; at 0 a small change of either text turns the order round. Scores differ in "
            "scale from encoder to encoder, so compare shares below 0 between encoders, not gaps."
        )
        texts = [space.queries.queries[row] for row in found.query]
        st.plotly_chart(charts.scores_against(found, texts, unit=unit), key="gap_scores")
        st.caption(
            "The same query by query: below the dashed line a negative leads. Far to the left, queries that are close "
            "to nothing. A diamond is a negative that nobody judged: read it before you call it a failure."
        )
        _tell_left_out(found)
    show_worst(space, found)
    if found.agreed is None and found.suspicious.any():
        tell(["Choose a cross-encoder under Reranking to hear whether it too puts suspicious negatives first."])
    show_triplets(space)
    downloads.offer_result(found, name="hard_negatives")


def _source(space: QuerySpace) -> Source:
    if not (space.queries.relevance == 0).any():
        st.caption("Negatives are mined: the highest-scoring document that was not judged relevant. None is judged 0.")
        return "mined"
    chosen = one_of(
        "Negatives", _SOURCES, key="negatives_source",
        help="mined: the highest-scoring document that was not judged relevant. explicit: the highest-scoring one that "
        "was judged 0, and a mined one for queries without any.",
    )  # fmt: skip
    return "explicit" if chosen == "explicit" else "mined"


def _numbers(found: HardNegatives) -> None:
    between = "one query: no interval" if np.isnan(found.low) else f"{found.low:.3f} to {found.high:.3f}"
    st.metric(
        "Hard-negative gap", f"{found.hard_negative_gap:.3f}", between, delta_color="off", delta_arrow="off", width=160,
        help="Mean over queries, in units of the score, with its 95 % bootstrap interval. Above 0 true documents lead.",
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
        notices.append(f"{_queries(found.without_negative)} left out: every document found for them is relevant.")
    mined = len(found.gap) - int(found.explicit.sum())
    if found.source == "explicit" and mined:
        notices.append(f"{_queries(mined)} with no document judged 0: their negatives are mined.")
    tell(notices)


def _queries(number: int) -> str:
    return f"{count(number)} query" if number == 1 else f"{count(number)} queries"


def _asked(space: QuerySpace, found: HardNegatives) -> HardNegatives:
    """`found` with what the cross-encoder says of suspicious pairs, where one is chosen and has scored them."""
    source = st.session_state.get(reranking_cached.CHOICE) or st.query_params.get(reranking_cached.CHOICE)
    if not found.suspicious.any():
        return found
    of = reranking_cached.checkpoint(str(source)) if source else None
    if not isinstance(of, CrossCheckpoint):
        return found
    known = reranking_cached.scores(space, of)
    rows = np.flatnonzero(found.suspicious)
    query = np.repeat(found.query[rows], 2)
    document = np.column_stack([found.positive[rows], found.negative[rows]]).ravel()
    missing = len(known.missing(query, document)[0])
    if missing:
        key = f"negatives_ask_{space.key[:12]}_{of.content[:12]}_{found.source}_{measure.chosen()}"
        about = f"{plain(of.source)} can be asked about the suspicious negatives: {counted(missing, 'pair')} to score."
        if not started(key, "Ask the cross-encoder", about=about):
            return found
        with stoppable(key, "Scoring pairs") as tell_done:
            known.score(query, document, reranking_cached.reranker(of), progress=tell_done)
    scores = np.full((len(found.gap), 2), np.nan)
    scores[rows] = known.find(query, document).reshape(-1, 2)
    return with_cross_encoder(found, scores)
