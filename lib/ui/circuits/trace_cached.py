"""What the Trace view computes: held for every session."""

import streamlit as st

from lib.encoders import Checkpoint, Precision
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Lens
from lib.sae.circuits.shelved import lens_key, states_inputs
from lib.sae.circuits.states import States, pooled_states
from lib.sae.circuits.trace import Trace, trace
from lib.sae.decomposition import Decomposition, decompose
from lib.ui import resources
from lib.ui.circuits.choice import Choice
from lib.ui.sae_space import SaeSpace


def traced(space: SaeSpace, checkpoint: Checkpoint, choice: Choice, lens: Lens) -> Trace:
    """The chosen feature on the chosen text, depth by depth; opens the encoder unless the text's states ship.

    Raises:
        InputError: the encoder's layers cannot be read as outputs.
    """
    states = _states_of(space, checkpoint, choice.text.text)
    return _trace(_key(space, checkpoint, lens), choice.text.text, choice.feature, space.sae, lens, states)


def column(space: SaeSpace, checkpoint: Checkpoint, choice: Choice, lens: Lens, *, place: int) -> Decomposition:
    """The reading of the chosen text at the depth in `place`, taken apart."""
    states = _states_of(space, checkpoint, choice.text.text)
    return _column(_key(space, checkpoint, lens), choice.text.text, place, space.sae, lens, states)


def _states_of(space: SaeSpace, checkpoint: Checkpoint, text: str) -> States:
    precision = space.space.precision
    return _states(checkpoint.fingerprint, precision, text, checkpoint)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Following the text…")
def _states(fingerprint: str, precision: Precision, text: str, _checkpoint: Checkpoint) -> States:
    shipped = resources.shelf().get(States, states_inputs(text, _checkpoint, precision=precision))
    return pooled_states(resources.encoder(_checkpoint, precision), [text]) if shipped is None else shipped


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _trace(key: str, text: str, feature: int, _sae: SparseAutoencoder, _lens: Lens, _states: States) -> Trace:
    return trace(_sae, _lens, _states, text=text, feature=feature)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _column(key: str, text: str, place: int, _sae: SparseAutoencoder, _lens: Lens, _states: States) -> Decomposition:
    return decompose(_sae, _lens.apply(_states)[place, 0])


def _key(space: SaeSpace, checkpoint: Checkpoint, lens: Lens) -> str:
    """What a reading depends on beside the text: encoder, dictionary, and the very lens."""
    return f"{checkpoint.fingerprint}/{space.space.precision}/{space.sae.key}/{lens_key(lens)}"
