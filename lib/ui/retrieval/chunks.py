"""What is lost in long documents? What the encoder does not read of them, and whether passages bring it back."""

import pandas as pd
import streamlit as st

from lib.charts.retrieval_chunks import length_histogram
from lib.embeddings import Embeddings
from lib.retrieval.chunking import OVERLAP, SIZE, Chunks, CutDocuments
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, share, tell
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import chunks_cached as cached
from lib.ui.retrieval import measure
from lib.ui.retrieval.chunks_effect import show_effect
from lib.ui.retrieval.measure_notice import tell_linear_gain

_SHOWN_CHARACTERS = 200


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("What is lost in long documents?")
    with st.container():  # of its own, so that what spins in it moves nothing beneath
        lengths = cached.cut(space)
    _lengths(lengths)
    if lengths.cut:
        _list_worst(space, lengths)
    st.subheader("Do passages find what whole documents hide?")
    size, overlap = _choose(lengths)
    with st.container():
        made = cached.passages(space, size, overlap)
    if not _say_passages(made, lengths):
        return
    if not space.queries.relevant.any():
        st.info("No query has a relevant document, so nothing can be measured: add judgements above 0 first.")
        return
    vectors = _embedded(space, made)
    if vectors is None:
        return
    result = cached.comparison(space, measure.chosen(), made, vectors)
    if result is not None:
        tell_linear_gain(space.queries)
        show_effect(result)


def _lengths(lengths: CutDocuments) -> None:
    numbers, picture = numbers_over_picture()
    with numbers:
        number(
            "Documents cut",
            f"{count(lengths.cut)} ({share(lengths.cut / lengths.items)})",
            f"Of {count(lengths.items)}: those with more tokens than are read.",
            wide=True,
        )
        number("Tokens lost", share(lengths.lost_share), "Share of all tokens of all documents that is never read.")
        number("Longest", count(int(lengths.tokens.max())), "Tokens of the longest document, as this encoder counts.")
    with picture:
        downloads.picture(
            length_histogram(lengths),
            key="chunks_lengths",
            about="How long the documents are in tokens, and where the encoder stops reading.",
        )
        st.caption(_reading(lengths))


def _reading(lengths: CutDocuments) -> str:
    if lengths.room is None or lengths.max_tokens is None:
        return (
            "This encoder has no maximum length: it reads every document whole, and nothing is lost. Whether one "
            "vector can hold a long document is another question; passages below answer it for this query set."
        )
    end = (
        "Everything after the line is never read, without a word."
        if lengths.cut
        else "No document is longer, so nothing is lost here."
    )
    return (
        f"The encoder reads {count(lengths.max_tokens)} tokens of a text: {count(lengths.room)} of the document's own, "
        f"the rest are special tokens and the prompt. {end} A lost end matters only where the answer stands there."
    )


def _list_worst(space: QuerySpace, lengths: CutDocuments) -> None:
    worst, queries = cached.worst(space), space.queries
    table = pd.DataFrame(
        {
            "id": [queries.document_ids[row] for row in worst.rows],
            "tokens": lengths.tokens[worst.rows],
            "lost": lengths.lost[worst.rows],
            "% lost": 100 * lengths.lost[worst.rows] / lengths.tokens[worst.rows],
            "begins": [queries.documents[row][:_SHOWN_CHARACTERS] for row in worst.rows],
            "unread from here": worst.unread,
        }
    )
    downloads.table(
        table,
        name="cut_documents",
        hide_index=True,
        height=280,
        column_config={"% lost": st.column_config.ProgressColumn(min_value=0.0, max_value=100.0, format="%.0f")},
    )
    if lengths.cut > len(worst.rows):
        st.caption(f"The {count(len(worst.rows))} that lose most of {count(lengths.cut)}; the JSON has all.")
    downloads.offer_result(lengths, name="cut_documents")


def _choose(lengths: CutDocuments) -> tuple[int, int]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.number_input(
            "Tokens in a passage", 1, 100_000, SIZE, key="chunk_size", bind="query-params", persist_state="session",
            width=170, help="As this encoder counts; lowered to what it reads. 256 to 512 is a usual choice.",
        )  # fmt: skip
        overlap = st.number_input(
            "of which shared", 0, 99_999, OVERLAP, key="chunk_overlap", bind="query-params", persist_state="session",
            width=170, help="Tokens that it shares with the one before: what one tears is whole in the other.",
        )  # fmt: skip
    return int(size), int(overlap)


def _say_passages(made: Chunks, lengths: CutDocuments) -> bool:
    """Tell what the passages are; whether there is anything to compare."""
    if not made.split:
        st.info(
            f"No document is longer than {counted(made.size, 'token')}, so every passage would be a whole document. "
            "Passages can be made shorter to see what one vector for a document costs."
        )
        return False
    told = [
        f"{count(made.split)} of {count(made.items)} documents are cut into passages: "
        f"{counted(len(made.texts), 'vector')} instead of {count(made.items)}, "
        f"{len(made.texts) / made.items:.3g} times the memory. A document scores what its best passage scores."
    ]
    if made.size < made.asked_size:
        told.append(
            f"Passages have {count(made.size)} tokens instead of {count(made.asked_size)}: that is what is read."
        )
    if made.shortened:
        told.append(
            f"{counted(made.shortened, 'document')} had to be cut into shorter ones, since a passage alone is "
            "tokenised otherwise than within its document."
        )
    tell(told)
    return True


def _embedded(space: QuerySpace, made: Chunks) -> Embeddings | None:
    """The passages' embeddings; None while they must be encoded and the user has not asked for it."""
    left = cached.missing(space, made)
    if left:
        work = f"chunks_{space.key[:12]}_{made.asked_size}_{made.overlap}"
        about = f"{counted(left, 'passage')} to be encoded. What is encoded is kept, so it can be stopped."
        if not started(work, "Encode them", about=about):
            return None
        with stoppable(work, "Encoding passages") as tell_done:
            cached.embeddings(space, made, progress=tell_done)
    return cached.embeddings(space, made)
