"""What Decompose and Contrast compute: held for every session."""

import hashlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.encoders import Checkpoint, Precision
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.decomposition import Contrast, Decomposition, contrast, decompose
from lib.sae.examples import Examples, examples
from lib.sae.tokens import TokenShares, token_shares
from lib.ui import resources
from lib.ui.sae import cached
from lib.ui.sae_space import SaeSpace

Vector = NDArray[np.floating]


def decomposition(space: SaeSpace, vector: Vector) -> Decomposition:
    """One embedding, shape (d,), taken apart."""
    return _decomposition(space.sae.key, _key(vector), space.sae, vector)


def contrasted(space: SaeSpace, a: Vector, b: Vector) -> Contrast:
    """Two embeddings, each of shape (d,), side by side."""
    return _contrast(space.sae.key, _key(a), _key(b), space.sae, (a, b))


def strongest_texts(space: SaeSpace, feature: int, most: int) -> Examples:
    """The texts of the corpus on which `feature` fires most."""
    return examples(cached.codes(space), feature, texts=space.space.corpus.texts, top=most, quantiles=1, each=0)


def shares_of_tokens(space: SaeSpace, checkpoint: Checkpoint, text: str, feature: int) -> TokenShares:
    """What each token of `text`, as a document, adds to `feature`; opens the encoder."""
    return _token_shares(
        checkpoint.fingerprint, space.space.precision, space.sae.key, text, feature, checkpoint, space.sae
    )


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _decomposition(sae_key: str, vector_key: str, _sae: SparseAutoencoder, _vector: Vector) -> Decomposition:
    return decompose(_sae, _vector)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _contrast(
    sae_key: str, a_key: str, b_key: str, _sae: SparseAutoencoder, _vectors: tuple[Vector, Vector]
) -> Contrast:
    return contrast(_sae, *_vectors)


@st.cache_resource(
    max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Following the tokens through the encoder…"
)
def _token_shares(
    fingerprint: str,
    precision: Precision,
    sae_key: str,
    text: str,
    feature: int,
    _checkpoint: Checkpoint,
    _sae: SparseAutoencoder,
) -> TokenShares:
    return token_shares(resources.encoder(_checkpoint, precision), _sae, text, features=[feature])


def _key(vector: Vector) -> str:
    return hashlib.sha256(np.ascontiguousarray(vector).tobytes()).hexdigest()
