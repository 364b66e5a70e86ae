"""The corpus through the dictionary: computed once, shared by every session, on the shelf where it took long."""

import streamlit as st

from lib.sae.codes import Codes
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_AT_ONCE = 2**26  # pre-activations that take about a second
_VERSION = 1  # raised when the same vectors and dictionary would give other codes than before


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Finding active features…")
def _codes(key: str, _space: SaeSpace) -> Codes:
    return _space.sae.encode(_space.space.vectors)


def codes(space: SaeSpace) -> Codes:
    """Which features fire on each text of the corpus; where that takes long, with progress and Stop.

    The page ends here where the user has stopped it.
    """
    texts = len(space.space.vectors)
    if texts * space.sae.features <= _AT_ONCE:
        return _codes(space.codes_key, space)
    inputs = {"vectors": space.space.vectors_key, "sae": space.sae.key, "version": _VERSION}
    found = shelved(Codes, inputs, lambda name: _made(name, space))
    return st.stop() if found is None else found


def _made(name: str, space: SaeSpace) -> Codes | None:
    begin(name)
    about = f"{count(len(space.space.vectors))} texts have to be taken apart once; what is found is kept."
    if not started(name, "Go on", about=about):
        return None
    with stoppable(name, "Finding active features") as tell:
        return space.sae.encode(space.space.vectors, progress=tell)
