"""Which query and which two documents the Late interaction view compares."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from lib.corpora import QuerySet, load_query_set
from lib.retrieval import Run
from lib.ui.controls import one_of
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached, measure

_MOST_LISTED = 500
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True)
class Contest:
    """A query and two documents that compete for it."""

    query: str
    first: str
    """The relevant one, where that is known."""
    second: str
    """The tempting other one."""
    known: bool
    """Whether it is known that the first is the right one."""


def choose_texts(space: QuerySpace) -> Contest | None:
    """Ask for the three texts; None, and what to do, while one is missing."""
    kind = one_of(
        "Texts", list(_KINDS), key="late_texts",
        help="Example: queries whose exact terms matter, each with its passage and a tempting wrong one. This query "
        "set: a query with its best relevant document and the best document that is not.",
    )  # fmt: skip
    return _KINDS[kind](space)


@st.cache_resource(max_entries=1, show_spinner=False)
def _examples() -> dict[str, Contest]:
    found = load_query_set("late")
    return {
        found.queries[row]: contest
        for row in range(len(found.queries))
        if (contest := _of_judgements(found, row)) is not None
    }


def _of_judgements(queries: QuerySet, row: int) -> Contest | None:
    """A relevant document of the query and one that was judged not to be."""
    mine = queries.judged_query == row
    documents, grades = queries.judged_document[mine], queries.relevance[mine]
    right, wrong = documents[grades > 0], documents[grades == 0]
    if not len(right) or not len(wrong):
        return None
    return Contest(queries.queries[row], queries.documents[right[0]], queries.documents[wrong[0]], known=True)


def _example(space: QuerySpace) -> Contest | None:
    examples = _examples()
    chosen = st.selectbox(
        "Query",
        list(examples),
        key="late_example",
        bind="query-params",
        persist_state="session",
        help="A ready-made query with two documents to hold against each other.",
    )
    return examples[str(chosen)]


def _from_set(space: QuerySpace) -> Contest | None:
    if not cached.ready(space, measure.chosen()):
        return None
    queries, run = space.queries, cached.run(space, measure.chosen())
    rows = np.flatnonzero(queries.relevant)[:_MOST_LISTED]
    if not len(rows):
        st.info("No query of this set has a relevant document: type your own texts.")
        return None
    named = {f"{queries.query_ids[row]}: {queries.queries[row][:80]}": int(row) for row in rows}
    chosen = st.selectbox(
        "Query",
        list(named),
        key="late_from_set",
        bind="query-params",
        persist_state="session",
        help="A query of the query set; the documents beside it are taken from what the search finds.",
    )
    if len(rows) < int((queries.relevant > 0).sum()):
        st.caption(f"The first {_MOST_LISTED} queries with a relevant document are listed.")
    return _rivals(queries, run, named[str(chosen)])


def _rivals(queries: QuerySet, run: Run, row: int) -> Contest | None:
    """The query's best relevant document (the first one where none was found) and the best that is not relevant."""
    relevant = queries.judged_document[(queries.judged_query == row) & (queries.relevance > 0)]
    found = run.documents[row][run.documents[row] >= 0]
    is_right = np.isin(found, relevant)
    right = found[is_right][0] if is_right.any() else relevant[0]
    if is_right.all():
        st.info("Every document that was found for this query is relevant: there is none to compare with.")
        return None
    wrong = found[~is_right][0]
    return Contest(queries.queries[row], queries.documents[right], queries.documents[wrong], known=True)


def _own(space: QuerySpace) -> Contest | None:
    query = _typed("Query", "late_own_query", lines=False)
    with st.container(horizontal=True):
        first, second = _typed("Document 1", "late_own_first"), _typed("Document 2", "late_own_second")
    if not (query and first and second):
        st.info("Type a query and two documents.")
        return None
    return Contest(query, first, second, known=False)


def _typed(label: str, key: str, *, lines: bool = True) -> str:
    """A text that stands in the address; hence its limit."""
    kind = st.text_area if lines else st.text_input
    return str(
        kind(label, key=key, bind="query-params", persist_state="session", max_chars=_MOST_CHARACTERS) or ""
    ).strip()


_KINDS = {"Example": _example, "This query set": _from_set, "My own": _own}
