"""The network of a corpus: computed once for all sessions, by content key; kept where it took long."""

import streamlit as st

from lib.sae.codes import Codes
from lib.sae.network import Measure, Network, network
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.network.choices import Choices
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae import cached as sae_cached
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_AT_ONCE = 2_000_000  # activations whose pairs are counted, and shuffled, in about a second
_VERSION = 1  # raised when the same codes would give another network than before


def network_of(space: SaeSpace, choices: Choices) -> Network:
    """The network; the page ends here where the user has stopped what takes long."""
    codes = sae_cached.codes(space)
    if len(codes.features) <= _AT_ONCE:
        return _network(
            space.codes_key, choices.most, choices.measure, choices.threshold, choices.hide_everywhere, codes
        )
    inputs = {
        "codes": space.codes_key,
        "most": choices.most,
        "measure": choices.measure,
        "threshold": choices.threshold,
        "hide": choices.hide_everywhere,
        "version": _VERSION,
    }
    found = shelved(Network, inputs, lambda name: _made(name, choices, codes))
    return st.stop() if found is None else found


@st.cache_resource(
    max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Counting which features fire together…"
)
def _network(key: str, most: int, measure: Measure, threshold: float, hide: bool, _codes: Codes) -> Network:
    return network(_codes, most=most, measure=measure, threshold=threshold, hide_everywhere=hide)


def _made(name: str, choices: Choices, codes: Codes) -> Network | None:
    begin(name)
    about = f"Which features fire together on {count(len(codes))} texts is counted once; what is found is kept."
    if not started(name, "Go on", about=about):
        return None
    with stoppable(name, "Comparing with shuffled activations") as tell:
        return network(
            codes,
            most=choices.most,
            measure=choices.measure,
            threshold=choices.threshold,
            hide_everywhere=choices.hide_everywhere,
            progress=tell,
        )
