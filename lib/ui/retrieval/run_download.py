"""A reranked order to take away, as TREC has runs."""

import dataclasses

import numpy as np
import streamlit as st

from lib.corpora import QuerySet
from lib.retrieval import Run
from lib.retrieval.exports import id_notices, trec_run
from lib.retrieval.reranking import Reranked
from lib.ui.file_names import file_name
from lib.ui.messages import count, tell


def offer_run(queries: QuerySet, made: Reranked, *, name: str) -> None:
    """A button that hands the order of the reranked queries over; it is written only when pressed."""
    st.download_button(
        "TREC run, reranked",
        data=lambda: trec_run(queries, reranked_alone(made)).text.encode(),
        file_name=file_name(name, "trec"),
        icon=":material/download:",
        key=f"trec_{name}",
        on_click="ignore",
        help=f"The new order of {count(len(made.rows))} queries. Documents below the first {count(made.top)} follow "
        "as the search had them, with scores that go on falling by 1.",
    )
    tell(id_notices(queries))


def reranked_alone(made: Reranked) -> Run:
    """The run without the queries that were not reranked."""
    left_out = np.ones(len(made.run.documents), dtype=bool)
    left_out[made.rows] = False
    return dataclasses.replace(made.run, documents=np.where(left_out[:, None], -1, made.run.documents))
