"""What is loaded once and shared by every session: the store, the shelf, encoders and embeddings.

Streamlit samples large arrays when it hashes arguments, so every array is passed with an underscore (not hashed)
and its content key beside it. Errors are not cached, but for those of describing an encoder, which may have waited
for a hub.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.embeddings import Embeddings, embed, space_of
from lib.encoders import Checkpoint, Encoder, Policy, Precision, Role, ShortOfMemoryError, open_encoder
from lib.encoders.turns import OPENING, BusyError
from lib.errors import InputError
from lib.finetune.sources import describe_any
from lib.progress import Progress
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.sources import OpenedSae, open_sae
from lib.shelf import Shelf, default_shelf
from lib.store import EmbeddingStore, default_store, row_keys
from lib.ui.memory import collect, release

Vectors = NDArray[np.floating]

_ENCODERS_OPEN = 2
RESULTS_KEPT = 64  # small ones
ARRAYS_KEPT = 6  # results as long as the corpus
HOUR = 3600  # seconds after which a result that nobody asks for is let go


@st.cache_resource(max_entries=1)
def policy() -> Policy:
    """What the server's owner allows an encoder to be opened from."""
    return Policy.from_environment()


@st.cache_resource(max_entries=1)
def store() -> EmbeddingStore:
    """The embedding store."""
    return default_store()


@st.cache_resource(max_entries=1)
def shelf() -> Shelf:
    """The shelf of slow results."""
    return default_shelf()


def checkpoint(source: str) -> Checkpoint | InputError:
    """What `source` is, or why it cannot be opened; both kept for five minutes, but not that it has to wait."""
    try:
        return described(source)
    except BusyError as fault:
        return fault


@st.cache_resource(max_entries=64, ttl=300, show_spinner="Fetching and reading the encoder's files…")
def described(source: str) -> Checkpoint | InputError:
    """As `checkpoint`.

    Raises:
        BusyError: another model is being downloaded.
    """
    try:
        return describe_any(source, policy=policy())
    except BusyError:
        raise
    except InputError as fault:
        return fault


@st.cache_resource(max_entries=_ENCODERS_OPEN, ttl=HOUR, show_spinner="Opening the encoder…")
def _weights(content: str, precision: Precision, _checkpoint: Checkpoint) -> Encoder:
    return open_encoder(_checkpoint, policy=policy(), precision=precision)


def encoder(of: Checkpoint, precision: Precision) -> Encoder:
    """The encoder of a checkpoint: its weights are opened once for all sessions, whatever the prompts.

    Where the memory that is free does not suffice, the encoders that were opened before are let go first.
    """
    with in_turn():
        try:
            return _weights(of.content, precision, of).under(of)
        except ShortOfMemoryError:
            _weights.clear()
            collect()
            release()
            return _weights(of.content, precision, of).under(of)


@contextmanager
def in_turn() -> Iterator[None]:
    """Say so while another session opens a model, after which this one is opened; what is open already waits not."""
    if OPENING.busy:
        with st.spinner("Another model is being opened; this one comes next…"):
            yield
    else:
        yield


@st.cache_resource(max_entries=4, ttl=HOUR, show_spinner="Opening the sparse autoencoder…")
def _sae(source: str) -> OpenedSae:
    return open_sae(source, policy=policy())


@st.cache_resource(max_entries=64, ttl=60, show_spinner=False)
def _sae_fault(source: str) -> InputError | None:
    try:
        _sae(source)
    except InputError as fault:
        return fault
    return None


def sae(source: str) -> OpenedSae | InputError:
    """The sparse autoencoder that `source` names, or why it cannot be opened, which is kept for a minute."""
    with in_turn():
        return _sae_fault(source) or _sae(source)


@st.cache_resource(max_entries=4, ttl=HOUR, show_spinner=False)
def _feature_database(key: str, folder: str, _opened: OpenedSae) -> FeatureDatabase | None:
    return find_database(_opened.folder, _opened.sae)


def feature_database(of: OpenedSae) -> FeatureDatabase | None:
    """What lies beside a sparse autoencoder about its features; None where nothing does."""
    return _feature_database(of.sae.key, str(of.folder), of)


class _MissingError(Exception):
    """Texts must be encoded first."""


@st.cache_resource(max_entries=8, ttl=HOUR, show_spinner=False)
def _ready(
    corpus_key: str, space: str, role: Role, precision: Precision, _texts: Sequence[str], _of: Checkpoint
) -> Embeddings:
    if len(store().missing(space, row_keys(_texts))):
        raise _MissingError
    return embed(_texts, _of, lambda: encoder(_of, precision), store(), role=role, precision=precision)


def missing(texts: Sequence[str], of: Checkpoint, *, precision: Precision, role: Role = "document") -> int:
    """How many different texts are not in the store yet."""
    return len(store().missing(space_of(of, role=role, precision=precision), row_keys(texts)))


def embeddings(
    corpus_key: str,
    texts: Sequence[str],
    of: Checkpoint,
    *,
    precision: Precision,
    role: Role = "document",
    progress: Callable[[], Progress] | None = None,
) -> Embeddings:
    """The embeddings of `texts`; `progress` makes what is told how far encoding is, if any text must be encoded."""
    space = space_of(of, role=role, precision=precision)
    try:
        return _ready(corpus_key, space, role, precision, texts, of)
    except _MissingError:
        tell = progress() if progress else None
        open_it = partial(encoder, of, precision)
        embed(texts, of, open_it, store(), role=role, precision=precision, progress=tell)
        release()
    return _ready(corpus_key, space, role, precision, texts, of)


@st.cache_resource(max_entries=256, show_spinner="Embedding…")
def _embed_now(texts: tuple[str, ...], space: str, role: Role, precision: Precision, _of: Checkpoint) -> Vectors:
    return encoder(_of, precision).encode(list(texts), role=role).vectors


def embed_now(texts: tuple[str, ...], of: Checkpoint, *, role: Role, precision: Precision) -> Vectors:
    """Embeddings of a few texts that the user typed, shape (m, d); they are not kept in the store."""
    return _embed_now(texts, space_of(of, role=role, precision=precision), role, precision, of)
