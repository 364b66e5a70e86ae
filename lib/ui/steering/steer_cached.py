"""What the Steering page computes: held for every session, on the shelf where it took long."""

import hashlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.progress import Progress
from lib.sae.codes import Codes
from lib.sae.steering import (
    Dose,
    Products,
    Push,
    Recipe,
    Reranked,
    Side,
    Steered,
    dose_response,
    dots,
    looks_normalised,
    products_of_parts,
    push_of,
    rerank,
    squares_of,
    steer,
)
from lib.sae.steering.dose import CONTROLS, DELTAS
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae import cached
from lib.ui.sae.text_choice import ChosenText
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

Floats = NDArray[np.float64]
_AT_ONCE = 10_000  # texts whose dose-response takes about two seconds
_ARRAYS_KEPT = 16  # a number for each text of the corpus: a full recipe, and a few texts
_VERSION = 1  # raised when the same inputs would give another dose-response than before


def pushed(space: SaeSpace, recipe: Recipe) -> Push:
    """What a recipe adds, in units of this corpus, or of the training where it fires on too few of its texts."""
    return push_of(space.sae, recipe, codes=cached.codes(space), database=space.database, normalised=normalised(space))


def normalised(space: SaeSpace) -> bool:
    """Whether the model brings its vectors to length 1; embeddings that came without one are looked at."""
    checkpoint = space.space.checkpoint
    return _looks_normalised(space.space.vectors_key, space) if checkpoint is None else checkpoint.normalised


def same_text(space: SaeSpace, chosen: ChosenText) -> NDArray[np.int64]:
    """Rows of the corpus that read as the chosen text does: it does not find itself."""
    return np.flatnonzero([text == chosen.text for text in space.space.corpus.texts])


def steered(space: SaeSpace, chosen: ChosenText, push: Push) -> Steered:
    """The chosen text's vector before and after."""
    return _steered(space.sae.key, _key(chosen.vector), _push_key(push), space, chosen, push)


def reranked(space: SaeSpace, chosen: ChosenText, push: Push, side: Side) -> Reranked:
    """The corpus ranked before and after; the texts of the recipe's first feature are followed."""
    return _reranked(
        space.codes_key, _key(chosen.vector), chosen.text, _push_key(push), side,
        (space, cached.codes(space)), chosen, push,
    )  # fmt: skip


def dose(space: SaeSpace, chosen: ChosenText, push: Push, probe: float) -> Dose | None:
    """The dose-response of the only feature of `push`; None where the user has stopped it."""
    feature, unit = push.features[0], push.units[0]
    texts = len(space.space.vectors)
    if texts <= _AT_ONCE:
        coded = (space, cached.codes(space))
        return _dose(space.codes_key, _key(chosen.vector), chosen.text, feature, unit, probe, coded, chosen)
    inputs = {
        "vectors": space.space.vectors_key, "sae": space.sae.key, "vector": _key(chosen.vector), "feature": feature,
        "unit": unit, "probe": probe, "text": _text_key(chosen.text), "controls": CONTROLS, "deltas": list(DELTAS),
        "version": _VERSION,
    }  # fmt: skip
    return shelved(Dose, inputs, lambda name: _made(name, space, chosen, feature, unit, probe))


def _made(name: str, space: SaeSpace, chosen: ChosenText, feature: int, unit: float, probe: float) -> Dose | None:
    codes = cached.codes(space)
    begin(name)
    about = f"{count(len(codes))} texts are ranked for each delta and each of {2 * CONTROLS + 1} directions."
    if not started(name, "Go on", about=about):
        return None
    with stoppable(name, "Ranking, delta by delta") as tell:
        return _dose_of(space, codes, chosen, feature=feature, unit=unit, probe=probe, progress=tell)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _looks_normalised(vectors_key: str, _space: SaeSpace) -> bool:
    return looks_normalised(_space.space.vectors)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _steered(
    sae_key: str, vector_key: str, push_key: str, _space: SaeSpace, _chosen: ChosenText, _push: Push
) -> Steered:
    return steer(_space.sae, _chosen.vector, _push)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _reranked(
    key: str,
    vector_key: str,
    text: str,
    push_key: str,
    side: Side,
    _coded: tuple[SaeSpace, Codes],
    _chosen: ChosenText,
    _push: Push,
) -> Reranked:
    space, codes = _coded
    return rerank(
        space.space.vectors, _chosen.vector, _push, side=side, left_out=same_text(space, _chosen),
        firing=codes.firing(_push.features[0])[0], products=_products(space, _chosen, _push),
    )  # fmt: skip


def _products(space: SaeSpace, chosen: ChosenText, push: Push) -> Products:
    """What the ranking is made of; only the first time with a text or a feature is the corpus multiplied."""
    key, weights = space.space.vectors_key, space.sae.decoder_weights
    along = [_dots(key, f"{space.sae.key} {feature}", space, weights[feature]) for feature in push.features]
    return products_of_parts(push, _squares(key, space), _dots(key, _key(chosen.vector), space, chosen.vector), along)


@st.cache_resource(max_entries=_ARRAYS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _dots(vectors_key: str, direction_key: str, _space: SaeSpace, _direction: NDArray[np.floating]) -> Floats:
    found: Floats = dots(_space.space.vectors, _direction[None])[0]
    return found


@st.cache_resource(max_entries=2, ttl=resources.HOUR, show_spinner=False)
def _squares(vectors_key: str, _space: SaeSpace) -> Floats:
    return squares_of(_space.space.vectors)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Ranking, delta by delta…")
def _dose(
    key: str,
    vector_key: str,
    text: str,
    feature: int,
    unit: float,
    probe: float,
    _coded: tuple[SaeSpace, Codes],
    _chosen: ChosenText,
) -> Dose:
    return _dose_of(*_coded, _chosen, feature=feature, unit=unit, probe=probe)


def _dose_of(
    space: SaeSpace,
    codes: Codes,
    chosen: ChosenText,
    *,
    feature: int,
    unit: float,
    probe: float,
    progress: Progress | None = None,
) -> Dose:
    return dose_response(
        space.sae, codes, space.space.vectors, vector=chosen.vector, feature=feature, unit=unit, probe=probe,
        left_out=same_text(space, chosen), progress=progress,
    )  # fmt: skip


def _key(vector: NDArray[np.floating]) -> str:
    return hashlib.sha256(np.ascontiguousarray(vector).tobytes()).hexdigest()


def _text_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _push_key(push: Push) -> str:
    return f"{push.features} {push.deltas} {push.normalised} {_key(push.vector)}"
