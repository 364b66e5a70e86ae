"""The first-run tour, and the help of every page: its words, the glossary, the tour again.

The tour is a card at the edge of the window that rings what it speaks of. It begins by itself only at the bare
address of a browser that has not seen it, blocks nothing, and is over when it was skipped or read to its end; the
browser remembers that (localStorage), the server only that it runs in this session.
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from lib.glossary import of_page
from lib.ui.terms import ADDRESS, link, remember_page

KEY = "tour"
"""Of the component."""
_RUNS = "_tour_runs"
_ASKED = "_tour_asked"
_FIRST = "overview"
_ASSETS = Path(__file__).parent / "assets"
_HTML = """
<section class="card" role="dialog" aria-label="Tour" aria-modal="false" hidden>
  <p class="place" role="status"></p>
  <h2 class="title"></h2>
  <p class="text"></p>
  <div class="buttons">
    <button class="skip" type="button">Skip the tour</button>
    <button class="back" type="button">Back</button>
    <button class="next" type="button">Next</button>
  </div>
</section>
"""


@dataclass(frozen=True)
class Step:
    """A step of the tour."""

    title: str
    """A few words."""
    text: str
    """One to three sentences."""
    at: tuple[str, ...] = ()
    """CSS selectors of what it points at: the first one that is on screen gets the ring; none for the whole app."""


STEPS = (
    Step(
        "What is inside an embedding model?",
        "Embedscope opens a text-embedding model and shows what it does with your texts. It is open on a sample: "
        "everything here works before you bring anything of your own. Six short steps; skip them whenever you like.",
    ),
    Step(
        "The encoder",
        "Which model is looked at. The packaged one is there already; a folder or a name from the hub works too. On a "
        "narrow screen this stands behind the arrows at the top left.",
        (".st-key-encoder", '[data-testid="stSidebar"][aria-expanded="true"]',
         '[data-testid="stExpandSidebarButton"]'),
    ),
    Step(
        "The texts",
        "What it looks at: the sample, a file of yours (CSV, JSONL, Parquet or text), or pasted lines. What you bring "
        "stays in your session until you make a share link.",
        (".st-key-corpus", '[data-testid="stSidebar"][aria-expanded="true"]', '[data-testid="stExpandSidebarButton"]'),
    ),
    Step(
        "Eight signals",
        "The overview gives a number for each, what to hold it against, and what it means here. Its link opens the "
        "page that shows it in full.",
        (".st-key-signals_space", '[data-testid="stMain"] h1'),
    ),
    Step(
        "A page, a question",
        "Geometry, Layers and Retrieval ask about the space; Fine-tune Diff compares two checkpoints; the pages below "
        "take vectors apart into features. Tabs on each page are its views.",
        ('[data-testid="stSidebarNav"]', '[data-testid="stExpandSidebarButton"]'),
    ),
    Step(
        "Take it with you",
        "The address holds every choice: copy the link to send a view, or make a report of it. Help has the words of "
        "the page, the glossary, and this tour.",
        (".st-key-toolbar",),
    ),
)  # fmt: skip
"""The tour, in its order."""


def offer_help(page: str) -> None:
    """Draw the help of `page`, the last part of its address: its words, the glossary, and the tour."""
    remember_page(page)
    st.html(_ASSETS / "page.css")
    with st.popover("Help", icon=":material/help:", help="The words of this page, the glossary, the tour."):
        if words := of_page(page):
            st.markdown("**Words of this page**\n\n" + " · ".join(map(link, words)))
        st.page_link(f"pages/{ADDRESS}.py", label="All words: the glossary", icon=":material/dictionary:")
        st.button("Take the tour", icon=":material/explore:", key="take_tour", on_click=_begin,
                  help="Six short steps through what stands where.")  # fmt: skip
    if st.session_state.setdefault(_RUNS, page == _FIRST and not st.query_params):
        _card()(
            key=KEY,
            data={"steps": [asdict(step) for step in STEPS], "asked": st.session_state.get(_ASKED, 0)},
            on_over_change=_end,
            height="content",
            width=1,
        )


def _begin() -> None:
    st.session_state[_RUNS] = True
    st.session_state[_ASKED] = st.session_state.get(_ASKED, 0) + 1


def _end() -> None:
    st.session_state[_RUNS] = False


@cache
def _card() -> Any:
    return st.components.v2.component(
        "embedscope_tour",
        html=_HTML,
        css=(_ASSETS / "tour.css").read_text(encoding="utf-8"),
        js=(_ASSETS / "tour.js").read_text(encoding="utf-8"),
    )
