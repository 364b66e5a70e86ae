"""The tables of the comparison: figures, every query of a small set, queries won and lost, p-values of all pairs."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.retrieval_comparison import size_of
from lib.corpora import QuerySet
from lib.numerals import spelt
from lib.retrieval.changes import changes
from lib.retrieval.comparison import Comparison, System
from lib.ui import downloads
from lib.ui.messages import plain
from lib.ui.retrieval.contenders import Entry

_MOST = 20  # queries listed as won, and as lost
_TEXTS = ("query", "first: ")  # columns of texts, which would take the room of all others


def figures(result: Comparison) -> None:
    """Every system's figures in one table."""
    st.subheader("All figures")
    rows = []
    for contender in result.contenders:
        found, test = contender.summary(result.metric), contender.test
        speed = contender.documents_per_second
        rows.append(
            {
                "system": contender.name,
                spelt(result.metric): found.mean,
                "low": found.low,
                "high": found.high,
                "difference": test.difference if test else None,
                "p": test.p_value if test else None,
                "won / equal / lost": f"{test.wins} / {test.ties} / {test.losses}" if test else "",
                "dimensions": contender.dimensions,
                "a document takes": size_of(contender.bytes_per_document),
                "documents/s": None if speed is None else float(f"{speed:.3g}"),
            }
        )
    table = pd.DataFrame(rows)
    _frame(table, [spelt(result.metric), "low", "high", "difference"])
    st.caption(
        "low and high: 95 % interval; difference, p (not corrected for the number of systems) and queries won are "
        f"against {plain(result.baseline)}. A vector takes 4 bytes a dimension; BM25 8 for each different word of a "
        "document, and the words themselves."
    )
    downloads.offer_table(table, name="comparison")


def each_query(queries: QuerySet, result: Comparison, entries: list[Entry]) -> None:
    """The metric of each query and system, with the mean beneath, as a lab notebook prints it."""
    st.subheader("Query by query")
    rows = entries[0].system.metrics.query
    table = pd.DataFrame({"query": [*(queries.queries[row] for row in rows), "mean of all"]})
    for entry in entries:
        values = entry.system.metrics.column(result.metric)
        table[entry.system.name] = [*values, values.mean()]
    _frame(table, [entry.system.name for entry in entries])
    st.caption(
        f"{spelt(result.metric)} of every query. Precision@3 is the share of the first three documents that are "
        "relevant: a query with one relevant document cannot have more than 0.333. With so few queries a difference "
        "means little."
    )
    downloads.offer_table(table, name="query_by_query")


def won_and_lost(queries: QuerySet, result: Comparison, entries: list[Entry]) -> None:
    """The queries that one system wins and loses most against the baseline, with what both put first."""
    st.subheader("Which queries are won and lost?")
    systems = {entry.system.name: entry.system for entry in entries}
    others = [name for name in systems if name != result.baseline]
    name = str(
        st.selectbox(
            "System",
            others,
            key="compare_changed",
            bind="query-params",
            persist_state="session",
            width=300,
            help="The system whose won and lost queries are listed, against the baseline.",
        )
    )
    table = _changes(queries, systems[result.baseline], systems[name], result.metric)
    if table.empty:
        st.caption(f"{plain(name)} and {plain(result.baseline)} are equal on every query.")
        return
    _frame(table, [column for column in table if str(column).startswith(spelt(result.metric))])
    st.caption(
        f"Largest win of {plain(name)} first, largest loss last, up to {_MOST} of each. Rank is that of the first "
        f"relevant document, empty where it is not among the first {systems[name].run.documents.shape[1]}."
    )
    downloads.offer_table(table, name="won_and_lost")


def _changes(queries: QuerySet, base: System, other: System, metric: str) -> pd.DataFrame:
    found = changes(queries, base, other, metric=metric, most=_MOST)

    def texts(rows: np.ndarray) -> list[str | None]:
        return [queries.documents[row] if row >= 0 else None for row in rows]

    def ranks(rows: np.ndarray) -> pd.Series:
        return pd.Series(rows).astype("Int64").where(rows > 0)

    return pd.DataFrame(
        {
            "query": [queries.queries[row] for row in found.query],
            f"{spelt(metric)}: {other.name}": found.value_b,
            f"{spelt(metric)}: {base.name}": found.value_a,
            f"rank: {other.name}": ranks(found.rank_b),
            f"rank: {base.name}": ranks(found.rank_a),
            f"first: {other.name}": texts(found.top_b),
            f"first: {base.name}": texts(found.top_a),
        }
    )


def pairs(result: Comparison) -> None:
    """p-values of all pairs, corrected for their number."""
    if len(result.names) < 3:
        return
    with st.expander("p-values of all pairs"):
        table = pd.DataFrame(result.corrected, columns=list(result.names))
        table.insert(0, "system", list(result.names))
        _frame(table, list(result.names), digits=4)
        st.caption(
            f"On {spelt(result.metric)}, corrected after Holm for {len(result.names) * (len(result.names) - 1) // 2} "
            "pairs: reading all that are below 0.05 as real differences, the chance of even one mistake is below 5 %."
        )


def _frame(table: pd.DataFrame, numbers: list[str], *, digits: int = 3) -> None:
    shown = {name: st.column_config.NumberColumn(format=f"%.{digits}f") for name in numbers}
    texts = {name: st.column_config.TextColumn(width="medium") for name in table if str(name).startswith(_TEXTS)}
    st.dataframe(table, hide_index=True, column_config={**shown, **texts}, placeholder="")
