"""The sidebar's third choice on pages about features: which sparse autoencoder takes the vectors apart."""

import streamlit as st

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.sae.sources import PACKAGED_SAE, PACKAGED_SAES, OpenedSae
from lib.ui import resources
from lib.ui.messages import count, plain

KEY = "sae"
_CHOSEN, _ENCODER = "_sae_source", "_sae_encoder"


def choose_sae(checkpoint: Checkpoint | None) -> None:
    """Draw the choice in the sidebar, for vectors of the encoder in `checkpoint`; `chosen_sae` opens it."""
    _follow(checkpoint)
    st.session_state[_CHOSEN] = source = str(
        st.selectbox(
            "Sparse autoencoder",
            list(PACKAGED_SAES),
            accept_new_options=True,
            key=KEY,
            bind="query-params",
            persist_state="session",
            help="Each packaged one belongs to a packaged encoder. Or type a hub id (owner/name, or "
            "owner/name/folder) or a folder that the server's owner allows, in the format of Embedscope, SAELens, "
            "sparsify or dictionary_learning; one that you train in SAE Features is chosen there.",
        )
    )
    found = resources.sae(source)
    if isinstance(found, InputError):
        st.caption(":material/block: This sparse autoencoder could not be opened.")
        return
    sae = found.sae
    kept = f"k = {count(sae.k)}" if sae.k else "a threshold a feature"
    rule = {"topk": "TopK", "batchtopk": "BatchTopK", "jumprelu": "JumpReLU"}[sae.rule]
    st.caption(plain(f"{count(sae.features)} features · {count(sae.dimensions)} dimensions · {rule}, {kept}"))


def _follow(checkpoint: Checkpoint | None) -> None:
    """Where a packaged encoder has just been chosen, take its packaged dictionary instead of another packaged one."""
    encoder = checkpoint.source if checkpoint is not None else None
    before = st.session_state.get(_ENCODER)
    st.session_state[_ENCODER] = encoder
    own = next((source for source, of in PACKAGED_SAES.items() if of == encoder), None)
    asked = st.session_state.get(KEY) or st.query_params.get(KEY, PACKAGED_SAE)
    named = before is None and KEY in st.query_params  # by the address: it is taken at its word
    if own and encoder != before and asked in PACKAGED_SAES and not named:
        st.session_state[KEY] = own


def chosen_sae() -> OpenedSae:
    """What the sidebar of this run names.

    Raises:
        InputError: it cannot be opened.
    """
    found = resources.sae(str(st.session_state.get(_CHOSEN, PACKAGED_SAE)))
    if isinstance(found, InputError):
        raise found
    return found
