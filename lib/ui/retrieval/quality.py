"""How well does it retrieve? Metrics with their intervals, by topic; then ranks, and what fails."""

import pandas as pd
import streamlit as st

from lib.charts import retrieval_quality as charts
from lib.errors import InputError
from lib.retrieval import Gain, Summary
from lib.ui import downloads
from lib.ui.controls import one_metric, one_of
from lib.ui.layout import numbers_over_picture
from lib.ui.messages import count, counted, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure
from lib.ui.retrieval.measure_notice import tell_measure
from lib.ui.retrieval.quality_cached import Quality, quality
from lib.ui.retrieval.quality_downloads import show_downloads
from lib.ui.retrieval.quality_ranks import show_ranks
from lib.ui.terms import explained

_GAINS: tuple[Gain, ...] = ("linear", "exponential")
_HEADLINES = ("recall@1", "recall@5", "recall@10", "mrr", "ndcg@10")
_OTHER_RECALLS = ("hit@1", "hit@5", "hit@10")
_DEPTHS = ["1", "3", "5", "10", "20", "50", "100"]
_MOST_COLUMNS = 40  # topics in the table
_NAMES = {
    "recall": ("Recall", "Share of a query's relevant documents that are among the first {k}."),
    "hit": (
        "Hit rate",
        "Share of queries with any relevant document among the first {k}: success@{k} in trec_eval, often Recall@{k}.",
    ),
    "precision": ("Precision", "Share of the first {k} that is relevant."),
    "ndcg": ("NDCG", "Gain of the first {k}, discounted by rank, against the best possible order; 1 = perfect."),
    "mrr": ("MRR", "Mean of 1 / rank of the first relevant document: 1 = always first, 0.5 = typically second."),
    "mrr@": ("MRR", "Mean of 1 / rank of the first relevant document, 0 where it comes after {k}."),
    "map": ("MAP", "Mean of the precision at the rank of each relevant document, over the whole ranking."),
}


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("How well does it retrieve?")
    gain, depths = _choose()
    tell_measure()
    found = quality(space, measure.chosen(), gain, [1, 5, 10, *depths])
    numbers, picture = numbers_over_picture()
    with numbers:
        for name in _HEADLINES:
            _headline(found.of(name)[0])
    with picture:
        with st.container(horizontal=True, gap="small"):
            for name in _OTHER_RECALLS:
                _headline(found.of(name)[0])
        _explain(space, found)
    _by_metric(space, found, depths)
    show_ranks(space)
    show_downloads(space, found)


def _choose() -> tuple[Gain, list[int]]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        gain = one_of(
            "NDCG gain", _GAINS, key="quality_gain",
            help="What a grade is worth in NDCG. linear: the grade itself, as trec_eval has it; exponential: "
            "2^grade − 1, as many papers and scikit-learn's users have it. They are the same where grades are 0 and 1.",
        )  # fmt: skip
        chosen = st.multiselect(
            "Cut-offs k", _DEPTHS, ["1", "5", "10"], key="quality_k", bind="query-params", persist_state="session",
            accept_new_options=True, max_selections=8, width=420,
            help="How many documents of each ranking are looked at. Type any other whole number.",
        )  # fmt: skip
    for k in chosen:
        if not k.isdecimal() or not 1 <= int(k) <= 1_000_000:
            raise InputError(f"A cut-off should be a whole number of 1 or more, got {k!r}: take it out again.")
    return ("exponential" if gain == "exponential" else "linear"), sorted({int(k) for k in chosen}) or [10]


def _headline(summary: Summary) -> None:
    name, meaning = _named(summary.metric)
    st.metric(
        name, f"{summary.mean:.3f}", _interval(summary) or "one query: no interval", help=explained(name, meaning),
        width=150, delta_color="off", delta_arrow="off",
    )  # fmt: skip


def _named(metric: str) -> tuple[str, str]:
    """What a metric is called on screen, and what it means."""
    kind, _, k = metric.partition("@")
    name, meaning = _NAMES["mrr@" if metric.startswith("mrr@") else kind]
    return (f"{name}@{k}" if k else name), meaning.format(k=k)


def _interval(summary: Summary) -> str:
    return "" if summary.low != summary.low else f"{summary.low:.3f} to {summary.high:.3f}"  # NaN: one query


def _explain(space: QuerySpace, found: Quality) -> None:
    scored, skipped = len(found.metrics.query), found.metrics.skipped
    each = space.queries.relevant[found.metrics.query].mean()
    st.caption(
        f"Means over {counted(scored, 'query') if scored == 1 else f'{count(scored)} queries'} with 95 % intervals "
        "(bootstrap over queries): what other queries of the same kind could have given, not what other judgements or "
        "other documents would. Two encoders whose intervals overlap may still differ: compare them query by query. "
        "Two numbers go by the name Recall@k: **Recall@k** is the share of a query's relevant documents that are "
        "found, **Hit rate@k** (success@k) counts a query as soon as one is. "
        f"Here a query has {each:.2g} of them on average."
    )
    if skipped:
        tell(
            [
                f"{count(skipped)} of {count(skipped + scored)} queries have no relevant document: left out of every "
                "mean, as trec_eval does."
            ]
        )


def _by_metric(space: QuerySpace, found: Quality, depths: list[int]) -> None:
    """The table of all metrics, and one of them by topic."""
    kinds = ("recall", "hit", "ndcg", "precision", "mrr")
    names = [f"{kind}@{k}" for k in depths for kind in kinds] + ["mrr", "map"]
    topics, most = space.queries.topic_names, charts.MOST_TOPICS
    if topics:
        st.subheader("Which topics does it find harder?")
        options = ["ndcg@10", *(name for name in names if name != "ndcg@10")]
        shown = one_metric("Metric", options, key="quality_metric", help="The metric that is drawn by topic.")
        picture = charts.metric_by_topic(found.of(shown), title=_named(shown)[0])
        downloads.picture(
            picture,
            key="by_topic",
            name="quality_by_topic",
            about="For each topic, the mean of the metric over its queries, with intervals.",
        )
        st.caption(
            "Each dot is a topic's mean over its queries (their number in brackets), the bar its 95 % interval; the "
            "diamond and the dashed line are all queries. Few queries make wide bars. Topics also differ in how many "
            "documents are relevant and how alike their documents are, so a low one need not be the encoder's fault."
            + (f" The {most} lowest of {count(len(topics))} are drawn." if len(topics) > most else "")
        )
    st.subheader("Every metric")
    downloads.table(_table(found, names), name="metrics", hide_index=True, height="content")
    st.caption("MRR looks at the whole ranking, as trec_eval does; MRR@10 is what MS MARCO reports.")


def _table(found: Quality, names: list[str]) -> pd.DataFrame:
    """A row for each metric; a column for all queries and one for each topic."""
    groups = list(dict.fromkeys(summary.group for summary in found.summaries))[: _MOST_COLUMNS + 1]
    cells = {(s.metric, s.group): s for s in found.summaries}
    columns: dict[str, list[str]] = {"metric": [_named(name)[0] for name in names]}
    for group in groups:
        title = f"{'all queries' if group is None else group} ({cells[names[0], group].queries})"
        columns[title] = [f"{s.mean:.3f}  ({_interval(s)})" for s in (cells[n, group] for n in names)]
    return pd.DataFrame(columns)
