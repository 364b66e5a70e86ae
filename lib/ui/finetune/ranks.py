"""What became of each query? Metrics and ranks before and after, and why a query got worse or better."""

import pandas as pd
import streamlit as st

from lib.charts import finetune_ranks as charts
from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.topic_ranks import TOPIC_METRICS
from lib.numerals import spelt
from lib.ui import downloads
from lib.ui.controls import one_metric_of_few
from lib.ui.finetune import ranks_words as words
from lib.ui.finetune.cached import ranks_of
from lib.ui.finetune.pair import PairSpace, choose_queries
from lib.ui.finetune.ranks_queries import choose_query
from lib.ui.finetune.ranks_query import show_query
from lib.ui.layout import number
from lib.ui.messages import count, plain, share, tell


def show(pair: PairSpace) -> None:
    """Draw the view."""
    st.subheader("What became of each query?")
    with st.container(width=420):
        asked = choose_queries(pair)
    found = ranks_of(asked)
    st.markdown(f"**{plain(words.headline(found))}**")
    _numbers(found)
    tell(words.left_out(found))
    _metrics(found)
    if len(found.topics) > 1:
        _topics(found)
    row = choose_query(asked, found)
    if row is not None:
        show_query(pair, asked, found, row)


def _numbers(found: RankDiff) -> None:
    with st.container(horizontal=True, gap="small"):
        number("▲ Improved", count(found.improved), "Queries whose closest true document stands further up.")
        number("▼ Worse", count(found.worse), "Queries where it stands further down.")
        number("● Same rank", count(found.same), "Queries where it kept its rank.")
        number("Changed", share(found.changed_share), words.moved(found))
        first = found.metric("recall@1")
        number(
            "Recall@1", f"{first.tuned.mean:.3f}",
            f"With the base {first.base.mean:.3f}. It can rise while a topic's geometry collapses: see Drift.",
        )  # fmt: skip


def _metrics(found: RankDiff) -> None:
    fig = charts.metric_changes(found.metrics)
    downloads.picture(
        fig,
        key="ranks_metrics",
        name="rank_metrics",
        quiet=True,
        about="Each metric of retrieval before and after, with intervals.",
    )
    st.caption(words.METRICS_READ)
    with st.expander("The same as a table"):
        table = pd.DataFrame(
            {
                "metric": [spelt(one.metric) for one in found.metrics],
                "base": [one.base.mean for one in found.metrics],
                "tuned": [one.tuned.mean for one in found.metrics],
                "difference": [one.test.difference for one in found.metrics],
                "low": [one.test.low for one in found.metrics],
                "high": [one.test.high for one in found.metrics],
                "p": [one.test.p_value for one in found.metrics],
                "p (Holm)": [one.corrected for one in found.metrics],
                "better": [one.test.wins for one in found.metrics],
                "equal": [one.test.ties for one in found.metrics],
                "worse": [one.test.losses for one in found.metrics],
            }
        )
        three = {name: st.column_config.NumberColumn(format="%.3f") for name in ("base", "tuned")}
        signed = {name: st.column_config.NumberColumn(format="%+.3f") for name in ("difference", "low", "high")}
        chance = {name: st.column_config.NumberColumn(format="%.2g") for name in ("p", "p (Holm)")}
        st.dataframe(table, hide_index=True, column_config=three | signed | chance)
        downloads.offer_table(table, name="rank_metrics")
    with st.container(horizontal=True):
        downloads.offer_result(found, name="ranks")


def _topics(found: RankDiff) -> None:
    st.subheader("On which topics did it help, and on which did it harm?")
    metric = one_metric_of_few(
        "Metric", TOPIC_METRICS, key="ranks_topic_metric", help="The metric whose change is drawn for each topic."
    )
    downloads.picture(
        charts.topic_changes(found.topics, metric),
        key="ranks_topics",
        name="rank_topics",
        quiet=True,
        about="How each topic's metric changed, with intervals.",
    )
    st.caption(words.TOPICS_READ)
    with st.expander("All topics as a table"):
        table = pd.DataFrame(
            {
                "topic": [one.topic for one in found.topics],
                "queries": [one.queries for one in found.topics],
                "improved": [one.improved for one in found.topics],
                "same": [one.same for one in found.topics],
                "worse": [one.worse for one in found.topics],
                **{
                    f"{spelt(name)} {side}": [getattr(one.test(name), field) for one in found.topics]
                    for name in TOPIC_METRICS
                    for side, field in (("base", "mean_a"), ("tuned", "mean_b"))
                },
                f"p ({spelt(metric)}, Holm)": [one.p_value(metric) for one in found.topics],
            }
        )
        plainly = {name: st.column_config.NumberColumn(format="%.3f") for name in table.columns if " " in name}
        plainly[f"p ({spelt(metric)}, Holm)"] = st.column_config.NumberColumn(format="%.2g")
        st.dataframe(table, hide_index=True, column_config=plainly)
        downloads.offer_table(table, name="rank_topics")
