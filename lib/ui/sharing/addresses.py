"""The addresses that share links are made of."""

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

import streamlit as st

from lib.ui.sharing.opened import KIND, PARAMETER

DELETION = "unshare"
"""Where a deletion link carries the id and the secret, with a full stop between."""
_OF_UPLOADS = ("pasted", "column_", "query_column_", "query_fields_", "query_topic_", "query_split_", "upload_")
_FRAME = "/~/+"  # the path at which Community Cloud shows an app inside of its own page


def share_address(share: str, parts: Iterable[str]) -> str:
    """The address of what is on the screen, with `parts` of it (corpus, queries) out of the share."""
    query = {name: st.query_params.get_all(name) for name in st.query_params if not name.startswith(_OF_UPLOADS)}
    for name in (PARAMETER, DELETION):
        query.pop(name, None)
    return _with({**query, **{part: [KIND] for part in parts}, PARAMETER: [share]})


def deletion_address(share: str, secret: str) -> str:
    """The address that asks whether the share is to be deleted."""
    return _with({DELETION: [f"{share}.{secret}"]})


def only_here(address: str) -> bool:
    """Whether an address names the visitor's own machine."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")


def _with(query: dict[str, list[str]]) -> str:
    here = (st.context.url or "").split("?")[0].split("#")[0].replace(_FRAME, "", 1)
    here = here if not here or urlsplit(here).path else f"{here}/"  # Streamlit names the first page without it
    return f"{here}?{urlencode(query, doseq=True)}"
