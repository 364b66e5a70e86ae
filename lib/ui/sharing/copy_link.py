"""A button that copies the address of what is on the screen, and says what an address cannot carry.

Every control of a view stands in its address (tests/app/test_app_links.py), so the address is the whole link. The
button is drawn before the page is, so it reads the address in the browser, when it is pressed.
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from lib.ui.sae import labels_in_force

LONGEST = 8_000
"""Characters of an address beyond which mail and chat programs are known to cut it off."""
_ASSETS = Path(__file__).parent / "assets"
_HTML = """
<div class="root">
  <button class="copy" type="button" aria-label="Copy the link to this view" aria-expanded="false" aria-controls="said">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M10 14a4 4 0 0 0 5.7 0l3.6-3.6a4 4 0 0 0-5.7-5.7L12 6.3"/>
      <path d="M14 10a4 4 0 0 0-5.7 0l-3.6 3.6a4 4 0 0 0 5.7 5.7L12 17.7"/></svg>
    <span class="word">Copy link</span>
  </button>
  <div class="said" id="said" hidden>
    <p class="how"></p>
    <input class="address" type="text" readonly hidden aria-label="The address of this view">
    <ul class="left"></ul>
    <button class="shut" type="button" aria-label="Close">✕</button>
  </div>
  <span class="status" role="status"></span>
</div>
"""


@dataclass(frozen=True)
class Left:
    """What a view shows that whoever opens its address does not find."""

    name: str
    """A part of the address."""
    values: tuple[str, ...]
    """The values of it that stand for something of this session alone."""
    note: str
    """What the reader of the link misses, and what to do."""


LEFT = (
    Left(
        "corpus",
        ("Upload", "Paste"),
        "Your texts stay in your session: whoever opens this link sees its settings, and is asked for the texts. "
        "To send them along, create a share link.",
    ),
    Left(
        "queries",
        ("Upload",),
        "Your query set stays in your session: whoever opens this link sees its settings, and is asked for the "
        "files. To send them along, create a share link.",
    ),
    Left("run", ("upload",), "The training log that you uploaded stays in your session: send the file along."),
    Left("tune_data", ("Pairs or triplets",), "The pairs to train on stay in your session: send the file along."),
)
"""What stays behind, as far as the address tells."""
_LABELS = "The labels that you edited or imported stay in your session: export them in the Browser and send them along."
_INPUTS = "The file of new inputs stays in your session: send it along."


def offer_link() -> None:
    """Draw it."""
    _button()(
        key="copy_link",
        data={"kinds": [asdict(one) for one in LEFT], "notes": _of_session(), "longest": LONGEST},
        width="content",
    )


def _of_session() -> list[str]:
    """What stays behind of which the address tells nothing."""
    notes = [_LABELS] if labels_in_force.of_this_session() else []
    return notes + ([_INPUTS] if st.session_state.get("new_file") else [])


@cache
def _button() -> Any:
    return st.components.v2.component(
        "embedscope_copy_link",
        html=_HTML,
        css=(_ASSETS / "copy_link.css").read_text(encoding="utf-8"),
        js=(_ASSETS / "copy_link.js").read_text(encoding="utf-8"),
    )
