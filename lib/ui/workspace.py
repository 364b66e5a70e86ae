"""The workspace: the encoder and corpus chosen in the sidebar, and the space they make, for every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import Corpus
from lib.embeddings import Progress
from lib.encoders import PACKAGED, Checkpoint, Precision
from lib.errors import InputError
from lib.ui import resources
from lib.ui.corpus_choice import CorpusChoice, choose_corpus
from lib.ui.encoder_choice import EncoderChoice, choose_encoder
from lib.ui.messages import count, counted, refuse, tell

ASSETS = Path(__file__).parent / "assets"
_CHOICES = "_choices"
_ASK_ABOVE = 5_000  # texts to encode beyond which the page asks first


@dataclass(frozen=True)
class Space:
    """A corpus in an encoder's space."""

    corpus: Corpus
    """The texts."""
    checkpoint: Checkpoint | None
    """The encoder; None where the corpus brought embeddings of its own."""
    precision: Precision
    """float32 or bfloat16."""
    vectors: NDArray[np.floating]
    """Their embeddings, shape (n, d)."""
    key: str
    """Content hash of vectors and corpus (texts, labels, columns)."""
    vectors_key: str
    """Content hash of the vectors alone: equal for the same texts under other labels."""

    @property
    def labels(self) -> Sequence[str | None] | None:
        """The corpus's labels."""
        return self.corpus.labels

    @property
    def label_names(self) -> list[str]:
        """Distinct labels, sorted."""
        return sorted({label for label in self.labels or () if label is not None})


def navigation() -> st.Page:
    """Name the app and its pages; the page that the address asks for is returned."""
    st.set_page_config(page_title="Embedscope", page_icon=str(ASSETS / "icon.svg"), layout="wide")
    first = st.Page(
        "pages/geometry.py", title="Geometry", icon=":material/scatter_plot:", url_path="start", default=True
    )
    # The first page lives at the bare address; under its own name it must be found as well.
    by_name = st.Page("pages/geometry.py", title="Geometry", url_path="geometry", visibility="hidden")
    return st.navigation([first, by_name])


def sidebar() -> None:
    """Draw both choices in the sidebar and remember them for `current`."""
    with st.sidebar:
        encoder = choose_encoder()
        corpus = choose_corpus()
    st.session_state[_CHOICES] = (encoder, corpus)


def current() -> Space:
    """The chosen space. Says what is missing and what to do next, and ends the page there, if there is none."""
    if _CHOICES not in st.session_state:
        # A fresh server whose first visitor asks for a page by name runs that page without app.py, since no
        # st.navigation has run in it yet: run it, and begin again with app.py.
        navigation()
        st.rerun()
    encoder: EncoderChoice
    corpus: CorpusChoice
    encoder, corpus = st.session_state.pop(_CHOICES)  # of this run alone
    if corpus.fault:
        refuse(corpus.fault)
        st.button("Open the sample instead", on_click=_choose, args=("corpus", "Sample"), icon=":material/article:")
        st.stop()
    if corpus.corpus is None:
        st.info(corpus.todo, icon=":material/upload:")
        st.button("Open the sample instead", on_click=_choose, args=("corpus", "Sample"), icon=":material/article:")
        st.stop()
    texts = corpus.corpus
    if texts.embeddings is not None:
        return Space(texts, None, "float32", texts.embeddings, texts.key, texts.key)
    if encoder.checkpoint is None:
        refuse(encoder.fault)
        st.button(
            "Open the packaged encoder instead",
            on_click=_choose,
            args=("encoder", PACKAGED),
            icon=":material/package_2:",
        )
        st.stop()
    return _embedded(texts, encoder.checkpoint, encoder.precision)


def _choose(key: str, value: str) -> None:
    st.session_state[key] = value


def _embedded(corpus: Corpus, checkpoint: Checkpoint, precision: Precision) -> Space:
    place = st.empty()
    with place.container():
        try:
            _ask_before_long_work(corpus, checkpoint, precision)
            made = resources.embeddings(
                corpus.key, corpus.texts, checkpoint, precision=precision, progress=_progress_with_stop
            )
        except InputError as fault:
            refuse(fault)
            st.stop()
    place.empty()
    if made.truncated:
        cut, limit = count(made.truncated), count(checkpoint.max_tokens or 0)
        tell([f"{cut} of {count(len(corpus))} texts are longer than {limit} tokens: only their beginning was read."])
    return Space(corpus, checkpoint, precision, made.vectors, f"{made.key}/{corpus.key}", made.key)


def _ask_before_long_work(corpus: Corpus, checkpoint: Checkpoint, precision: Precision) -> None:
    """Stop here while the user has stopped encoding, or has not yet agreed to encode a large corpus."""
    agreed = f"_encode_{corpus.key[:16]}_{checkpoint.fingerprint[:16]}_{precision}"
    state = st.session_state.get(agreed)
    if state == "go" or (state is None and len(corpus) <= _ASK_ABOVE):
        st.session_state["_encoding"] = agreed
        return
    left = resources.missing(corpus.texts, checkpoint, precision=precision)
    if not left:
        st.session_state[agreed] = "go"  # later runs need not look again
        return
    if state == "stopped":
        st.info(f"Stopped: {counted(left, 'text')} still to be encoded; what was done is kept.")
    else:
        st.info(f"{counted(left, 'text')} to be encoded. What is encoded is kept, so it can be stopped.")
    st.button("Encode them", on_click=_choose, args=(agreed, "go"), type="primary", icon=":material/play_arrow:")
    st.stop()


def _progress_with_stop() -> Progress:
    """A bar and a Stop button. Pressing it reruns the page, which ends the work at the bar's next step."""
    resources.warm_up()
    key = st.session_state["_encoding"]
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    shown = bar.progress(0.0, text="Encoding…")
    st.empty()  # covers what stood here before: the button that began this
    st.empty()
    stop.button("Stop", on_click=_choose, args=(key, "stopped"), icon=":material/stop:", key="stop_encoding")

    def tell_progress(done: int, of: int) -> None:
        shown.progress(done / of if of else 1.0, text=f"Encoding {count(done)} of {count(of)} texts")

    return tell_progress
