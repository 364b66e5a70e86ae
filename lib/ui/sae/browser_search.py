"""Search in the Browser: features whose label holds a word, or that a sentence fires."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from lib.sae.database import FeatureDatabase
from lib.sae.labels.phrases import word_set
from lib.ui import resources
from lib.ui.controls import one_of
from lib.ui.messages import tell
from lib.ui.sae_space import SaeSpace

_WHERE = ("labels", "what a sentence fires")
_MOST_CHARACTERS = 5_000


@dataclass(frozen=True)
class Found:
    """Features that a search found."""

    features: list[int]
    """The best match first."""
    meaning: str
    """How they were found."""
    nothing: str
    """What to say where there are none."""

    @property
    def listed(self) -> bool:
        """Whether anything was found."""
        return bool(self.features)


def search(space: SaeSpace, database: FeatureDatabase | None) -> Found | None:
    """Draw the search, and answer what it finds; None where nothing is searched."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input(
            "Search features", key="browser_search", bind="query-params", persist_state="session", width=420,
            placeholder="a word, or a sentence", icon=":material/search:", max_chars=_MOST_CHARACTERS,
            help="Words are sought in labels; a sentence finds the features that fire on it.",
        )  # fmt: skip
        where = one_of(
            "in", _WHERE, key="browser_in",
            help="labels: features whose label holds all words, in any form. what a sentence fires: the text is taken "
            "apart, and its features are listed, the strongest first.",
        )  # fmt: skip
    words = (asked or "").strip()
    if not words:
        return None
    if where == _WHERE[0]:
        return _by_label(database, words)
    return _by_sentence(space, words)


def _by_label(database: FeatureDatabase | None, words: str) -> Found:
    if database is None or "label" not in database.table.columns:
        return Found([], "", "No feature has a label yet: make labels below, or search by what a sentence fires.")
    wanted, folded = word_set(words), words.casefold()
    labels = database.table["label"].tolist()
    scores = database.numbers("score")
    found = [
        feature
        for feature, label in enumerate(labels)
        if isinstance(label, str) and (folded in label.casefold() or (wanted and wanted <= word_set(label)))
    ]
    worth = np.zeros(len(labels)) if scores is None else np.nan_to_num(scores)
    return Found(
        sorted(found, key=lambda feature: -worth[feature]),
        "Features whose label holds the words, those with the best score first.",
        f"No label holds “{words[:80]}”. Labels have few words: search by what a sentence fires, which needs none.",
    )


def _by_sentence(space: SaeSpace, words: str) -> Found | None:
    checkpoint = space.space.checkpoint
    if checkpoint is None:
        tell(["This corpus brought embeddings of its own, so no sentence can be embedded: search in labels."])
        return None
    vector = resources.embed_now((words,), checkpoint, role="document", precision=space.space.precision)
    features, activations = space.sae.encode(np.asarray(vector)).of(0)
    order = np.argsort(-activations, kind="stable")
    return Found(
        features[order].tolist(),
        "Features that the sentence fires and that fire on these texts, the strongest in the sentence first.",
        "The sentence fires no feature.",
    )
