"""The corpus and the query set in an encoder's space, for a page that goes on where one of them cannot be had."""

from dataclasses import dataclass

import streamlit as st

from lib.encoders import PACKAGED
from lib.ui.chosen import Chosen
from lib.ui.encoding import encoded_or_none, tell_of_cut
from lib.ui.geometry.cached import warm_up
from lib.ui.query_space import QuerySpace, read_by
from lib.ui.workspace import Space

WAITING = "Its texts are not encoded yet: begin that here."


@dataclass(frozen=True)
class Missing:
    """Why there is no space, and which choice of the sidebar mends it."""

    why: str
    """One sentence."""
    key: str = ""
    """Key of that choice; empty where the button that helps is drawn already."""
    value: str = "Sample"
    """The value that mends it."""

    def offer(self, what: str) -> None:
        """A button that mends it."""
        if self.key:
            label = "Open the packaged encoder instead" if self.key == "encoder" else f"Open the sample {what} instead"
            st.button(
                label, on_click=_choose, args=(self.key, self.value), icon=":material/article:", key=f"instead_{what}"
            )  # fmt: skip


def corpus_in(of: Chosen) -> Space | Missing:
    """The corpus in the encoder's space; its encoding is begun, or offered, where this is called."""
    choice, encoder = of.corpus, of.encoder
    if choice is None or choice.corpus is None or choice.fault:
        why = "Choose a corpus in the sidebar." if choice is None else choice.fault or choice.todo or ""
        return Missing(why, "corpus")
    texts = choice.corpus
    if texts.embeddings is not None:
        return Space(texts, None, "float32", texts.embeddings, texts.key, texts.key)
    if encoder.checkpoint is None:
        return Missing(str(encoder.fault), "encoder", PACKAGED)
    made = encoded_or_none(texts.key, texts.texts, encoder.checkpoint, encoder.precision, meanwhile=warm_up)
    if made is None:
        return Missing(WAITING)
    tell_of_cut(made.truncated, len(texts), "texts", encoder.checkpoint)
    return Space(texts, encoder.checkpoint, encoder.precision, made.vectors, f"{made.key}/{texts.key}", made.key)


def queries_in(of: Chosen) -> QuerySpace | Missing:
    """The query set in the encoder's space, likewise."""
    choice, encoder = of.queries, of.encoder
    if choice is None or choice.query_set is None or choice.fault:
        why = "Choose a query set in the sidebar." if choice is None else choice.fault or choice.todo or ""
        return Missing(why, "queries")
    if encoder.checkpoint is None:
        return Missing(str(encoder.fault), "encoder", PACKAGED)
    return read_by(choice.query_set, encoder.checkpoint, encoder.precision) or Missing(WAITING)


def _choose(key: str, value: str) -> None:
    st.session_state[key] = value
