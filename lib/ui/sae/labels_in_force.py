"""Which labels every view shows: what the session chose (imported, or made on its corpus), else what ships; edited.

Edits hold in their session; where the server is its visitor's own (`lib.sae.label_edits`) they are kept on disk, too.
"""

from collections.abc import Mapping

import streamlit as st

from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.database import FeatureDatabase, blank_database
from lib.sae.feature_table import Edit
from lib.sae.label_edits import LabelEdits, Visit, default_edits, edits_are_kept

_CHOSEN, _EDITED, _FORCE = "_feature_databases", "_edited_labels", "_labels_in_force"

Edits = dict[int, Edit]


def labels_in_force(sae: SparseAutoencoder, shipped: FeatureDatabase | None) -> FeatureDatabase | None:
    """The database to show for `sae`, where `shipped` comes with it; None where nobody knows anything."""
    base, edits = chosen_database(sae) or shipped, edited(sae)
    if not edits:
        return base
    key = (id(base), sae.key, repr(sorted(edits.items())))
    held = st.session_state.get(_FORCE)
    if held is None or held[0] != key:
        made = (base or blank_database(sae, "no corpus")).with_edits(edits)
        held = st.session_state[_FORCE] = (key, made, base)  # base is held so that its id stays its own
    found: FeatureDatabase = held[1]
    return found


def chosen_database(sae: SparseAutoencoder) -> FeatureDatabase | None:
    """What this session chose instead of what ships."""
    found: FeatureDatabase | None = st.session_state.get(_CHOSEN, {}).get(sae.key)
    return found


def choose_database(sae: SparseAutoencoder, database: FeatureDatabase | None) -> None:
    """Show `database` from now on in this session; None for what ships."""
    chosen = st.session_state.setdefault(_CHOSEN, {})
    if database is None:
        chosen.pop(sae.key, None)
    else:
        chosen[sae.key] = database


def edited(sae: SparseAutoencoder) -> Edits:
    """The labels that were edited: in this session, and those that are kept for it."""
    kept = _kept()
    session: Edits = st.session_state.get(_EDITED, {}).get(sae.key, {})
    return (kept.read(sae.key) if kept else {}) | session


def edit(sae: SparseAutoencoder, edits: Mapping[int, Edit]) -> None:
    """Give features other labels.

    Raises:
        InputError: they cannot be kept on disk; in the session they hold.
    """
    st.session_state.setdefault(_EDITED, {}).setdefault(sae.key, {}).update(edits)
    kept = _kept()
    if kept:
        kept.write(sae.key, edits)


def of_this_session() -> bool:
    """Whether labels are shown that the session chose or edited itself."""
    return any(any(st.session_state.get(place, {}).values()) for place in (_CHOSEN, _EDITED))


def forget_edits(sae: SparseAutoencoder) -> None:
    """Take every edit back."""
    st.session_state.get(_EDITED, {}).pop(sae.key, None)
    kept = _kept()
    if kept:
        kept.forget(sae.key)


def are_kept() -> bool:
    """Whether edits of this visitor go to disk."""
    headers = st.context.headers.to_dict()
    opened_here = not st.get_option("server.headless")
    return edits_are_kept(Visit(st.context.url, st.context.ip_address, headers, opened_here))


def _kept() -> LabelEdits | None:
    return default_edits() if are_kept() else None
