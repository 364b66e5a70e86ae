"""The sidebar's third choice on pages about features: which sparse autoencoder takes the vectors apart."""

import streamlit as st

from lib.errors import InputError
from lib.sae.sources import PACKAGED_SAE, PACKAGED_SAES, OpenedSae
from lib.ui import resources
from lib.ui.messages import count, plain

KEY = "sae"
_CHOSEN = "_sae_source"


def choose_sae() -> None:
    """Draw the choice in the sidebar; `chosen_sae` opens it."""
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


def chosen_sae() -> OpenedSae:
    """What the sidebar of this run names.

    Raises:
        InputError: it cannot be opened.
    """
    found = resources.sae(str(st.session_state.get(_CHOSEN, PACKAGED_SAE)))
    if isinstance(found, InputError):
        raise found
    return found
