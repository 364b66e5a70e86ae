"""The sidebar's second choice on pages about retrieval: which query set. A sample, or uploaded files."""

from dataclasses import dataclass

import streamlit as st

from lib.corpora import QUERY_SET_NAMES, MissingFilesError, QuerySet, load_query_set
from lib.errors import InputError
from lib.ui.controls import one_of
from lib.ui.corpus_choice import Origin
from lib.ui.messages import count, counted, plain, tell
from lib.ui.query_upload import KEPT, uploaded_set
from lib.ui.remembered import keep_only
from lib.ui.sharing import opened

_TODO = (
    "Upload a query set in the sidebar: one file of pairs (columns query and document, and if you have them relevance "
    "and topic), or corpus, queries and qrels as BEIR has them, as three files or one zip. Uploads are private to "
    "their session, so a link to one opens here without its files."
)


@dataclass(frozen=True)
class QueryChoice:
    """What the user chose, or why there is none: a fault, or what to do first."""

    query_set: QuerySet | None
    fault: str | None = None
    todo: str | None = None
    origin: Origin = "sample"
    """Where it comes from: a sample, the session's own upload, or a share link."""

    @property
    def private(self) -> bool:
        """Whether an address alone cannot carry it: it is in the memory of this session only."""
        return self.origin == "own" and self.query_set is not None


def choose_query_set(*, first: str = QUERY_SET_NAMES[0], key: str = "query_sample") -> QueryChoice:
    """Draw the choice and return it; where nobody chose, it is the sample `first`, which stands under `key`."""
    kind = one_of(
        "Query set",
        opened.with_shared(("Sample", "Upload"), "queries"),
        key="queries",
        width="stretch",
        help="Queries, documents and judgements: the sample, or files of yours, which stay in your session.",
    )
    keep_only(KEPT, kind)
    try:
        chosen = _shared() if kind == opened.KIND else _sample(first, key) if kind == "Sample" else _upload()
    except MissingFilesError as missing:
        return QueryChoice(None, todo=plain(missing))
    except InputError as fault:
        return QueryChoice(None, fault=str(fault))
    if chosen.query_set is not None:
        _describe(chosen.query_set)
        if chosen.origin == "shared":
            opened.describe_queries(chosen.query_set)
    return chosen


def _describe(queries: QuerySet) -> None:
    asked = len(queries.queries)
    facts = [
        f"{count(asked)} {'query' if asked == 1 else 'queries'}",
        counted(len(queries.documents), "document"),
        counted(len(queries.relevance), "judgement"),
        counted(len(queries.topic_names), "topic") if queries.topics else "no topics",
    ]
    st.caption(" · ".join(facts))
    tell(queries.notices)


@st.cache_resource(max_entries=len(QUERY_SET_NAMES), show_spinner=False)
def _sample_set(name: str) -> QuerySet:
    return load_query_set(name)


def _sample(first: str, key: str) -> QueryChoice:
    name = st.selectbox(
        "Sample",
        sorted(QUERY_SET_NAMES, key=lambda name: name != first),
        key=key,
        bind="query-params",
        persist_state="session",
        help="topics: 156 graded queries on medicine, law and finance. lab: 4 queries over 15 sentences, for P@3. "
        "late: queries whose exact terms matter, for late interaction. medical: 176 questions on 44 conditions, which "
        "the packaged fine-tune has not seen.",
    )
    return QueryChoice(_sample_set(str(name)))


def _shared() -> QueryChoice:
    return QueryChoice(opened.queries(), origin="shared")


def _upload() -> QueryChoice:
    settled, queries = uploaded_set()
    if queries is not None:
        return QueryChoice(queries, origin="own")
    todo = "Choose in the sidebar which columns hold the queries and the documents." if settled else _TODO
    return QueryChoice(None, todo=todo)
