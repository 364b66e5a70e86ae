"""Does MaxSim find more over the whole query set? The first documents of each query, in its order."""

import numpy as np
import streamlit as st

from lib.charts.retrieval_contrasts import difference_forest
from lib.retrieval import PairedTest, Run
from lib.retrieval.late import LateRerank, maxsim_rerank
from lib.retrieval.reranking_effect import RerankingEffect
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain
from lib.ui.progress import started, stoppable
from lib.ui.retrieval import cached, measure
from lib.ui.retrieval import late_cached as kept
from lib.ui.retrieval.contrast_table import contrast_table
from lib.ui.retrieval.late_cached import Source
from lib.ui.retrieval.measure_notice import tell_linear_gain
from lib.ui.retrieval.run_download import offer_run

_MOST = 1_000
_TESTED = ("ndcg@10", "mrr", "recall@1", "recall@5", "recall@10")


def show_rerank(source: Source, *, special: bool) -> None:
    """Draw this part of the view."""
    st.subheader("Does it find more over the whole query set?")
    space = source.space
    if not space.queries.relevant.any():
        st.info("No query has a relevant document, so nothing can be measured: add judgements above 0 first.")
        return
    top = int(
        st.number_input(
            "Documents to rerank", 1, _MOST, 50, key="late_top", bind="query-params", persist_state="session",
            width=170, help="The first N that the search finds for a query. With N as large as the set, this is a "
            "full search by MaxSim.",
        )
    )  # fmt: skip
    top = min(top, len(space.queries.documents))
    similarity = measure.chosen()
    if not cached.ready(space, similarity, max(top, cached.DEPTH)):
        return
    with st.container():  # of its own, so that what spins in it moves nothing beneath
        run = cached.run(space, similarity, k=max(top, cached.DEPTH))
    key = f"{space.key}/{source.key('query')}/{source.key('document')}/{similarity}/{top}/{special}"
    room = kept.kept_reranks(key)
    if "made" not in room:
        made = _made(source, run, top, special=special)
        if made is None:
            return
        room["made"] = made
    tell_linear_gain(space.queries)
    _show(source, room["made"], kept.effect(space, key, room["made"], similarity, run))


def _made(source: Source, run: Run, top: int, *, special: bool) -> LateRerank | None:
    """The reranked run; None until the user has asked for it."""
    space = source.space
    documents = len(np.unique(run.documents[:, :top]))
    work = f"late_rerank_{space.key[:12]}_{source.key('document')[:12]}_{top}_{special}_{measure.chosen()}"
    about = (
        f"{counted(documents, 'document')} will be encoded token by token, which takes about as long as embedding them "
        f"did; then {count(len(run.documents))} × {count(top)} pairs are scored. Nothing is kept where it is stopped."
    )
    if not started(work, "Rerank by MaxSim", about=about):
        return None
    with stoppable(work, "Encoding tokens") as tell_done:
        return maxsim_rerank(space.queries, run, source.open(), top=top, special=special, progress=tell_done)


def _show(source: Source, made: LateRerank, effect: RerankingEffect) -> None:
    ndcg = effect.change("ndcg@10").test
    single = 4 * source.space.checkpoint.dimensions
    numbers, picture = numbers_over_picture()
    with numbers:
        number("NDCG@10, one vector", f"{ndcg.mean_a:.3f}", "As searched, over all documents.")
        number("NDCG@10, MaxSim", f"{ndcg.mean_b:.3f}", f"The first {made.reranked.top} in the order of MaxSim.")
        number(
            "Bytes a document",
            f"{count(round(made.bytes_per_document))}",
            f"{made.document_tokens:.1f} token vectors of {made.dimensions} dimensions in float32, on average; one "
            f"vector takes {count(single)}: {made.bytes_per_document / single:.1f} times as much.",
        )
    tests = [effect.change(name).test for name in _TESTED]
    with picture:
        downloads.picture(
            difference_forest([("MaxSim", tests)], x="difference: MaxSim less one vector (above 0: MaxSim is better)"),
            key="late_effect",
            about="What late interaction changes in each metric against one vector, with intervals.",
        )
        st.caption(_reading(source, made, ndcg))
    contrast_table([("MaxSim against one vector", tests)])
    downloads.offer_result(effect, name="maxsim_reranking")
    offer_run(source.space.queries, made.reranked, name="maxsim_reranked")


def _reading(source: Source, made: LateRerank, ndcg: PairedTest) -> str:
    clear = ndcg.p_value < 0.05
    verdict = (
        f"NDCG@10 is {'higher' if ndcg.difference > 0 else 'lower'} by {abs(ndcg.difference):.3f} with MaxSim "
        f"(p = {ndcg.p_value:.2g}): better on {count(ndcg.wins)} queries, worse on {count(ndcg.losses)}."
        if clear
        else f"No difference in NDCG@10 can be told (p = {ndcg.p_value:.2g}): better on {count(ndcg.wins)} queries, "
        f"worse on {count(ndcg.losses)}."
    )
    cut = f" {counted(made.truncated, 'document')} were cut at the maximum length." if made.truncated else ""
    untrained = (
        ""
        if source.late
        else " These token vectors were not trained for MaxSim: it may lose here and win with a ColBERT checkpoint."
    )
    return (
        f"Marks are mean differences over {count(ndcg.queries)} queries with 95 % intervals, filled where p < 0.05. "
        f"{verdict}{untrained}{cut} What the search did not find among the first {made.reranked.top} stays lost. "
        f"Made by {plain(source.name)} in {made.seconds:.1f} s."
    )
