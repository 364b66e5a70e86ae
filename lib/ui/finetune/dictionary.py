"""The base's dictionary, through which both checkpoints of a diff are read; it is chosen in the view."""

from dataclasses import dataclass

import streamlit as st

from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.database import FeatureDatabase
from lib.sae.fit import check_fit
from lib.ui import resources
from lib.ui.finetune.pair import PairSpace
from lib.ui.messages import count, tell
from lib.ui.sae.labels_in_force import labels_in_force
from lib.ui.sae_choice import choose_sae, chosen_sae
from lib.ui.sae_space import SaeSpace


@dataclass(frozen=True)
class Dictionary:
    """A sparse autoencoder of the base's space, and what is known of its features."""

    sae: SparseAutoencoder
    """The dictionary."""
    database: FeatureDatabase | None
    """What is known of its features; None where nothing is."""
    source: str
    """What the choice calls it."""

    def label(self, feature: int) -> str | None:
        """What a feature is about; None where that is not known."""
        return self.database.label(feature) if self.database is not None else None

    def sides(self, pair: PairSpace) -> tuple[SaeSpace, SaeSpace]:
        """Base and tuned through it."""
        base, tuned = (SaeSpace(space, self.sae, self.database, self.source) for space in (pair.base, pair.tuned))
        return base, tuned


def choose_dictionary(pair: PairSpace) -> Dictionary:
    """Draw the choice of a dictionary for both sides, and open what is chosen.

    Raises:
        InputError: it cannot be opened, was trained for another encoder than the base, or the tuned checkpoint has
            another width.
    """
    base, tuned = pair.checkpoints
    if not pair.one_width:
        raise InputError(
            f"Features are directions in the base's space of {count(base.dimensions)} dimensions, and "
            f"{tuned.source} makes vectors of {count(tuned.dimensions)}: choose a checkpoint that was tuned from the "
            "base, or under Concepts read each through a dictionary of its own."
        )
    return choose_base_dictionary(pair)


def choose_base_dictionary(pair: PairSpace) -> Dictionary:
    """Draw the choice of a dictionary for the base, and open what is chosen.

    Raises:
        InputError: it cannot be opened, or was trained for another encoder than the base.
    """
    base = pair.checkpoints[0]
    with st.container(width=420):
        choose_sae(base)
    found = chosen_sae()
    check_fit(found.sae, base)
    try:
        shipped = resources.feature_database(found)
    except InputError as fault:
        tell([f"This dictionary is shown without the labels that lie beside it, which cannot be used: {fault}"])
        shipped = None
    return Dictionary(found.sae, labels_in_force(found.sae, shipped), found.source)
