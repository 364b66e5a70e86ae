"""What the Concepts view computes: once for every session, and kept on the shelf."""

import streamlit as st

from lib.finetune.concepts import ConceptDiff, ConceptSide, FeatureChange, diff_concepts, feature_change
from lib.ui import resources
from lib.ui.finetune.dictionary import Dictionary
from lib.ui.finetune.pair import PairSpace
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae.cached import codes
from lib.ui.shelved import shelved

_VERSION = 1  # raised when the same vectors and dictionary would give other numbers than before
_SLOW = "Both checkpoints have to be read through the dictionary once; what is found is kept."


def concepts_of(pair: PairSpace, dictionary: Dictionary) -> ConceptDiff:
    """The features of the dictionary before and after; the page ends here where the user has stopped it."""
    base, tuned = (ConceptSide(side.space.vectors, codes(side)) for side in dictionary.sides(pair))
    inputs = {
        "base": pair.base.vectors_key, "tuned": pair.tuned.vectors_key, "corpus": pair.base.corpus.key,
        "sae": dictionary.sae.key, "version": _VERSION,
    }  # fmt: skip

    def made(name: str) -> ConceptDiff | None:
        begin(name)
        if not started(name, "Go on", about=_SLOW):
            return None
        with stoppable(name, "Comparing features") as tell:
            return diff_concepts(dictionary.sae, base, tuned, labels=pair.base.labels, progress=tell)

    found = shelved(ConceptDiff, inputs, made)
    if found is None:
        st.stop()
    return found


def one_feature(pair: PairSpace, dictionary: Dictionary, feature: int) -> FeatureChange:
    """One feature text by text."""
    return _one_feature(f"{pair.key}/{dictionary.sae.key}", feature, pair, dictionary)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _one_feature(key: str, feature: int, _pair: PairSpace, _dictionary: Dictionary) -> FeatureChange:
    base, tuned = (codes(side) for side in _dictionary.sides(_pair))
    return feature_change(base, tuned, feature, labels=_pair.base.labels)
