"""The pictures of the comparison, each with how to read it."""

from math import isfinite

import streamlit as st

from lib.charts import retrieval_comparison as charts
from lib.numerals import spelt
from lib.retrieval import PairedTest, Summary
from lib.retrieval.comparison import Comparison
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.contenders import Entry
from lib.ui.retrieval.speeds import TIMED, with_speeds

_SURE = 0.001  # p-values below are not told apart
_BESIDE = ("ndcg@10", "recall@10", "mrr")  # shown next to the metric compared
_HARD = "topics (sample)"
_HARD_FOR_WORDS = (
    "The near misses of this sample were written to share the words of the query and its answers not to, so BM25 does "
    "far worse here than on the public sets measured in docs/retrieval.md."
)


def quality(result: Comparison, name_of_set: str) -> None:
    """The best mean, and every system's means with their intervals."""
    best = max(result.contenders, key=lambda contender: contender.summary(result.metric).mean)
    found, name = best.summary(result.metric), plain(best.name)
    numbers, picture = numbers_over_picture()
    with numbers:
        number(
            "Best mean",
            f"{found.mean:.3f}",
            f"{spelt(result.metric)} of {name}; 95 % interval {_interval(found)} over {_queries(result.queries)}.",
        )
        if best.test is not None:
            number(
                "Ahead by",
                f"{best.test.difference:.3f}",
                f"{name} less {plain(result.baseline)}; 95 % interval {_interval(best.test)}.",
            )
            at = result.names.index
            p_value = float(result.corrected[at(best.name), at(result.baseline)])
            number(
                "p-value",
                f"{p_value:.2g}" if p_value >= _SURE else f"< {_SURE:g}",
                "Share of random swaps of the two systems' results, query by query, that give a difference as large, "
                "corrected (Holm) for all pairs of systems here. Below 0.05 luck is an unlikely reason.",
            )
    with picture:
        downloads.picture(
            charts.quality_forest(result, _shown(result.metric)),
            key="compare_quality",
            about="Each system's mean quality, with intervals.",
        )
        st.caption(
            f"Means over {_queries(result.queries)} with 95 % bootstrap intervals; hollow and dashed is what the "
            "others are held against. Overlapping intervals do not make two systems equal: the next picture compares "
            "them query by query. Intervals cover the choice of queries, not wrong or missing judgements, which favour "
            "the kind of system that the judged documents were found with."
        )
    if name_of_set == _HARD:
        tell([_HARD_FOR_WORDS])
    if result.skipped:
        tell([f"{_queries(result.skipped)} without a relevant document left out."])


def difference(result: Comparison) -> None:
    """Each system against the baseline, query by query."""
    st.subheader("Could the difference be luck?")
    baseline = plain(result.baseline)
    downloads.picture(
        charts.difference_forest(result),
        key="compare_difference",
        about="The difference of each system to the baseline, with intervals.",
    )
    st.caption(
        f"Mean difference in {spelt(result.metric)} to {baseline} on the same queries, with its 95 % interval. Filled "
        "and pointing away from 0: the interval leaves 0 out, so another draw of such queries would most likely agree. "
        "Hollow: this query set cannot tell."
    )
    downloads.picture(
        charts.outcome_bars(result),
        key="compare_outcomes",
        about="On how many queries each system wins, ties and loses against the baseline.",
    )
    st.caption(
        f"On how many queries each system beats {baseline}. A small mean difference can be many queries won and as "
        "many lost: then the two find different documents, and a combination may beat both."
    )


def speed(space: QuerySpace, entries: list[Entry], result: Comparison) -> Comparison:
    """Quality against speed; the comparison is returned with the speeds that are known."""
    st.subheader("What does quality cost?")
    result = with_speeds(space, entries, result)
    if sum(contender.documents_per_second is not None for contender in result.contenders) < 2:
        return result
    downloads.picture(
        charts.quality_against_speed(result),
        key="compare_speed_chart",
        name="compare_speed",
        about="Each system's quality against its speed.",
    )
    st.caption(
        "Up is better, right is faster; a larger mark takes more bytes a document. Speed is measured on this machine "
        f"now: encoders on up to {TIMED} documents drawn from this set, BM25 on indexing all of them. Other work on "
        "the machine lowers it; vectors cut short take as long to make."
    )
    return result


def _shown(metric: str) -> list[str]:
    return list(dict.fromkeys([metric, *_BESIDE]))[:3]


def _queries(number_of: int) -> str:
    return "1 query" if number_of == 1 else f"{count(number_of)} queries"


def _interval(found: Summary | PairedTest) -> str:
    """Its ends; one query alone has none."""
    return f"{found.low:.3f} to {found.high:.3f}" if isfinite(found.low) else "unknown"
