"""The network of a corpus: computed once for all sessions, by content key; kept where it took long."""

import hashlib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.charts.network_picture import Colouring, network_picture
from lib.sae.codes import Codes
from lib.sae.network import Cluster, Measure, Network, describe, network
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.network.choices import Choices, Content
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae import cached as sae_cached
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

_AT_ONCE = 2_000_000  # activations whose pairs are counted, and shuffled, in about a second
Described = tuple[Sequence[str | None] | None, Network, Codes]
"""Labels of the corpus, the network, and what it was counted on."""
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


def clusters_of(space: SaeSpace, choices: Choices, found: Network) -> tuple[Cluster, ...]:
    """The clusters of the network, described by the labels of their features and of the corpus."""
    labels = tuple(space.database.label(f) if space.database else None for f in found.features.tolist())
    return _clusters(space.key, choices.content, labels, (space.space.labels, found, sae_cached.codes(space)))


def picture_of(
    space: SaeSpace, choices: Choices, found: Network, *, names: tuple[str, ...], clusters: tuple[Cluster, ...]
) -> dict[str, Any]:
    """What the browser draws; `key` changes with what is drawn, `layout` with where the nodes lie."""
    called = tuple(one.name for one in clusters)
    return _drawn(space.codes_key, choices.content, names, called, choices.colour_by, _found=found)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _clusters(key: str, content: Content, labels: tuple[str | None, ...], _of: Described) -> tuple[Cluster, ...]:
    corpus_labels, found, codes = _of
    return describe(found, labels, corpus_labels, codes)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _drawn(
    key: str,
    content: Content,
    names: tuple[str, ...],
    called: tuple[str, ...],
    colour_by: Colouring,
    *,
    _found: Network,
) -> dict[str, Any]:
    drawn = network_picture(_found, names, colour_by=colour_by, clusters=called)
    layout = hashlib.sha256(_found.positions.tobytes() + _found.features.tobytes() + key.encode()).hexdigest()[:16]
    told = hashlib.sha256(repr(drawn).encode()).hexdigest()[:16]
    return {**drawn, "layout": layout, "key": f"{layout}/{told}"}


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
