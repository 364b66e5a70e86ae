"""A query against two documents, token by token: margins, and where each document matches."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import retrieval_late as charts
from lib.encoders import TokenVectors
from lib.encoders.spelling import readable
from lib.retrieval.late import MaxSim, maxsim
from lib.ui import downloads, resources
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain
from lib.ui.retrieval import late_cached as cached
from lib.ui.retrieval.late_cached import Source
from lib.ui.retrieval.late_texts import Contest

_NAMES = ("document 1", "document 2")


def show_pair(source: Source, contest: Contest, *, special: bool) -> None:
    """Draw both meetings, and the single vectors' verdict beside them."""
    query = cached.tokens(source, contest.query, role="query")
    documents = [cached.tokens(source, text, role="document") for text in (contest.first, contest.second)]
    asked = query.scored(special=special)
    chosen = [side.scored(special=special) for side in documents]
    found = [
        maxsim(query.vectors[asked], side.vectors[rows], normalise=False)
        for side, rows in zip(documents, chosen, strict=True)
    ]
    cosines = _cosines(source, contest)
    names = _names(query, asked)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found, cosines)
    with picture:
        downloads.picture(
            charts.token_margins(found[0], found[1], names, _NAMES),
            key="late_margins",
            about="What each word of the query gives to the first document over the second.",
        )
        st.caption(_reading(found, cosines, contest))
    _table(contest, documents, found, cosines)
    span = charts.similarity_span(*found)
    for side, rows, result, name, text in zip(
        documents, chosen, found, _NAMES, (contest.first, contest.second), strict=True
    ):
        st.subheader(f"Where does {name} match?")
        st.caption(plain(text))
        grid = charts.maxsim_grid(result, names, _names(side, rows), span=span)
        downloads.picture(
            grid,
            key=f"late_{name.replace(' ', '_')}",
            about=f"How well each word of the query matches each word of {name}.",
        )
        _say_drawn(result, len(asked), len(rows), side)
    with st.container(horizontal=True):
        for result, name in zip(found, _NAMES, strict=True):
            label = f"{name.capitalize()} as JSON"
            downloads.offer_result(result, name=f"maxsim_{name.replace(' ', '_')}", label=label)


def _names(of: TokenVectors, rows: NDArray[np.int64]) -> list[str]:
    spelt = readable(of.tokens)
    return [spelt[row] for row in rows]


def _cosines(source: Source, contest: Contest) -> tuple[float, float]:
    """Of the single vectors that the encoder in the sidebar gives."""
    space = source.space
    query = resources.embed_now((contest.query,), space.checkpoint, role="query", precision=space.precision)
    both = resources.embed_now(
        (contest.first, contest.second), space.checkpoint, role="document", precision=space.precision
    )
    lengths = np.linalg.norm(query) * np.linalg.norm(both, axis=1)
    first, second = (both @ query[0]) / np.where(lengths > 0, lengths, 1)
    return float(first), float(second)


def _numbers(found: list[MaxSim], cosines: tuple[float, float]) -> None:
    number(
        "MaxSim margin",
        f"{found[0].score - found[1].score:+.2f}",
        f"Document 1 less document 2, summed over the query's {len(found[0].best)} tokens.",
    )
    number(
        "Margin a token",
        f"{found[0].mean - found[1].mean:+.3f}",
        "The MaxSim margin divided by the query's tokens: on the scale of the cosine margin.",
    )
    number("Cosine margin", f"{cosines[0] - cosines[1]:+.3f}", "Document 1 less document 2, single vectors.")


_TIE = 5e-4
"""Margins below it are shown as 0."""


def _reading(found: list[MaxSim], cosines: tuple[float, float], contest: Contest) -> str:
    late, single = found[0].mean - found[1].mean, cosines[0] - cosines[1]
    right = "the relevant one" if contest.known else "the first"
    both = (
        "One of the two cannot tell the documents apart"
        if min(abs(late), abs(single)) < _TIE
        else {
            (True, True): f"Both put document 1, {right}, first",
            (False, False): f"Both put document 2 above {right}",
            (True, False): f"MaxSim puts document 1, {right}, first; the single vectors do not",
            (False, True): f"The single vectors put document 1, {right}, first; MaxSim does not",
        }[(late > 0, single > 0)]
    )
    return (
        f"Each line is a token of the query with its most similar token in either document; the line's length is its "
        f"part of the margin. {both}: {late:+.3f} a query token by MaxSim, {single:+.3f} by cosine. One pair of "
        "documents proves nothing about either way of scoring: below, the whole query set does."
    )


def _table(contest: Contest, documents: list[TokenVectors], found: list[MaxSim], cosines: tuple[float, float]) -> None:
    table = pd.DataFrame(
        {
            "document": _NAMES,
            "judged": ["relevant", "not relevant"] if contest.known else ["", ""],
            "MaxSim": [result.score for result in found],
            "a query token": [result.mean for result in found],
            "cosine": cosines,
            "tokens": [result.grid.shape[1] for result in found],
            "cut": ["cut" if side.truncated else "" for side in documents],
            "text": [contest.first, contest.second],
        }
    )
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("MaxSim", "a query token", "cosine")}
    downloads.table(
        table,
        name="late_words",
        hide_index=True,
        column_config={**digits, "text": st.column_config.TextColumn(width="large")},
    )


def _say_drawn(result: MaxSim, query: int, document: int, side: TokenVectors) -> None:
    told = (
        "Query tokens down, document tokens across, set as lines of text. Amber cells are alike, violet ones are not, "
        "on one scale for both documents; the diamond is each query token's best match, and the diamonds' similarities "
        "add up to the score."
    )
    if document > charts.MOST_TOKENS:
        told += f" The first {count(charts.MOST_TOKENS)} of {count(document)} document tokens are drawn; all count."
    if query > charts.MOST_QUERY_TOKENS:
        told += f" The first {count(charts.MOST_QUERY_TOKENS)} of {count(query)} query tokens are drawn; all count."
    if side.truncated:
        told += " The document is longer than what is read: its end is missing here."
    st.caption(told)
