"""The other model of a comparison: its encoder and its dictionary are chosen in the tab, and stand in the address."""

import streamlit as st

from lib.encoders import PACKAGED, PACKAGED_STATIC
from lib.errors import InputError
from lib.sae.fit import check_fit
from lib.sae.sources import PACKAGED_SAES
from lib.ui import resources
from lib.ui.encoding import encoded
from lib.ui.messages import count, plain
from lib.ui.sae.labels_in_force import labels_in_force
from lib.ui.sae_space import SaeSpace
from lib.ui.workspace import Space

_ENCODER, _SAE = "match_encoder", "match_sae"
_SAE_OF = {encoder: sae for sae, encoder in PACKAGED_SAES.items()}


def choose_other(space: SaeSpace) -> SaeSpace:
    """Draw the choice; the same corpus in the other encoder's space, with the other dictionary.

    Raises:
        InputError: one of them cannot be opened, or they do not belong together.
    """
    mine = space.space.checkpoint.source if space.space.checkpoint is not None else PACKAGED_STATIC
    first = PACKAGED_STATIC if mine == PACKAGED else PACKAGED
    follow_default(_ENCODER, first)
    follow_default(_SAE, _SAE_OF[first])
    with st.container(horizontal=True):
        encoder = str(
            st.selectbox(
                "Other encoder", [first, PACKAGED if first == PACKAGED_STATIC else PACKAGED_STATIC], key=_ENCODER,
                bind="query-params", persist_state="session", accept_new_options=True, width=300, on_change=_follow,
                help="The same corpus is read by it. Type any hub id (owner/name), or a folder that the server's owner "
                "allows; the same encoder as in the sidebar to compare two dictionaries of one space.",
            )
        )  # fmt: skip
        source = str(
            st.selectbox(
                "Its sparse autoencoder", _offered(first), key=_SAE, bind="query-params", persist_state="session",
                accept_new_options=True, width=300,
                help="A packaged one, or type a hub id, a folder that the server's owner allows, or run:NAME for one "
                "that was trained here.",
            )
        )  # fmt: skip
    return _opened(space, encoder, source)


def follow_default(key: str, default: str) -> None:
    """Move a choice that nobody made to where it now begins: it depends on other choices.

    Else the session would keep the old beginning, while the browser shows the new one.
    """
    last = st.session_state.get(f"_{key}_began")
    if last not in (None, default) and st.session_state.get(key) == last:
        st.session_state[key] = default
    st.session_state[f"_{key}_began"] = default


def _offered(encoder: str) -> list[str]:
    """The packaged dictionaries, that of `encoder` first."""
    own = _SAE_OF.get(encoder)
    return sorted(PACKAGED_SAES, key=lambda sae: sae != own)


def _follow() -> None:
    """A packaged encoder brings its dictionary along."""
    own = _SAE_OF.get(str(st.session_state.get(_ENCODER)))
    if own:
        st.session_state[_SAE] = own


def _opened(space: SaeSpace, encoder: str, source: str) -> SaeSpace:
    checkpoint, opened = resources.checkpoint(encoder), resources.sae(source)
    for found in (checkpoint, opened):
        if isinstance(found, InputError):
            raise found
    if isinstance(checkpoint, InputError) or isinstance(opened, InputError):
        raise TypeError("both were opened")  # for the type checker: an InputError was raised above
    check_fit(opened.sae, checkpoint)
    corpus, precision = space.space.corpus, space.space.precision
    layers = f"{count(checkpoint.layers)} layers" if checkpoint.layers else "no layers"
    st.caption(
        plain(
            f"{count(checkpoint.dimensions)} dimensions · {layers} · {count(opened.sae.features)} features, against "
            f"{count(space.sae.dimensions)} dimensions and {count(space.sae.features)} features of the sidebar's."
        )
    )
    made = encoded(corpus.key, corpus.texts, checkpoint, precision)
    there = Space(corpus, checkpoint, precision, made.vectors, f"{made.key}/{corpus.key}", made.key)
    shipped = resources.feature_database(opened)
    return SaeSpace(there, opened.sae, labels_in_force(opened.sae, shipped), opened.source, shipped)
