"""What the server's owner has set: taken out of the secrets into the environment once a process, and checked.

Processes that a page starts (trainings) inherit the environment, so that what holds here holds there.
"""

import logging
import os
from pathlib import Path

import streamlit as st

from lib.errors import InputError
from lib.settings import SECTION, check, take
from lib.ui.messages import refuse

_log = logging.getLogger(__name__)


def settle() -> None:
    """Let the owner's settings hold before a page asks for one; a bad one ends the page, and is told in the log."""
    fault = _fault()
    if fault:
        refuse(
            "This server is not set up right, so nothing is opened. Its owner finds in its log which setting to mend."
        )
        st.stop()


@st.cache_resource(max_entries=1, show_spinner=False)
def _fault() -> str | None:
    """Why the settings cannot hold; None where they do."""
    try:
        if st.secrets.load_if_toml_exists():
            if SECTION in st.secrets:
                os.environ.update(take(_section(), os.environ))
        elif files := [place for place in st.get_option("secrets.files") if Path(place).exists()]:
            raise InputError(f"{Path(files[0]).name} is there and cannot be read: expected TOML, a setting a line.")
        check()
    except InputError as fault:
        _log.error("Embedscope's settings cannot be used: %s", fault)
        return str(fault)
    return None


def _section() -> dict[str, object]:
    held = st.secrets[SECTION]
    if not hasattr(held, "to_dict"):
        raise InputError(f"[{SECTION}] in the secrets should be a section with a setting a line, got a single value.")
    section: dict[str, object] = held.to_dict()
    return section
