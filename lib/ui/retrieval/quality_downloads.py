"""What can be taken away from the Quality view: the report, the table of queries, TREC files."""

import streamlit as st

from lib.retrieval import query_table
from lib.retrieval.exports import id_notices, trec_qrels, trec_run
from lib.ui import downloads
from lib.ui.file_names import file_name
from lib.ui.messages import count, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached, measure
from lib.ui.retrieval.quality_cached import Quality, Report, ranks


def show_downloads(space: QuerySpace, found: Quality) -> None:
    """Draw the buttons; each file is written only when pressed."""
    st.subheader("Take it with you")
    by, queries = measure.chosen(), space.queries
    run = cached.run(space, by)
    downloads.offer_result(Report(space, by, found), name="retrieval")
    downloads.offer_table(query_table(queries, found.metrics, ranks(space, by), run=run), name="queries")
    with st.container(horizontal=True):
        for label, write, name in (
            ("TREC run", lambda: trec_run(queries, run).text.encode(), "run.trec"),
            ("TREC judgements", lambda: trec_qrels(queries).text.encode(), "qrels.trec"),
        ):
            st.download_button(
                label, write, file_name(*name.split(".")), icon=":material/download:", key=f"quality_{name}",
                on_click="ignore",
            )  # fmt: skip
    st.caption(
        f"The tables have one row per query. The run holds the first {count(run.documents.shape[1])} documents of "
        "each; the metrics here look at the whole ranking, so MRR, MAP and deep cut-offs can come out lower elsewhere."
    )
    tell(id_notices(queries))
