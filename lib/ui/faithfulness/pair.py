"""Two documents of one query beside each other, and the difference of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.numerals import minus
from lib.sae.faithfulness import Why
from lib.ui.messages import plain
from lib.ui.sae_space import SaeQuerySpace

_MOST = 500  # characters of a document


@dataclass(frozen=True)
class Shown:
    """A document and what stands over it."""

    document: int
    """Its row in the query set."""
    head: str
    """Its rank, and whether it is relevant."""


def beside(space: SaeQuerySpace, documents: Sequence[Shown]) -> None:
    """Draw the documents in columns."""
    for column, one in zip(st.columns(len(documents)), documents, strict=True):
        text = " ".join(space.space.queries.documents[one.document][: _MOST + 1].split())
        with column.container(border=True, height="stretch"):
            st.caption(plain(f"{one.head} · {space.space.queries.document_ids[one.document]}"))
            st.markdown(plain(f"“{text[:_MOST]}{'…' if len(text) > _MOST else ''}”"))


def sum_of(made: Why) -> str:
    """The first two scores and their difference."""
    first, second = made.scores[:2].tolist()
    return minus(f"{made.measure.capitalize()} {first:.4f} − {second:.4f} = {first - second:+.4f}.")
