"""A network that the browser draws and moves, and whose clicks reach Python.

The script is vis-network as it comes with pyvis: it is sent once, from here, and nothing is fetched from elsewhere.
Whatever text the picture shows is set as text, never as HTML.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from lib.ui.file_names import file_name

_ASSETS = Path(__file__).parent / "assets"
_SCRIPT = "templates/lib/vis-9.1.2/vis-network.min.js"
_HTML = (
    '<div class="network"><div class="bar head"></div><div class="stage"><div class="plane"></div>'
    '<div class="tip" role="status"></div></div><div class="bar foot"></div></div>'
)


@cache
def _library() -> Any:
    """The component that does nothing but bring the script: its message is the same in each run, and so sent once."""
    script = (files("pyvis") / _SCRIPT).read_text(encoding="utf-8").split("//# sourceMappingURL")[0]
    loaded = 'globalThis.dispatchEvent(new Event("embedscope-vis"));\nexport default function () {}\n'
    return st.components.v2.component("embedscope_vis", js=f"{script}\n{loaded}")


@cache
def _picture() -> Any:
    return st.components.v2.component(
        "embedscope_network",
        html=_HTML,
        css=(_ASSETS / "picture.css").read_text(encoding="utf-8"),
        js="".join((_ASSETS / name).read_text(encoding="utf-8") for name in ("svg.js", "picture.js")),
    )


def network_component(picture: dict[str, Any], *, key: str, clicked: Callable[[int | None, int | None], None]) -> None:
    """Draw `picture`.

    Args:
        picture: what `lib.charts.network_picture` makes, and `key` (changes with what is drawn), `layout` (changes with
            where the nodes lie), `chosen` and `other` (features that are marked, or None).
        key: of the component.
        clicked: is told the feature whose node was clicked, or both ends of a line; None twice for the background.
    """

    def told() -> None:
        found = dict(st.session_state[key]).get("clicked") or {}
        clicked(_feature(found.get("feature")), _feature(found.get("other")))

    with st.container(gap=None):
        _picture()(key=key, data=picture | {"file": file_name("picture")}, on_clicked_change=told)
        _library()(key=f"{key}_library")


def _feature(value: object) -> int | None:
    """A feature's number as the browser sent it; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
