"""At which rank does the closest true document stand, and which queries fail?"""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import retrieval_quality as charts
from lib.retrieval.ranks import FirstRanks, topic_ranks
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure
from lib.ui.retrieval.quality_cached import ranks, tail

_LISTED = 50


def show_ranks(space: QuerySpace) -> None:
    """Draw the histogram, the cumulative curve and the long tail."""
    found = ranks(space, measure.chosen())
    st.subheader("At which rank does the closest true document stand?")
    numbers, picture = numbers_over_picture()
    with numbers:
        number("Median rank", f"{found.median:g}", "Half of the queries have it at this rank or better; 1 is best.")
        number("At rank 1", share(found.share_within(1)), "The search starts with a relevant document.")
        number("Within 10", share(found.share_within(10)), "What a first page of ten results would show.")
        number("Beyond 100", share(1 - found.share_within(100)), "Out of reach for a reranker that sees 100.")
    with picture:
        histogram = charts.rank_histogram(found)
        downloads.picture(
            histogram,
            key="first_ranks",
            about="At which rank the first relevant document of each query stands, as a distribution.",
        )
        downloads.picture(
            charts.rank_curve(found),
            key="rank_curve",
            about="For how many queries a relevant document stands at each rank or better.",
        )
        st.caption(
            f"Each query counts once, at the best rank that any of its relevant documents has among all "
            f"{count(len(space.queries.documents))}; bars widen to the right. The curve says how deep a reranker or a "
            "reader has to go to meet at least one. A document that nobody judged counts as not relevant, so some of "
            "what stands before the true one may be right too."
        )
    _show_topics(space, found)
    _show_tail(space)


def _show_topics(space: QuerySpace, found: FirstRanks) -> None:
    topics = topic_ranks(found, space.queries.topics) if space.queries.topics is not None else ()
    if not topics:
        return
    table = pd.DataFrame(
        {
            "topic": [one.topic for one in topics],
            "queries": [one.queries for one in topics],
            "median rank": [one.median for one in topics],
            "at rank 1": [100 * one.first for one in topics],
            "within 10": [100 * one.within_10 for one in topics],
            "beyond 100": [100 * one.beyond_100 for one in topics],
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    shares = dict.fromkeys(("at rank 1", "within 10", "beyond 100"), percent)
    downloads.table(table, name="ranks_by_topic", hide_index=True, column_config=shares)
    st.caption("The same by topic, the highest median on top. Shares are of the topic's queries.")


def _show_tail(space: QuerySpace) -> None:
    st.subheader("Which queries fail?")
    found = tail(space, measure.chosen(), _LISTED)
    if not len(found.query):
        st.caption("None: every query has a relevant document at rank 1.")
        return
    documents = space.queries.documents
    wide = st.column_config.TextColumn(width="medium")
    score = st.column_config.NumberColumn(format="%.3f")
    table = pd.DataFrame(
        {
            "rank": found.rank,
            "query": [space.queries.queries[row] for row in found.query],
            "closest true document": [documents[row] for row in found.document],
            "its score": found.score,
            "document at rank 1": [documents[row] if row >= 0 else None for row in found.first],
            "score at rank 1": found.first_score,
            "topic": [space.queries.topics[row] if space.queries.topics else None for row in found.query],
        }
    )
    columns = {"closest true document": wide, "document at rank 1": wide, "its score": score, "score at rank 1": score}
    shown = table if space.queries.topics else table.drop(columns="topic")
    downloads.table(shown, name="far_queries", hide_index=True, column_config=columns)
    late = int(np.count_nonzero(ranks(space, measure.chosen()).rank != 1))
    st.caption(
        f"The {count(len(table))} worst of {count(late)} queries whose closest true document is not first, the worst "
        "on top. Read both documents: a long tail often holds queries that were judged badly, not answered badly."
    )
