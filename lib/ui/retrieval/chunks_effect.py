"""What passages did to the metrics, over all queries and by whether the answer was cut."""

import streamlit as st

from lib.charts.retrieval_contrasts import difference_forest
from lib.retrieval.pooled import ChunkComparison
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count
from lib.ui.retrieval.contrast_table import contrast_table


def show_effect(result: ChunkComparison) -> None:
    """Draw what passages did to the metrics."""
    ndcg = next(test for test in result.tests if test.metric == "ndcg@10")
    numbers, picture = numbers_over_picture()
    with numbers:
        number("NDCG@10, whole", f"{ndcg.mean_a:.3f}", "One vector a document, of what is read of it.")
        number("NDCG@10, passages", f"{ndcg.mean_b:.3f}", f"{ndcg.difference:+.3f}, p = {ndcg.p_value:.2g}.")
        if result.tests_cut:
            number(
                "Cut answers",
                f"↑ {count(result.closer)} ↓ {count(result.further)}",
                f"Relevant documents that are cut: nearer to the top with passages, or further down; "
                f"{count(result.unmoved)} stay.",
            )
    cases = [("all queries", result.tests)]
    if result.tests_cut and result.tests_whole:
        cases += [("the answer is cut", result.tests_cut), ("the answer is read whole", result.tests_whole)]
    with picture:
        downloads.picture(
            difference_forest(cases, x="difference: passages less documents (above 0: passages are better)"),
            key="chunks_effect",
            about="What passages change in each metric, with intervals.",
        )
        st.caption(_reading(result))
    contrast_table(cases)
    downloads.offer_result(result, name="chunks")


def _reading(result: ChunkComparison) -> str:
    where = (
        " The answer is cut where a relevant document is longer than what is read. Queries whose answer is read whole "
        "can lose: other documents now compete with their best passage."
        if result.tests_cut and result.tests_whole
        else ""
    )
    return (
        f"Mean differences over {count(result.tests[0].queries)} queries with 95 % intervals, filled where p < 0.05."
        f"{where} More vectors a document also mean more chances for a wrong one, and more memory."
    )
