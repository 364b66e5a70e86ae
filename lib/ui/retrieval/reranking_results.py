"""What reranking did: metrics and ranks before and after, and whether the difference is one."""

import streamlit as st

from lib.charts import retrieval_reranking as charts
from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.retrieval.reranking import Reranked
from lib.retrieval.reranking_effect import MetricChange, RerankingEffect
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.contrast_table import contrast_table
from lib.ui.retrieval.reranking_queries import show_queries
from lib.ui.retrieval.run_download import offer_run


def show_results(space: QuerySpace, of: CrossCheckpoint, made: Reranked, effect: RerankingEffect) -> None:
    """Draw them."""
    if effect.truncated:
        tell([f"{count(effect.truncated)} of {counted(effect.pairs, 'pair')} are longer than "
              f"{count(of.max_tokens or 0)} tokens: only their beginning was read."])  # fmt: skip
    main = effect.change("ndcg@10")
    numbers, picture = numbers_over_picture()
    with numbers:
        for name, change in (("NDCG@10", main), ("MRR", effect.change("mrr"))):
            _change_number(name, change)
        number("Ceiling", f"{main.ceiling:.3f}", f"NDCG@10 if these {count(made.top)} stood in the best order.")
        seconds = made.seconds_per_query
        number(
            "Seconds a query",
            "—" if seconds is None else f"{seconds:.2g}",
            f"To score {count(made.top)} documents on this machine, by the mean over all pairs scored so far.",
        )
    with picture:
        st.markdown(_verdict(main))
        downloads.picture(
            charts.metric_changes(effect),
            key="rerank_metrics",
            about="Each metric before and after reranking, with intervals and the best that was possible.",
        )
        st.caption(
            f"Hollow and dashed: the search. Solid: reranked. The bar is what the best order of the first "
            f"{count(made.top)} would give: what is missing beyond it, only a better search can find. "
            "Intervals overlap more than differences do: the sentence above tests the difference itself, query by "
            "query. Six metrics are shown; with so many, a small p-value in one of them alone says little."
        )
    contrast_table([("reranked", [change.test for change in effect.changes])])
    st.subheader("Where is the first relevant document?")
    downloads.picture(
        charts.rank_distribution(effect),
        key="rerank_ranks",
        about="At which rank the first relevant document stands, before and after reranking.",
    )
    st.caption(
        "More queries at the left is better: the dashed line is the search, the bars are the reranked order. "
        f"{_queries(effect.out_of_reach)} had no relevant document among the first {count(made.top)}, where reranking "
        "cannot help: ranks beyond those stay as they were."
    )
    with st.expander("Query by query: from which rank to which?"):
        downloads.picture(
            charts.rank_moves(effect),
            key="rerank_moves",
            about="From which rank to which reranking moved each query's first relevant document.",
        )
        st.caption("Above the diagonal a query got better. A larger mark is more queries; both axes are logarithmic.")
    show_queries(space, of, made, effect)
    downloads.offer_result(effect, name="reranking")
    offer_run(space.queries, made, name="reranked")


def _change_number(name: str, change: MetricChange) -> None:
    number(
        name,
        f"{change.before.mean:.3f} → {change.after.mean:.3f}",
        f"As searched → reranked; mean over {_queries(change.test.queries)} with a relevant document.",
        wide=True,
    )


def _verdict(change: MetricChange) -> str:
    test = change.test
    counts = f"{_queries(test.wins)} won, {count(test.losses)} lost, {count(test.ties)} stayed as before."
    if not test.difference:
        return f"Reranking **does not change** the mean NDCG@10: {counts}"
    way = "raises" if test.difference > 0 else "lowers"
    between = f" (95 % interval {_signed(test.low)} to {_signed(test.high)})" if test.queries > 1 else ""
    sure = "more than chance explains" if change.distinguishable else "**not** distinguishable from chance"
    return (
        f"Reranking **{way} NDCG@10 by {abs(test.difference):.3f}**{between}, {sure} (p = {test.p_value:.2g}): {counts}"
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _queries(number_of: int) -> str:
    return f"{count(number_of)} {'query' if number_of == 1 else 'queries'}"
