"""The queries of a diff: the picture of their ranks, the list, and which of them is looked at."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import finetune_ranks as charts
from lib.charts.layout import hover_texts
from lib.finetune.diff.ranks import RankDiff
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.faithfulness.links import named
from lib.ui.finetune import ranks_words as words
from lib.ui.finetune.pair import AskedPair
from lib.ui.messages import count

QUERY = "ranks_query"
_TOPIC, _LISTED = "ranks_topic", "_ranks_listed"
_CHART, _TABLE = "ranks_slopes", "ranks_list"
_KINDS = {"all": None, "▼ worse": -1, "▲ improved": 1, "● same": 0}
_ALL = "all topics"
_MOST_LISTED, _MOST_OFFERED = 1_000, 2_000


def choose_query(asked: AskedPair, found: RankDiff) -> int | None:
    """Draw picture and list; the row of the query that is looked at, None where none is listed."""
    st.subheader("Which queries moved?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = one_of(
            "Queries", list(_KINDS), key="ranks_kind", help="Shows only queries whose closest true document moved so."
        )
        topic = _topic(asked)
    places = _listed(asked, found, _KINDS[kind], topic)
    if not len(places):
        st.info("No query is of this kind: choose another list.")
        return None
    options = {_name(asked, int(found.query[place])): int(found.query[place]) for place in places.tolist()}
    picture = st.container()
    row = _choose(asked, options, listed=(kind, topic))
    with picture:
        _slopes(asked, found, places, row)
    _table(asked, found, places)
    return row


def _topic(asked: AskedPair) -> str | None:
    names = asked.queries.topic_names if asked.queries.topics else []
    if not names:
        return None
    if st.session_state.get(_TOPIC, _ALL) not in (_ALL, *names):  # left behind by another set
        st.session_state[_TOPIC] = _ALL
    chosen = st.selectbox(
        "Topic",
        [_ALL, *names],
        key=_TOPIC,
        bind="query-params",
        persist_state="session",
        width=240,
        help="Shows only the queries of this topic.",
    )
    return None if chosen in (None, _ALL) else str(chosen)


def _listed(asked: AskedPair, found: RankDiff, kind: int | None, topic: str | None) -> NDArray[np.int64]:
    """Places of the queries of a kind and topic: those that lost most first (gained most, for improved ones)."""
    kept = np.ones(len(found.query), dtype=bool) if kind is None else found.change == kind
    if topic is not None and asked.queries.topics is not None:
        kept &= np.array([asked.queries.topics[row] == topic for row in found.query.tolist()])
    places = np.flatnonzero(kept)
    by = -found.reciprocal_change if kind == 1 else found.reciprocal_change
    return places[np.lexsort((places, np.minimum(found.rank_base, found.rank_tuned)[places], by[places]))]


def _choose(asked: AskedPair, options: dict[str, int], *, listed: tuple[str, str | None]) -> int:
    """The query that is looked at, one of `options` or any other that the address names.

    Another list than before, by what is `listed`, begins with its first query.
    """
    offered = list(options)[:_MOST_OFFERED]
    if st.session_state.setdefault(_LISTED, listed) != listed:
        st.session_state[_LISTED], st.session_state[QUERY] = listed, offered[0]
    held = st.session_state.get(QUERY) or st.query_params.get(QUERY)
    if held and held not in offered:
        other = _row(asked, str(held))
        if other is None:  # left behind by another set
            st.session_state[QUERY] = offered[0]
        else:
            options = {str(held): other} | options
            offered = [str(held), *offered]
    chosen = st.selectbox(
        "Query looked at", offered, key=QUERY, bind="query-params", persist_state="session",
        help="Those that lost most come first. Or click a line of the picture, or a row of the list.",
    )  # fmt: skip
    return options[str(chosen)] if chosen in options else next(iter(options.values()))


def _row(asked: AskedPair, name: str) -> int | None:
    """The row of the query that is called `name`; None where none is."""
    query_id = name.split(" · ", 1)[0]
    rows = [row for row, one in enumerate(asked.queries.query_ids) if one == query_id]
    return next((row for row in rows if _name(asked, row) == name), None)


def _name(asked: AskedPair, row: int) -> str:
    return named(asked.queries.query_ids[row], asked.queries.queries[row])


def _slopes(asked: AskedPair, found: RankDiff, places: NDArray[np.int64], row: int) -> None:
    drawn = charts.drawn_places(places)
    rows = found.query[drawn].tolist()
    texts = dict(zip(rows, hover_texts(asked.queries.queries[one] for one in rows), strict=True))
    fig = charts.rank_slopes(found, drawn, texts, chosen=row)
    downloads.picture(
        fig,
        key=_CHART,
        name="rank_slopes",
        on_select=lambda: _clicked(asked),
        selection_mode="points",
        quiet=True,
        about="The rank of each query's first relevant document before and after, a line a query.",
    )
    st.caption(words.slopes(len(drawn), len(places)))


def _clicked(asked: AskedPair) -> None:
    for point in st.session_state[_CHART]["selection"]["points"]:
        if "customdata" in point:
            st.session_state[QUERY] = _name(asked, int(point["customdata"][0]))


def _picked(asked: AskedPair, rows: Sequence[int]) -> None:
    chosen = st.session_state[_TABLE]["selection"]["rows"]
    if chosen:
        st.session_state[QUERY] = _name(asked, rows[chosen[0]])


def _table(asked: AskedPair, found: RankDiff, places: NDArray[np.int64]) -> None:
    rows = found.query[places].tolist()
    queries = asked.queries
    table = pd.DataFrame(
        {
            "": [charts.LOOKS[change][0] for change in found.change[places].tolist()],
            "query": [queries.queries[row] for row in rows],
            "rank, base": found.rank_base[places],
            "rank, tuned": found.rank_tuned[places],
            "NDCG@10": found.ndcg_change[places],
            "new in the first 10": found.came[places],
            "topic": [queries.topics[row] if queries.topics else None for row in rows],
        }
    )
    with st.expander(f"The {count(len(rows))} queries as a list"):
        st.dataframe(
            table.head(_MOST_LISTED) if queries.topics else table.head(_MOST_LISTED).drop(columns="topic"),
            hide_index=True, key=_TABLE, on_select=lambda: _picked(asked, rows), selection_mode="single-row",
            column_config={
                "query": st.column_config.TextColumn(width="large"),
                "NDCG@10": st.column_config.NumberColumn("change of NDCG@10", format="%+.3f"),
            },
        )  # fmt: skip
        more = f" The first {count(_MOST_LISTED)} of them; the files hold all." if len(rows) > _MOST_LISTED else ""
        st.caption(f"Those that lost most reciprocal rank first. A row that is ticked is opened below.{more}")
        downloads.offer_table(table, name="rank_queries")
