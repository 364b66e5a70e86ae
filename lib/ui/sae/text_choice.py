"""A text to look at: one that is typed, or one of the corpus, and its embedding."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.neighbours import search
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.sae_space import SaeSpace

MOST_OFFERED = 2_000  # texts of the corpus in the list
_MOST_CHARACTERS = 5_000
_NEIGHBOURS = 20  # looked through for one that reads differently


@dataclass(frozen=True, eq=False)
class ChosenText:
    """A text and its embedding."""

    text: str
    """As it was typed, or as it stands in the corpus."""
    row: int | None
    """Its row in the corpus; None where it is none of it."""
    vector: NDArray[np.floating]
    """Its embedding, shape (d,)."""


def choose_text(space: SaeSpace, *, key: str, label: str, row: int = 0) -> ChosenText:
    """Draw the choice: what is typed goes first; where nothing is, the text chosen of the corpus, at the start `row`.

    The embedding of a text of the corpus is at hand; for any other the encoder is opened.
    """
    texts, ids = space.space.corpus.texts, space.space.corpus.ids
    typed = ""
    if space.space.checkpoint is not None:
        typed = st.text_area(
            label, key=key, bind="query-params", persist_state="session", max_chars=_MOST_CHARACTERS, height=96,
            placeholder="Type or paste a text, or choose one below",
            help="What you type goes before the text chosen below; it is encoded here and sent to nobody.",
        )  # fmt: skip
    options = [_option(ids[place], texts[place]) for place in range(min(len(texts), MOST_OFFERED))]
    chosen = st.selectbox(
        "or one of the corpus" if space.space.checkpoint is not None else label, options,
        index=min(row, len(options) - 1), key=f"{key}_of_corpus", bind="query-params", persist_state="session",
        on_change=_forget, args=(key,),
        help=None if len(options) == len(texts) else f"The first {count(MOST_OFFERED)} of {count(len(texts))} are "
        "listed; type any other.",
    )  # fmt: skip
    if typed and typed.strip():
        return _typed(space, typed.strip())
    place = options.index(chosen) if chosen in options else min(row, len(options) - 1)
    return ChosenText(texts[place], place, np.asarray(space.space.vectors[place]))


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def nearest_other(vectors_key: str, row: int, _space: SaeSpace) -> int:
    """Row of the text nearest by cosine to that in `row` which reads differently; `row` itself where there is none."""
    texts, vectors = _space.space.corpus.texts, _space.space.vectors
    most = min(_NEIGHBOURS, len(texts) - 1)
    asked = np.asarray(vectors[row : row + 1], dtype=np.float32)
    length = float(np.linalg.norm(asked))
    if not most or not length:
        return row
    try:
        rows, _ = search(asked / length, vectors, most, exclude=np.array([row]))
    except InputError:  # a text without any token, whose vector has no direction, is among them
        return (row + 1) % len(texts)
    offered = (int(other) for other in rows[0] if other < MOST_OFFERED)
    return next((other for other in offered if texts[other] != texts[row]), row)


def _typed(space: SaeSpace, text: str) -> ChosenText:
    corpus, checkpoint = space.space.corpus, space.space.checkpoint
    if text in corpus.texts:
        row = corpus.texts.index(text)
        return ChosenText(text, row, np.asarray(space.space.vectors[row]))
    if checkpoint is None:
        raise ValueError("without an encoder no text can be typed")
    return ChosenText(
        text, None, resources.embed_now((text,), checkpoint, role="document", precision=space.space.precision)[0]
    )


def _option(text_id: str, text: str) -> str:
    line = " ".join(text[:400].split())
    return f"{text_id} · {line if len(line) <= 90 else line[:89] + '…'}"


def _forget(key: str) -> None:
    st.session_state[key] = ""
