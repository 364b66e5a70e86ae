"""The workspace: what is chosen in the sidebar (an encoder; a corpus or a query set), and the space that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import Corpus, QuerySet
from lib.encoders import PACKAGED, Checkpoint, Precision
from lib.ui.chosen import Chosen
from lib.ui.corpus_choice import CorpusChoice, choose_corpus
from lib.ui.encoder_choice import EncoderChoice, choose_encoder
from lib.ui.encoding import encoded, tell_of_cut
from lib.ui.file_names import remember
from lib.ui.geometry.cached import warm_up
from lib.ui.memory import keep_together, spare
from lib.ui.messages import refuse
from lib.ui.owner import settle
from lib.ui.query_choice import QueryChoice, choose_query_set
from lib.ui.query_space import QuerySpace, read_by
from lib.ui.sae_choice import choose_sae
from lib.ui.sharing import share

T = TypeVar("T")

ASSETS = Path(__file__).parent / "assets"
_CHOSEN = "_chosen"
_FIRST = "overview"
"""The page at the bare address; it looks at a corpus and at a query set."""
_ABOUT_QUERIES_ALONE = {"retrieval"}
"""Pages that look at a query set instead of a corpus, by the last part of their address."""
_ABOUT_FEATURES = {"sae_features", "network", "circuits", "steering", "diagnostics"}
"""Pages that look at a corpus through a sparse autoencoder."""


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
    keep_together()
    spare()
    st.set_page_config(page_title="Embedscope", page_icon=str(ASSETS / "icon.svg"), layout="wide")
    first = st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", url_path="start", default=True)
    # The first page lives at the bare address; under its own name it must be found as well.
    by_name = st.Page("pages/overview.py", title="Overview", url_path="overview", visibility="hidden")
    encoder = [
        st.Page("pages/geometry.py", title="Geometry", icon=":material/scatter_plot:"),
        st.Page("pages/layers.py", title="Layers", icon=":material/layers:"),
        st.Page("pages/retrieval.py", title="Retrieval", icon=":material/manage_search:"),
        st.Page("pages/finetune_diff.py", title="Fine-tune Diff", icon=":material/difference:"),
    ]
    features = [
        st.Page("pages/sae_features.py", title="SAE Features", icon=":material/hub:"),
        st.Page("pages/network.py", title="Network", icon=":material/graph_3:"),
        st.Page("pages/circuits.py", title="Circuits", icon=":material/account_tree:"),
        st.Page("pages/steering.py", title="Steering", icon=":material/tune:"),
        st.Page("pages/diagnostics.py", title="Diagnostics", icon=":material/stethoscope:"),
    ]
    words = [st.Page("pages/glossary.py", title="Glossary", icon=":material/dictionary:")]
    page = st.navigation({"": [first, by_name], "The space": encoder, "What is in it": features, "Help": words})
    settle()  # only now, so that a server whose settings are bad shows its pages by their names
    return page


def sidebar(page: st.Page) -> Chosen:
    """Draw in the sidebar what `page` is about, and remember it for `chosen`, `current` or `current_queries`."""
    name = page.url_path or _FIRST
    with st.sidebar:
        encoder = choose_encoder()
        corpus = None if name in _ABOUT_QUERIES_ALONE else choose_corpus()
        queries = choose_query_set() if name in _ABOUT_QUERIES_ALONE | {_FIRST} else None
        if name in _ABOUT_FEATURES:
            choose_sae(encoder.checkpoint)
    made = Chosen(encoder, corpus, queries)
    remember(
        name,
        None if encoder.checkpoint is None or _own_vectors(corpus) else encoder.checkpoint.source,
        corpus.corpus.name if corpus and corpus.corpus else None,
        queries.query_set.name if queries and queries.query_set else None,
    )
    st.session_state[_CHOSEN] = made
    return made


def _own_vectors(choice: CorpusChoice | None) -> bool:
    return choice is not None and choice.corpus is not None and choice.corpus.embeddings is not None


def current() -> Space:
    """The chosen space. Says what is missing and what to do next, and ends the page there, if there is none."""
    return corpus_space(chosen())


def corpus_space(of: Chosen) -> Space:
    """The space of the chosen encoder and corpus, as `current`."""
    if of.corpus is None:
        raise ValueError("a page about a query set alone asks for its corpus")
    encoder, texts = of.encoder, _had(of.corpus.corpus, of.corpus, key="corpus")
    if texts.embeddings is not None:
        return Space(texts, None, "float32", texts.embeddings, texts.key, texts.key)
    checkpoint = opened(encoder)
    made = encoded(texts.key, texts.texts, checkpoint, encoder.precision, meanwhile=warm_up)
    tell_of_cut(made.truncated, len(texts), "texts", checkpoint)
    return Space(texts, checkpoint, encoder.precision, made.vectors, f"{made.key}/{texts.key}", made.key)


def current_queries() -> QuerySpace:
    """The chosen query set in the chosen encoder's space. Says what is missing and ends the page, if there is none."""
    of = chosen()
    if of.queries is None:
        raise ValueError("a page about a corpus alone asks for its query set")
    return query_space(_had(of.queries.query_set, of.queries, key="queries"), opened(of.encoder), of.encoder.precision)


def queries_beside(checkpoint: Checkpoint, precision: Precision) -> QuerySpace:
    """A query set in the space of an encoder, for a view of a page about a corpus: the choice is drawn here."""
    choice = choose_query_set()
    share.also(choice)
    return query_space(_had(choice.query_set, choice, key="queries"), checkpoint, precision)


def query_space(queries: QuerySet, checkpoint: Checkpoint, precision: Precision) -> QuerySpace:
    """A query set in the space of an encoder. Ends the page where its vectors cannot be had yet."""
    return read_by(queries, checkpoint, precision) or st.stop()


def chosen() -> Chosen:
    """What this run's sidebar holds."""
    if _CHOSEN not in st.session_state:
        # A fresh server whose first visitor asks for a page by name runs that page without app.py, since no
        # st.navigation has run in it yet: run it, and begin again with app.py.
        navigation()
        st.rerun()
    made: Chosen = st.session_state.pop(_CHOSEN)  # of this run alone
    return made


def _had(texts: T | None, choice: CorpusChoice | QueryChoice, *, key: str) -> T:
    """What was chosen; where there is none, the page says why and ends, with the sample one press away."""
    if texts is not None and not choice.fault:
        return texts
    if choice.fault:
        refuse(choice.fault)
    else:
        st.info(choice.todo, icon=":material/upload:")
    st.button("Open the sample instead", on_click=_choose, args=(key, "Sample"), icon=":material/article:")
    return st.stop()


def opened(encoder: EncoderChoice) -> Checkpoint:
    """The encoder that was chosen. Says why and ends the page, with the packaged one a press away, if there is none."""
    if encoder.checkpoint is not None:
        return encoder.checkpoint
    refuse(encoder.fault)
    st.button(
        "Open the packaged encoder instead",
        on_click=_choose,
        args=("encoder", PACKAGED),
        icon=":material/package_2:",
    )
    return st.stop()


def _choose(key: str, value: str) -> None:
    st.session_state[key] = value
