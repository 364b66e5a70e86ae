"""Does a second look put the right documents first? A cross-encoder over the first documents of the search."""

import time

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.encoders.cross_checkpoint import KNOWN_CROSS_ENCODERS, CrossCheckpoint
from lib.errors import InputError
from lib.progress import Progress
from lib.retrieval.pair_scores import PairScores
from lib.retrieval.reranking import Reranked, candidates
from lib.ui import downloads
from lib.ui.messages import count, counted, plain, refuse, tell
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import reranking_cached as cached
from lib.ui.retrieval.durations import span
from lib.ui.retrieval.measure_notice import tell_linear_gain
from lib.ui.retrieval.reranking_results import show_results

_MOST = 1_000
_SAMPLES = ["50", "200", "1000", "all"]
_WHAT = (
    "The encoder reads a query and a document apart; a cross-encoder reads both together, word against word, and gives "
    "one score. It is too slow for the whole collection, so it only puts the first documents of the search in a new "
    "order."
)
_WHY_NONE = (
    "Choose a cross-encoder. None comes with Embedscope: one small enough to come along made rankings worse when it "
    "was tried. A known one is fetched from the model hub once; a folder opens where whoever runs the server allows it."
)


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("Does a second look put the right documents first?")
    st.caption(_WHAT)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = _choose()
        top, sample = _how_much(space)
    of = _found(source)
    if of is None:
        return
    _describe(of)
    rows = _rows(space, sample)
    if not len(rows):
        st.info("No query has a relevant document, so nothing can be measured: add judgements above 0 first.")
        return
    made = _reranked(space, of, top, rows)
    if made is not None:
        tell_linear_gain(space.queries)
        show_results(space, of, made, cached.effect(space, of, made, sampled=sample))


def _choose() -> str | None:
    source = st.selectbox(
        "Cross-encoder", list(KNOWN_CROSS_ENCODERS), index=None, accept_new_options=True, key=cached.CHOICE,
        bind="query-params", persist_state="session", placeholder="Choose one, or type a hub id or a folder", width=420,
        help="A hub id (owner/name), or a folder below those that the server's owner allows, with a transformer that "
        "gives one score for a pair of texts.",
    )  # fmt: skip
    return str(source) if source else None


def _found(source: str | None) -> CrossCheckpoint | None:
    """The cross-encoder; None, and what to do, where there is none."""
    if source is None:
        st.info(_WHY_NONE)
        downloads.table(
            pd.DataFrame(KNOWN_CROSS_ENCODERS.items(), columns=["cross-encoder", "about"]),
            name="cross_encoders",
            hide_index=True,
            width=600,
        )
        return None
    found = cached.checkpoint(source)
    if isinstance(found, InputError):
        refuse(found)
        return None
    return found


def _how_much(space: QuerySpace) -> tuple[int, str]:
    top = st.number_input(
        "Documents to rerank", 1, _MOST, 20, key="rerank_top", bind="query-params", persist_state="session", width=170,
        help="The first N that the search finds for a query. More can bring up more, and cost as much more.",
    )  # fmt: skip
    sample = st.select_slider(
        "Queries", _SAMPLES, "200", key="rerank_queries", bind="query-params", persist_state="session", width=200,
        help="Of the queries that have a relevant document; fewer are drawn at random, the same ones every time.",
    )  # fmt: skip
    return min(int(top), len(space.queries.documents)), str(sample)


def _describe(of: CrossCheckpoint) -> None:
    shown = "" if of.activation == "identity" else f", shown through a {of.activation}"
    facts = [
        f"{of.parameters / 1e6:.3g} M parameters",
        f"{of.layers} layers" if of.layers else of.architecture,
        f"{count(of.max_tokens)} tokens for query and document together" if of.max_tokens else "pairs of any length",
        f"one raw score{shown}",
        *([of.licence] if of.licence else []),
    ]
    st.caption(plain(" · ".join(facts)))
    tell(of.notices)


def _rows(space: QuerySpace, sample: str) -> NDArray[np.int64]:
    """Queries with a relevant document, or so many of them."""
    rows = np.flatnonzero(space.queries.relevant)
    if sample == "all" or len(rows) <= int(sample):
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, int(sample), replace=False))


def _reranked(space: QuerySpace, of: CrossCheckpoint, top: int, rows: NDArray[np.int64]) -> Reranked | None:
    """The new order; None while its pairs are not scored and the user has not asked for it."""
    if not cached.ready(space, top):
        return None
    known = cached.scores(space, of)
    query, document = candidates(space.queries, cached.run(space, top), top=top, rows=rows)
    missing = len(known.missing(query, document)[0])
    if missing:
        key = f"rerank_{space.key[:12]}_{of.content[:12]}_{top}_{len(rows)}"
        if not started(key, "Rerank", about=_cost(known, missing, len(rows), top)):
            return None
        scorer = cached.reranker(of)
        with stoppable(key, "Scoring pairs") as show_done:
            known.score(query, document, scorer, progress=_with_speed(show_done))
    return cached.reranked(space, known, top=top, rows=rows)


def _cost(known: PairScores, missing: int, queries: int, top: int) -> str:
    """What reranking will take, in words."""
    work = f"{count(queries)} {'query' if queries == 1 else 'queries'} × {counted(top, 'document')}"
    pairs = f"{counted(missing, 'pair')} to score ({work}; what is scored is kept, so it can be stopped)."
    each = known.seconds_per_pair
    if each is None:
        return f"{pairs} How long that takes shows after the first pairs."
    return f"{pairs} At the speed seen here, {span(missing * each)}."


def _with_speed(show_done: Progress) -> Progress:
    """`show_done`, and beneath it how fast the pairs go and how long the rest will take."""
    place, since = st.empty(), time.monotonic()

    def tell_done(done: int, of: int) -> None:
        show_done(done, of)
        taken = time.monotonic() - since
        if done and done < of:
            place.caption(f"{done / max(taken, 1e-9):.3g} pairs a second; {span((of - done) * taken / done)} left.")
        elif done:
            place.empty()

    return tell_done
