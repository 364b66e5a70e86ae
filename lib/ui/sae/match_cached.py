"""What the Match tab computes: once for every session, the pairs on the shelf, what follows from them at once."""

import streamlit as st

from lib.sae.matching import (
    Alignment,
    By,
    Model,
    ModelMatch,
    PairedFeatures,
    Pairing,
    align,
    identity,
    judge_pairs,
    pair_features,
)
from lib.ui import resources
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae.cached import codes
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_VERSION = 1  # raised when the same vectors and dictionaries would give other pairs than before


def compared(
    space: SaeSpace, other: SaeSpace, *, by: By, pairing: Pairing, aligned: bool, threshold: float
) -> ModelMatch:
    """The two models on the corpus; the page ends here where the user has stopped it."""
    ours, theirs = _model(space), _model(other)
    alignment = _alignment(space.space.vectors_key, other.space.vectors_key, ours, theirs) if aligned else identity()
    inputs = {
        "ours": space.codes_key, "theirs": other.codes_key, "aligned": aligned, "by": by, "pairing": pairing,
        "version": _VERSION,
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
    key = "/".join(map(str, (*inputs.values(), space.space.corpus.key)))
    return _judged(key, threshold, paired, (ours, theirs), alignment, space)


def _model(space: SaeSpace) -> Model:
    return Model(space.sae, codes(space), space.space.vectors)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Aligning the two spaces…")
def _alignment(ours_key: str, theirs_key: str, _ours: Model, _theirs: Model) -> Alignment:
    return align(_ours.vectors, _theirs.vectors)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Comparing the two models…")
def _judged(
    key: str,
    threshold: float,
    _paired: PairedFeatures,
    _models: tuple[Model, Model],
    _alignment: Alignment,
    _space: SaeSpace,
) -> ModelMatch:
    return judge_pairs(_paired, *_models, alignment=_alignment, threshold=threshold, labels=_space.space.labels)
