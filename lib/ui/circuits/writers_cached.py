"""What Writers computes: held for every session."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.encoders import Checkpoint, Precision
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.background import BACKGROUND, Background, background, background_inputs
from lib.sae.circuits.corpus_writers import MOST, MOST_LEFT_OUT, CorpusWriters, corpus_writers
from lib.sae.circuits.writers import Replacement, Writers, writers
from lib.ui import resources
from lib.ui.memory import release
from lib.ui.messages import counted
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_VERSION = 1  # raised when the same texts would give other means than before
_ASK_ABOVE = 5e10
"""Passes times parameters beyond which the page asks first: about 2,000 passes with the packaged encoder."""


def usual_terms(space: SaeSpace, checkpoint: Checkpoint, feature: int) -> Background | None:
    """The direct terms of `feature` in some texts of the corpus; None where the user has stopped measuring them."""
    inputs = background_inputs(space.space.vectors_key, space.sae, feature=feature)
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
    against = "none" if beside is None else space.space.vectors_key
    return _written(
        checkpoint.fingerprint, space.space.precision, space.sae.key, against, text, feature, replacement,
        checkpoint, space.sae, beside,
    )  # fmt: skip


def written_over(
    space: SaeSpace, checkpoint: Checkpoint, feature: int, fires: NDArray[np.bool_], replacement: Replacement
) -> CorpusWriters | None:
    """What each part adds to `feature` over the corpus; `fires` says on which texts, shape (n,).

    None where it has not been begun, or was stopped.
    """
    beside = usual_terms(space, checkpoint, feature) if replacement == "mean" else None
    if beside is None and replacement == "mean":
        return None
    inputs = background_inputs(space.space.vectors_key, space.sae, feature=feature)
    inputs |= {"replacement": replacement, "most": MOST, "most_left_out": MOST_LEFT_OUT, "means": _VERSION}
    return shelved(CorpusWriters, inputs, lambda name: _averaged(name, space, checkpoint, feature, fires, beside))


def _measured(name: str, space: SaeSpace, checkpoint: Checkpoint, feature: int) -> Background | None:
    if BACKGROUND * checkpoint.parameters <= _ASK_ABOVE:
        begin(name)
    about = "What the parts add to this feature in texts of the corpus has not been measured; it takes a few seconds."
    if not started(name, "Measure", about=about):
        return None
    encoder = resources.encoder(checkpoint, space.space.precision)
    with stoppable(name, "Following texts of the corpus through the encoder") as tell:
        return background(encoder, space.sae, space.space.corpus.texts, feature=feature, progress=tell)


def _averaged(
    name: str,
    space: SaeSpace,
    checkpoint: Checkpoint,
    feature: int,
    fires: NDArray[np.bool_],
    beside: Background | None,
) -> CorpusWriters | None:
    own = min(int(fires.sum()), MOST) + min(int((~fires).sum()), MOST)
    parts = 1 + 2 * (checkpoint.layers or 0)
    left_out = min(int(fires.sum()), MOST_LEFT_OUT) + min(int((~fires).sum()), MOST_LEFT_OUT)
    if (own + parts * left_out) * checkpoint.parameters <= _ASK_ABOVE:
        begin(name)  # soon done: it need not be asked for
    about = (
        f"{counted(own, 'text')} of the corpus pass through the encoder once, and {counted(left_out, 'text')} of them "
        f"once more for each of {parts} parts that is left out."
    )
    if not started(name, "Measure", about=about):
        return None
    encoder = resources.encoder(checkpoint, space.space.precision)
    with stoppable(name, "Passing texts through the encoder") as tell:
        made = corpus_writers(
            encoder, space.sae, space.space.corpus.texts, feature=feature, fires=fires, beside=beside,
            replacement="zero" if beside is None else "mean", progress=tell,
        )  # fmt: skip
    release()
    return made


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
