"""What the Match tab computes: once for every session, the pairs on the shelf, what follows from them at once."""

from dataclasses import replace
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.sae.matching import (
    Alignment,
    By,
    Model,
    ModelMatch,
    PairedFeatures,
    Pairing,
    Reading,
    align,
    fitting,
    identity,
    judge_pairs,
    pair_features,
    read_features,
)
from lib.sae.matching.pairing import FEWEST
from lib.ui import resources
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae.cached import codes
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

Way = Literal["automatic", "as they are", "aligned"]
"""How directions are brought together: judged from the vectors, or as the user says."""
_VERSION = 2  # raised when the same vectors and dictionaries would give other pairs than before


def aligned(space: SaeSpace, other: SaeSpace, way: Way) -> Alignment:
    """How the directions of the two are brought together.

    Raises:
        InputError: too few texts for a map.
    """
    ours, theirs = space.space, other.space
    if way == "as they are" or (way == "automatic" and ours.vectors_key == theirs.vectors_key):
        return identity()
    return _alignment(ours.vectors_key, theirs.vectors_key, way, (ours.vectors, theirs.vectors))


def compared(
    space: SaeSpace, other: SaeSpace, *, by: By, pairing: Pairing, alignment: Alignment, threshold: float
) -> ModelMatch:
    """The two models on the corpus; the page ends here where the user has stopped it."""
    ours, theirs = _model(space), _model(other)
    inputs = {
        "ours": space.codes_key, "theirs": other.codes_key, "aligned": alignment.map is not None, "by": by,
        "pairing": pairing, "version": _VERSION,
    }  # fmt: skip

    def made(name: str) -> PairedFeatures | None:
        begin(name)
        if not started(name, "Go on", about="Features have to be paired once; what is found is kept."):
            return None
        with stoppable(name, "Pairing features") as tell:
            return pair_features(ours, theirs, alignment=alignment, by=by, pairing=pairing, progress=tell)

    paired = shelved(PairedFeatures, inputs, made)
    if paired is None:
        st.stop()
    readings = _reading(space, other), _reading(other, space)
    key = "/".join(map(str, (*inputs.values(), space.space.corpus.key)))
    found = _judged(key, threshold, (paired, readings), (ours, theirs), alignment, space)
    return replace(found, alignment=alignment)  # one space is one space, whoever says so; how well it fits may be known


def _reading(space: SaeSpace, other: SaeSpace) -> Reading:
    """How well the other's vectors tell the features of `space`."""
    inputs = {"codes": space.codes_key, "vectors": other.space.vectors_key, "version": _VERSION}

    def made(name: str) -> Reading | None:
        begin(name)
        if not started(name, "Go on", about="Features have to be read from vectors once; what is found is kept."):
            return None
        with stoppable(name, "Reading features from vectors") as tell:
            vectors = space.space.vectors, other.space.vectors
            return read_features(codes(space), vectors, fewest=FEWEST, progress=tell)

    found = shelved(Reading, inputs, made)
    if found is None:
        st.stop()
    return found


def _model(space: SaeSpace) -> Model:
    return Model(space.sae, codes(space), space.space.vectors)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Aligning the two spaces…")
def _alignment(
    ours_key: str, theirs_key: str, way: Way, _vectors: tuple[NDArray[np.floating], NDArray[np.floating]]
) -> Alignment:
    return align(*_vectors) if way == "aligned" else fitting(*_vectors)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Comparing the two models…")
def _judged(
    key: str,
    threshold: float,
    _found: tuple[PairedFeatures, tuple[Reading, Reading]],
    _models: tuple[Model, Model],
    _alignment: Alignment,
    _space: SaeSpace,
) -> ModelMatch:
    paired, readings = _found
    labels = _space.space.labels
    return judge_pairs(
        paired, *_models, readings=readings, alignment=_alignment, threshold=threshold, labels=labels
    )  # fmt: skip
