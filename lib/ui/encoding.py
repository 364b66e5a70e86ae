"""Encoding on a page: asked for where it will take long, shown while it runs, stopped when the user says so."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lib.embeddings import Embeddings
from lib.encoders import Checkpoint, Precision, Role
from lib.errors import InputError
from lib.progress import Progress
from lib.ui import resources
from lib.ui.messages import count, counted, refuse, tell

_WHAT: dict[Role, str] = {"document": "texts", "query": "queries"}
_ASK_ABOVE = 5_000  # texts to encode beyond which the page asks first


def encoded(
    key: str,
    texts: Sequence[str],
    checkpoint: Checkpoint,
    precision: Precision,
    *,
    role: Role = "document",
    meanwhile: Callable[[], None] | None = None,
) -> Embeddings:
    """The embeddings of `texts`, whose content hash is `key`. Ends the page where they cannot be had yet.

    `meanwhile` is called where texts must be encoded: it begins what can be done in the background.
    """
    made = encoded_or_none(key, texts, checkpoint, precision, role=role, meanwhile=meanwhile)
    if made is None:
        st.stop()
    return made


def encoded_or_none(
    key: str,
    texts: Sequence[str],
    checkpoint: Checkpoint,
    precision: Precision,
    *,
    role: Role = "document",
    meanwhile: Callable[[], None] | None = None,
) -> Embeddings | None:
    """As `encoded`; None where they cannot be had yet, for a page that has more to show."""
    place = st.empty()
    with place.container():
        try:
            if not _agreed(key, texts, checkpoint, precision, role):
                return None
            made = resources.embeddings(
                key,
                texts,
                checkpoint,
                precision=precision,
                role=role,
                progress=partial(_progress_with_stop, role, meanwhile),
            )
        except InputError as fault:
            refuse(fault)
            return None
    place.empty()
    return made


def tell_of_cut(cut: int, of: int, what: str, checkpoint: Checkpoint) -> None:
    """Say how many of the texts were too long for the encoder, if any."""
    if cut:
        limit = count(checkpoint.max_tokens or 0)
        tell([f"{count(cut)} of {count(of)} {what} are longer than {limit} tokens: only their beginning was read."])


def _agreed(key: str, texts: Sequence[str], checkpoint: Checkpoint, precision: Precision, role: Role) -> bool:
    """False while the user has stopped encoding, or has not yet agreed to encode a large corpus, which is asked."""
    agreed = f"_encode_{role}_{key}_{checkpoint.fingerprint[:16]}_{precision}"
    state = st.session_state.get(agreed)
    if state == "go" or (state is None and len(texts) <= _ASK_ABOVE):
        st.session_state["_encoding"] = agreed
        return True
    left = resources.missing(texts, checkpoint, precision=precision, role=role)
    if not left:
        st.session_state[agreed] = "go"  # later runs need not look again
        return True
    if state == "stopped":
        st.info(f"Stopped: {counted(left, 'text')} still to be encoded; what was done is kept.")
    else:
        st.info(f"{counted(left, 'text')} to be encoded. What is encoded is kept, so it can be stopped.")
    st.button("Encode them", on_click=_set, args=(agreed, "go"), type="primary", icon=":material/play_arrow:")
    return False


def _progress_with_stop(role: Role, meanwhile: Callable[[], None] | None) -> Progress:
    """A bar and a Stop button. Pressing it reruns the page, which ends the work at the bar's next step."""
    if meanwhile:
        meanwhile()
    key = st.session_state["_encoding"]
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    shown = bar.progress(0.0, text="Encoding…")
    st.empty()  # covers what stood here before: the button that began this
    st.empty()
    which = hashlib.sha256(key.encode()).hexdigest()[:8]  # a page may encode several corpora, by several encoders
    stop.button(
        "Stop", on_click=_set, args=(key, "stopped"), icon=":material/stop:", key=f"stop_encoding_{role}_{which}"
    )

    def tell_progress(done: int, of: int) -> None:
        shown.progress(done / of if of else 1.0, text=f"Encoding {_WHAT[role]}: {count(done)} of {count(of)}")

    return tell_progress


def _set(key: str, value: str) -> None:
    st.session_state[key] = value
