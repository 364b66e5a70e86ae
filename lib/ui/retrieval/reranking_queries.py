"""The queries that reranking helped and hurt, and one of them in full."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.encoders.cross_encoder import activated
from lib.numerals import spelt
from lib.retrieval.reranking import Reranked
from lib.retrieval.reranking_effect import METRICS, RerankingEffect
from lib.ui import downloads
from lib.ui.controls import one_metric_of_few, one_of
from lib.ui.faithfulness.links import named
from lib.ui.messages import count, plain, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import reranking_cached as cached

_QUERY = "rerank_query"
_MOST_LISTED = 300
_BEST_SHOWN = 10


def show_queries(space: QuerySpace, of: CrossCheckpoint, made: Reranked, effect: RerankingEffect) -> None:
    """List them, the largest change first, and show the chosen one before and after."""
    st.subheader("Which queries won, which lost?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = one_metric_of_few("By", METRICS, key="rerank_by", help="The metric by which a query won or lost.")
        kind = one_of(
            "Show",
            ["won", "lost", "as before"],
            key="rerank_show",
            help="Queries that reranking made better, made worse, or left as they were.",
        )
    table = query_table(space, effect, metric)
    change = table["change"].to_numpy()
    chosen = {"won": change > 0, "lost": change < 0, "as before": change == 0}[kind]
    order = np.flatnonzero(chosen)[np.argsort(-np.abs(change[chosen]), kind="stable")]
    listed = table.iloc[order]
    if not len(listed):
        st.caption(f"By {spelt(metric)} no query {'stayed' if kind == 'as before' else 'has'} {kind}.")
    else:
        place = _picked(listed, f"rerank_list_{metric}_{kind}")
        _one_query(space, of, made, effect, int(order[place]))
    downloads.offer_table(table, name="reranking_queries")


def _picked(listed: pd.DataFrame, key: str) -> int:
    """Which line of the list is chosen: by its row, or by name; the first at the start."""
    shown = listed.head(_MOST_LISTED)
    names = [named(one, text) for one, text in zip(shown["id"], shown["query"], strict=True)]
    numbers = tuple(name for name in shown.columns if str(name).startswith(("change", *map(spelt, METRICS))))
    st.dataframe(
        shown,
        hide_index=True,
        key=key,
        on_select=partial(_take_clicked, key, names),
        selection_mode="single-row",
        column_config={
            "query": st.column_config.TextColumn(width="large"),
            **dict.fromkeys(numbers, st.column_config.NumberColumn(format="%.3f")),
        },
    )
    if len(listed) > _MOST_LISTED:
        tell([f"The first {count(_MOST_LISTED)} of {count(len(listed))} are listed; the downloads hold all."])
    if st.session_state.get(_QUERY, names[0]) not in names:  # of another list
        st.session_state[_QUERY] = names[0]
    chosen = st.selectbox(
        "Query looked at", names, key=_QUERY, bind="query-params", persist_state="session",
        help="Those of the list, the largest change first. Or click a row of it.",
    )  # fmt: skip
    return names.index(chosen) if chosen in names else 0


def _take_clicked(key: str, names: Sequence[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(names):
        st.session_state[_QUERY] = names[rows[0]]


def query_table(space: QuerySpace, effect: RerankingEffect, metric: str) -> pd.DataFrame:
    """One row a query: its ranks, one metric, and the document on top, before and after."""
    queries = space.queries
    before, after = effect.before.column(metric), effect.after.column(metric)

    def texts(rows: np.ndarray) -> list[str | None]:
        return [queries.documents[row] if row >= 0 else None for row in rows]

    table = {
        "query": [queries.queries[row] for row in effect.query],
        "change": after - before,
        "rank before": _ranks(effect.rank_before),
        "rank after": _ranks(effect.rank_after),
        f"{spelt(metric)} before": before,
        f"{spelt(metric)} after": after,
        "top before": texts(effect.top_before),
        "top after": texts(effect.top_after),
        "id": [queries.query_ids[row] for row in effect.query],
    }
    if queries.topics is not None:
        table["topic"] = [queries.topics[row] for row in effect.query]
    return pd.DataFrame(table)


def _ranks(ranks: np.ndarray) -> pd.Series:
    """Ranks; empty where the document was not found."""
    return pd.Series(ranks).where(ranks > 0).astype("Int64")


def _one_query(space: QuerySpace, of: CrossCheckpoint, made: Reranked, effect: RerankingEffect, place: int) -> None:
    row = int(effect.query[place])
    grades = space.queries.qrels().get(space.queries.query_ids[row], {})
    old, new = cached.run(space, made.top), made.run
    rank_of = {int(document): rank for rank, document in enumerate(old.documents[row], 1)}
    st.markdown(f"**{plain(space.queries.queries[row])}**")
    for side, run, at in zip(st.columns(2), (old, new), ("As searched", "Reranked"), strict=True):
        first = run.documents[row, : min(_BEST_SHOWN, made.top)]
        first = first[first >= 0]
        scores = run.scores[row, : len(first)]
        lines = {
            "relevance": [grades.get(space.queries.document_ids[document]) for document in first],
            "score": scores if run is old else activated(scores, of.activation),
            "document": [space.queries.documents[document] for document in first],
        }
        if run is new:
            lines = {"was at": [rank_of[int(document)] for document in first], **lines}
        with side:
            st.caption(at)
            downloads.table(
                pd.DataFrame({"rank": np.arange(1, len(first) + 1), **lines}),
                name="reranking_before" if run is old else "reranking_after", hide_index=True,
                column_config={"document": st.column_config.TextColumn(width="medium"),
                               "score": st.column_config.NumberColumn(format="%.3f")},
            )  # fmt: skip
    st.caption(
        "Relevance is None where nobody judged the document: an unjudged one "
        "on top may be right. Scores of the two sides have different units and cannot be compared."
    )
