"""The results of the Diagnostics page, computed once for all sessions, by content key; kept where they took long."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from lib.progress import Progress
from lib.results import Result
from lib.sae import diagnostics
from lib.sae.codes import Codes
from lib.ui import resources
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae import cached as sae_cached
from lib.ui.sae_space import SaeSpace
from lib.ui.shelved import shelved

R = TypeVar("R", bound=Result)
_VERSION = 1  # raised when the same codes would give other results than before
_PAIRS_AT_ONCE = 5e7  # pairs of active features over all texts, counted in about a second
_PRODUCTS_AT_ONCE = 2**24  # cosines of directions, made in about a second


def absorption(space: SaeSpace, threshold: float, min_support: int, most_share: float) -> diagnostics.Absorption:
    """The pairs of features that are flagged."""
    codes = sae_cached.codes(space)
    asked = {"threshold": threshold, "min_support": min_support, "most_share": most_share}
    if float((codes.active.astype(float) ** 2).sum()) <= _PAIRS_AT_ONCE:
        return _absorption(space.codes_key, threshold, min_support, most_share, codes, space)
    return _kept(
        diagnostics.Absorption,
        {"codes": space.codes_key, **asked},
        "Counting which features fire together",
        lambda tell: diagnostics.scan_absorption(codes, space.sae, **asked, progress=tell),  # type: ignore[arg-type]
    )


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Comparing features…")
def _absorption(
    key: str, threshold: float, min_support: int, most_share: float, _codes: Codes, _space: SaeSpace
) -> diagnostics.Absorption:
    return diagnostics.scan_absorption(
        _codes, _space.sae, threshold=threshold, min_support=min_support, most_share=most_share
    )


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Looking label by label…")
def _by_label(key: str, min_share: float | None, _codes: Codes, _space: SaeSpace) -> diagnostics.AbsorptionByLabel:
    labels = _space.space.labels or ()
    return diagnostics.label_absorption(_space.space.vectors, _codes, _space.sae, labels, min_share=min_share)


def by_label(space: SaeSpace, min_share: float | None) -> diagnostics.AbsorptionByLabel:
    """Where another feature takes a label's place."""
    return _by_label(space.key, min_share, sae_cached.codes(space), space)


def polysemy(space: SaeSpace, top: int) -> diagnostics.Polysemy:
    """Semantic variance and senses of every feature."""
    codes = sae_cached.codes(space)
    return _kept(
        diagnostics.Polysemy,
        {"codes": space.codes_key, "texts": space.space.corpus.key, "top": top},
        "Comparing the examples of features",
        lambda tell: diagnostics.polysemy(
            space.space.vectors, codes, texts=space.space.corpus.texts, top=top, progress=tell
        ),
    )


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Parting its examples…")
def _senses(key: str, feature: int, top: int, unrelated: float, _codes: Codes, _space: SaeSpace) -> diagnostics.Senses:
    return diagnostics.senses_of(
        _space.space.vectors, _codes, _space.space.corpus.texts, feature=feature, unrelated=unrelated, top=top
    )


def senses(space: SaeSpace, feature: int, top: int, unrelated: float) -> diagnostics.Senses:
    """The senses of one feature."""
    return _senses(space.key, feature, top, unrelated, sae_cached.codes(space), space)


def health(space: SaeSpace) -> diagnostics.Health:
    """How the dictionary does on the corpus. What the database knows of it may change, so that only parts are kept."""
    codes = sae_cached.codes(space)
    frequency, stability = diagnostics.known_from_training(space.sae, space.shipped)
    known = (_unexplained(space.key, codes, space), _double(space))
    return diagnostics.health(
        space.space.vectors, codes, space.sae, frequency=frequency, stability=stability, known=known
    )


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner="Reconstructing the texts…")
def _unexplained(key: str, _codes: Codes, _space: SaeSpace) -> diagnostics.Unexplained:
    return diagnostics.unexplained(_space.space.vectors, _codes, _space.sae, _space.space.labels)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Comparing directions…")
def _duplicates(key: str, _space: SaeSpace) -> diagnostics.Duplicates:
    return diagnostics.duplicates(_space.sae)


def _double(space: SaeSpace) -> diagnostics.Duplicates:
    if space.sae.features**2 <= _PRODUCTS_AT_ONCE:
        return _duplicates(space.sae.key, space)
    return _kept(
        diagnostics.Duplicates,
        {"sae": space.sae.key},
        "Comparing directions",
        lambda tell: diagnostics.duplicates(space.sae, progress=tell),
    )


def _kept(kind: type[R], inputs: dict[str, Any], doing: str, make: Callable[[Progress], R]) -> R:
    """The result from the shelf, or made now with a bar; the page ends here where the user has stopped it."""

    def made(name: str) -> R | None:
        begin(name)
        if not started(name, "Go on", about=f"{doing}: it is done once, and what is found is kept."):
            return None
        with stoppable(name, doing) as tell:
            return make(tell)

    found = shelved(kind, {**inputs, "version": _VERSION}, made)
    return st.stop() if found is None else found
