"""The worst queries of the Hard negatives view side by side, and the triplets that can be trained on."""

import pandas as pd
import streamlit as st

from lib.retrieval.negatives import HardNegatives
from lib.retrieval.triplets import Triplets, triplet_lines, triplet_table
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.file_names import file_name
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.negatives_asked import Asked
from lib.ui.retrieval.negatives_cached import Pool, Wanted, made

_LISTED = 50
_MARKS = {False: "", True: "◇ maybe unlabelled"}
_AGREED = "◆ cross-encoder agrees"
_FROM = {
    "mined": "Negatives are the encoder's own hardest.",
    "explicit": "Documents judged 0 come first, wherever they rank, then the encoder's own hardest.",
    "BM25": "Negatives come in BM25's order; margins look at the encoder's scores.",
}


def show_worst(space: QuerySpace, found: HardNegatives) -> None:
    """The queries with the smallest gaps: one of them read in full, then the table."""
    st.subheader("Which negatives come too close?")
    worst = found.worst[:_LISTED]
    at = int(
        st.number_input(
            "Read the pair number", 1, len(worst), 1, key="negatives_pair", bind="query-params", width=180,
            help="1 is the query with the smallest gap; the numbers are those of the table beneath.",
        )
    )  # fmt: skip
    _side_by_side(space, found, int(worst[min(at, len(worst)) - 1]))
    documents = space.queries.documents
    table = pd.DataFrame(
        {
            "number": range(1, len(worst) + 1),
            "gap": found.gap[worst],
            "query": [space.queries.queries[found.query[row]] for row in worst],
            "best true document": [documents[found.positive[row]] for row in worst],
            "hardest negative": [documents[found.negative[row]] for row in worst],
            "true score": found.positive_score[worst],
            "negative score": found.negative_score[worst],
            "mark": [_mark(found, int(row)) for row in worst],
        }
    )
    score, wide = st.column_config.NumberColumn(format="%.3f"), st.column_config.TextColumn(width="medium")
    columns = {"gap": score, "true score": score, "negative score": score}
    downloads.table(
        table,
        name="hard_negatives",
        hide_index=True,
        column_config={**columns, "best true document": wide, "hardest negative": wide},
    )
    st.caption(
        f"The {count(len(worst))} smallest gaps of {count(len(found.gap))}. ◇ nobody judged this negative and it "
        "scores above the true document, so it may be a true one without a label; ◆ a cross-encoder thinks so too. "
        "“judged 0” means that somebody did say that it is not relevant."
    )


def _mark(found: HardNegatives, row: int) -> str:
    if found.agreed is not None and found.agreed[row]:
        return _AGREED
    return "judged 0" if found.explicit[row] else _MARKS[bool(found.suspicious[row])]


def _side_by_side(space: QuerySpace, found: HardNegatives, row: int) -> None:
    st.markdown(f"**{plain(space.queries.queries[found.query[row]])}**")
    left, right = st.columns(2)
    for column, title, document, score in (
        (left, "Best true document", found.positive[row], found.positive_score[row]),
        (right, "Hardest negative", found.negative[row], found.negative_score[row]),
    ):
        mark = _mark(found, row) if column is right else ""
        with column.container(border=True):
            st.caption(f"{title} · {score:.3f}{f' · {mark}' if mark else ''}")
            st.markdown(plain(space.queries.documents[document]))


def show_triplets(space: QuerySpace, of: Pool, asked: Asked | None) -> None:
    """Settings, counts and downloads of the triplets, out of the negatives that are chosen above."""
    st.subheader("Triplets to train on")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        negatives = st.number_input(
            "Negatives a pair", 1, 20, 1, key="triplets_negatives", bind="query-params", width=160,
            help="For each query with each of its relevant documents: this many, hardest first.",
        )  # fmt: skip
        margin = st.number_input(
            "Margin", 0.0, 10.0, 0.0, 0.01, key="triplets_margin", bind="query-params", width=160,
            help="A negative that nobody judged has to score this much below its true document, else it is suspicious: "
            "absolute_margin of mine_hard_negatives in sentence-transformers.",
        )  # fmt: skip
        relative = st.number_input(
            "Relative margin", 0.0, 1.0, 0.0, 0.01, key="triplets_relative", bind="query-params", width=160,
            help="The same as a share of the true document's score, .05 being 95 % of it at most: relative_margin of "
            "mine_hard_negatives. The wider of the two margins counts.",
        )  # fmt: skip
        doubtful = one_of(
            "Suspicious ones", ["left out", "marked"], key="triplets_doubtful",
            help="Negatives that may be unlabelled true documents. Left out: all but those that a cross-encoder was "
            "asked about and does not put above the true document. Marked: all stay, with a column that says so.",
        )  # fmt: skip
    keep = doubtful == "marked"
    found = made(space, of, Wanted(int(negatives), float(margin), float(relative), keep), asked)
    numbers, picture = numbers_over_picture()
    with numbers:
        number("Triplets", count(len(found.query)), "Query, true document, negative.")
        if keep:
            number("Marked", count(int(found.suspicious.sum())), "Triplets whose negative is suspicious.")
        else:
            number("Passed over", count(found.left_out), "Suspicious candidates that stood before the one taken.")
            if found.asked.any():
                number(
                    "Cleared", count(int(found.suspicious.sum())),
                    "Suspicious ones that stay: the cross-encoder does not put them above their true document.",
                )  # fmt: skip
        number("Pairs without", count(found.without), "Query and true document for which no negative was left.")
    with picture:
        _offer(space, found, keep=keep)


def _offer(space: QuerySpace, found: Triplets, *, keep: bool) -> None:
    st.caption(
        f"{_FROM[found.source]} "
        "The JSON Lines have the columns anchor, positive, negative, which sentence-transformers trains on as they are"
        + (", and suspicious: filter by it and drop it before training. " if keep else ". ")
        + "The tables add ids, scores, whether the negative was judged, and whether a cross-encoder agrees that a "
        "suspicious one belongs above the true document. Training on these and measuring on the same "
        "queries would flatter the model: keep some queries apart."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Triplets as JSON Lines", lambda: triplet_lines(space.queries, found, marks=keep).encode(),
            file_name("triplets", "jsonl"), "application/jsonl", icon=":material/download:", key="triplets_lines",
            on_click="ignore",
            disabled=not len(found.query),
        )  # fmt: skip
        downloads.offer_table(triplet_table(space.queries, found), name="triplets")
