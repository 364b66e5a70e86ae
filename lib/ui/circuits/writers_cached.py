"""What Writers computes: held for every session."""

import streamlit as st

from lib.encoders import Checkpoint, Precision
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.writers import Background, Replacement, Writers, background, writers
from lib.ui import resources
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_VERSION = 1  # raised when the same texts would give other terms than before


def usual_terms(space: SaeSpace, checkpoint: Checkpoint, feature: int) -> Background | None:
    """The direct terms of `feature` in some texts of the corpus; None where the user has stopped measuring them."""
    inputs = {
        "encoder": checkpoint.fingerprint,
        "precision": space.space.precision,
        "corpus": space.space.corpus.key,
        "sae": space.sae.key,
        "feature": feature,
        "version": _VERSION,
    }
    return shelved(Background, inputs, lambda name: _measured(name, space, checkpoint, feature))


def written(
    space: SaeSpace,
    checkpoint: Checkpoint,
    text: str,
    *,
    feature: int,
    beside: Background | None,
    replacement: Replacement,
) -> Writers:
    """What each part adds to `feature` in `text`; opens the encoder."""
    against = "none" if beside is None else space.space.corpus.key
    return _written(
        checkpoint.fingerprint, space.space.precision, space.sae.key, against, text, feature, replacement,
        checkpoint, space.sae, beside,
    )  # fmt: skip


def _measured(name: str, space: SaeSpace, checkpoint: Checkpoint, feature: int) -> Background | None:
    begin(name)
    about = "What the parts add to this feature in other texts of the corpus was not measured; it takes a few seconds."
    if not started(name, "Measure", about=about):
        return None
    encoder = resources.encoder(checkpoint, space.space.precision)
    with stoppable(name, "Following other texts through the encoder") as tell:
        return background(encoder, space.sae, space.space.corpus.texts, feature=feature, progress=tell)


@st.cache_resource(
    max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Leaving out one part after the other…"
)
def _written(
    fingerprint: str,
    precision: Precision,
    sae_key: str,
    against: str,
    text: str,
    feature: int,
    replacement: Replacement,
    _checkpoint: Checkpoint,
    _sae: SparseAutoencoder,
    _beside: Background | None,
) -> Writers:
    encoder = resources.encoder(_checkpoint, precision)
    return writers(encoder, _sae, text, feature=feature, beside=_beside, replacement=replacement)
