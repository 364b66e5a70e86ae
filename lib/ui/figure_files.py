"""The buttons SVG and PNG under a picture: the browser makes both of what it has drawn, the server needs none."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_ASSETS = Path(__file__).parent / "assets"
_HTML = """
<span class="embedscope-save" role="group">
  <button type="button" data-format="svg">SVG</button><button type="button" data-format="png">PNG</button>
  <span class="told" role="status"></span>
</span>
"""


@cache
def _buttons() -> Any:
    return st.components.v2.component(
        "embedscope_save",
        html=_HTML,
        js=(_ASSETS / "figure_files.js").read_text("utf-8"),
        isolate_styles=False,
    )


def offer_pictures(where: str, *, key: str, file: str, about: str) -> None:
    """Two buttons that save what the browser has drawn in the element `where`.

    Args:
        where: a CSS selector: of what holds a plotly chart.
        key: of the buttons.
        file: name of the files, without a suffix.
        about: what is drawn there, for screen readers.
    """
    _buttons()(key=key, data={"where": where, "file": file, "about": about}, width="content")
