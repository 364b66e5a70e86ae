"""What comes back for a query? One ranking: a query of the set, or one that is typed."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import retrieval_search as charts
from lib.retrieval import Measure
from lib.retrieval.ranking import Ranking, query_ranking, unjudged_ranking
from lib.ui import downloads
from lib.ui.faithfulness.links import why_button
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached, measure
from lib.ui.retrieval.search_cached import typed_run
from lib.ui.retrieval.search_indexes import show_indexes
from lib.ui.retrieval.search_measures import show_measures

_MOST_OFFERED = 2_000  # queries of the set in the list
_TOPS = ["5", "10", "20", "50", "100"]


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("What comes back for a query?")
    text, row = _query(space)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = measure.chosen()
        top = st.select_slider(
            "Documents shown", _TOPS, value="10", key="search_top", bind="query-params", persist_state="session",
            width=260,
            help="How many of the first documents are listed.",
        )  # fmt: skip
    if row is None:
        ranking = unjudged_ranking(typed_run(space, text, by))
    else:
        ranking = _of_set(space, row, by)
        st.markdown(f"**{plain(' '.join(text.split()))}**")
        if space.queries.relevant[row]:
            why_button(space.queries.query_ids[row], text, key="search_why")
    _draw(space, ranking, by, min(int(top), ranking.items))
    with st.expander("What do the measures mean, and does the choice matter here?"):
        show_measures(space)
    with st.expander("How fast is an index, and what does it miss?"):
        show_indexes(space, by)


def _query(space: QuerySpace) -> tuple[str, int | None]:
    """The query, and its row where it is one of the set's."""
    texts, ids = space.queries.queries, space.queries.query_ids
    options = [_option(ids[row], texts[row]) for row in range(min(len(texts), _MOST_OFFERED))]
    typing, choosing = st.columns(2)
    typed = typing.text_input(
        "Type a query", key="q", bind="query-params", persist_state="session", max_chars=2_000,
        placeholder="anything you would search for", icon=":material/search:",
        help="Anything you would search for; nobody judged it, so there are results but no marks.",
    )  # fmt: skip
    chosen = choosing.selectbox(
        "or choose one of the set's", options, index=0, key="search_query", bind="query-params",
        persist_state="session", on_change=_forget_typed,
        help=None if len(options) == len(texts) else f"The first {count(_MOST_OFFERED)} of {count(len(texts))} are "
        "listed; type any other.",
    )  # fmt: skip
    typed = (typed or "").strip()
    if typed:
        return typed, (texts.index(typed) if typed in texts else None)
    row = options.index(chosen) if chosen in options else 0
    return texts[row], row


def _option(query_id: str, text: str) -> str:
    line = " ".join(text.split())
    return f"{query_id} · {line if len(line) <= 90 else line[:89] + '…'}"


def _forget_typed() -> None:
    st.session_state["q"] = ""


def _of_set(space: QuerySpace, row: int, by: Measure) -> Ranking:
    return query_ranking(
        space.queries, cached.run(space, by), cached.ranks(space, by), row=row, query_vectors=space.query_vectors,
        document_vectors=space.document_vectors, measure=by,
    )  # fmt: skip


def _draw(space: QuerySpace, ranking: Ranking, by: Measure, top: int) -> None:
    numbers, picture = numbers_over_picture()
    relevant = ranking.relevant_ranks
    if len(relevant):
        with numbers:
            number("First relevant", f"rank {count(int(relevant[0]))}", "Rank of the closest relevant document.")
            number(
                f"Relevant in {top}", f"{(relevant <= top).sum()} of {len(relevant)}",
                f"Relevant documents among the first {top}, of all that were judged relevant to this query.",
            )  # fmt: skip
    with picture:
        values = measure.shown(ranking.scores, by)
        texts = [space.queries.documents[document] for document in ranking.documents]
        downloads.picture(
            charts.value_by_rank(ranking, values, texts, name=measure.value_name(by), shown=top),
            key="search_ranks",
            name="search",
            about="The score of each document of the ranking, from the first rank down; relevant ones are marked.",
        )
        st.caption(_reading(ranking, by, top))
    _list(space, ranking, by, ranking.first(top))
    _missing(space, ranking, by, top)
    downloads.offer_table(_table(space, ranking, by, np.arange(len(ranking.rank))), name="ranking")


def _list(space: QuerySpace, ranking: Ranking, by: Measure, at: NDArray[np.int64]) -> None:
    st.dataframe(
        _table(space, ranking, by, at), hide_index=True,
        column_config={
            "text": st.column_config.TextColumn(width="large"),
            measure.value_name(by): st.column_config.NumberColumn(format="%.4f"),
        },
    )  # fmt: skip


def _reading(ranking: Ranking, by: Measure, top: int) -> str:
    closer = "lower" if by in measure.DISTANCES else "higher"
    judged = (
        "A typed query has no judgements."
        if ranking.row is None
        else "Diamonds were judged relevant; a document that was not judged may be relevant all the same."
    )
    return (
        f"Each mark is a document, the {closer} the closer; right of the dashed line are those beyond the first {top}. "
        f"{judged} A steep step parts a few good matches from the rest. The numbers of two queries or of two encoders "
        "do not compare."
    )


def _table(space: QuerySpace, ranking: Ranking, by: Measure, at: NDArray[np.int64]) -> pd.DataFrame:
    documents = ranking.documents[at]
    values = measure.shown(ranking.scores[at], by)
    columns = {"rank": ranking.rank[at], measure.value_name(by): values}
    if ranking.row is not None:
        columns |= {"relevance": [_grade(int(grade)) for grade in ranking.grade[at]]}
    return pd.DataFrame(
        columns
        | {
            "id": [space.queries.document_ids[document] for document in documents],
            "text": [space.queries.documents[document] for document in documents],
        }
    )


def _grade(grade: int) -> str:
    return {-1: "○ not judged", 0: "✕ judged not relevant"}.get(grade, f"◆ relevant, grade {grade}")


def _missing(space: QuerySpace, ranking: Ranking, by: Measure, top: int) -> None:
    """Relevant documents beyond the first `top`, with their ranks."""
    if ranking.row is None:
        return
    late = ranking.late(top)
    if not len(ranking.relevant_ranks):
        tell(["No document was judged relevant to this query."])
    elif not len(late):
        st.caption(f":material/check: Every document that was judged relevant is among the first {top}.")
    else:
        st.subheader("Which relevant documents are missing?")
        st.caption(
            f"{counted(len(late), 'relevant document')} further down among {count(ranking.items)}. The encoder holds "
            "what comes before to be closer to the query; some of that may be relevant too, and not judged."
        )
        _list(space, ranking, by, late)
