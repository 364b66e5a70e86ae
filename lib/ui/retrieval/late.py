"""Which words match? A query against two competing documents, token by token, beside their single vectors."""

import streamlit as st

from lib.errors import InputError
from lib.ui.controls import one_of
from lib.ui.messages import plain, refuse
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import late_cached as cached
from lib.ui.retrieval.late_cached import Source
from lib.ui.retrieval.late_pair import show_pair
from lib.ui.retrieval.late_rerank import show_rerank
from lib.ui.retrieval.late_texts import choose_texts
from lib.ui.retrieval.measure_notice import tell_cosine

_OURS, _THEIRS = "this encoder", "a ColBERT checkpoint"
_WORDS, _ALL = "words only", "all"


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("Which words match?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = _choose_source(space)
        special = _choose_tokens(source) if source else False
    if source is None:
        return
    _say_what_it_is(source)
    tell_cosine(
        "MaxSim is defined by the cosine of tokens, and the single vectors beside it have to be on its scale. What is "
        "searched, rivals from this query set and documents to rerank, goes by the similarity chosen above."
    )
    contest = choose_texts(space)
    if contest is not None:
        show_pair(source, contest, special=special)
    show_rerank(source, special=special)


def _choose_source(space: QuerySpace) -> Source | None:
    """Whose token vectors; None, and what to do, where they cannot be had."""
    kind = one_of(
        "Tokens of", [_OURS, _THEIRS], key="late_encoder",
        help="This encoder: the last hidden state of each token. A ColBERT checkpoint was trained for this.",
    )  # fmt: skip
    if kind == _OURS:
        return Source(space, None)
    name = st.text_input(
        "ColBERT checkpoint", key="late_checkpoint", bind="query-params", persist_state="session", max_chars=300,
        placeholder="hub id (owner/name) or folder", width=340,
        help="In the layout of sentence-transformers' multi-vector encoder, PyLate, or Stanford's ColBERT, with "
        "safetensors. Code that comes with it is never run.",
    )  # fmt: skip
    if not (name or "").strip():
        st.info("Name a ColBERT checkpoint, for example lightonai/GTE-ModernColBERT-v1 or colbert-ir/colbertv2.0.")
        return None
    found = cached.checkpoint(str(name))
    if isinstance(found, InputError):
        refuse(found)
        return None
    return Source(space, found)


def _choose_tokens(source: Source) -> bool:
    """Whether special tokens count; a ColBERT checkpoint was trained with them, a plain encoder was not."""
    options, key = ([_ALL, _WORDS], "late_colbert_tokens") if source.late else ([_WORDS, _ALL], "late_tokens")
    return one_of(
        "Tokens that count", options, key=key,
        help="words only: the text's own tokens. all: special tokens ([CLS], [SEP]), those of the prompt, markers and "
        "query expansion as well, as far as the checkpoint scores them.",
    ) == _ALL  # fmt: skip


def _say_what_it_is(source: Source) -> None:
    if source.late:
        st.caption(f"{plain(source.name)} was trained for this: {source.dimensions} dimensions a token.")
    elif source.space.checkpoint.kind == "static":
        st.caption(
            "This encoder has one fixed vector for each token, whatever stands around it: matches are those of the "
            "words alone. It was trained to give one vector for a text, not for late interaction."
        )
    else:
        st.caption(
            "This encoder was trained to give one vector for a text, not for late interaction. Its last hidden "
            "states are used as they are: they show what its tokens hold, not what a trained ColBERT could do."
        )
