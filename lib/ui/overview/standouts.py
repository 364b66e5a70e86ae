"""What stands out: the first few of each kind, each with the way to where it is seen in full."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.overview.signals import Item, StandOut
from lib.ui import downloads
from lib.ui.messages import counted, plain
from lib.ui.overview.rows import carried

_CARD = 450
"""Wide enough for a text's beginning; two stand side by side on a wide screen."""
_ICONS = {
    "weakest_label": ":material/category:",
    "suspicious_inputs": ":material/report:",
    "flagged_heads": ":material/visibility:",
    "worst_topic": ":material/topic:",
    "weakest_queries": ":material/search_off:",
}
_ORDER = ("worst_topic", "weakest_queries", "suspicious_inputs", "weakest_label", "flagged_heads")


def show_standouts(found: Sequence[StandOut]) -> None:
    """Draw all of them, and one table of their items to take away."""
    if not found:
        st.caption("Nothing to tell yet: the signals above say what they need.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        for one in sorted(found, key=lambda one: _ORDER.index(one.kind)):
            with st.container(width=_CARD):
                _show(one)
    table = pd.DataFrame(
        [
            {
                "question": one.title,
                "what": item.name,
                "value": item.value,
                "measure": one.quantity,
                "text": item.text,
                "note": item.note,
            }
            for one in found
            for item in one.items
        ]
    )
    if len(table):
        downloads.offer_table(table, name="stand-outs")


def _show(one: StandOut) -> None:
    with st.container(border=True, gap="small", key=f"standout_{one.kind}"):
        st.page_link(
            f"pages/{one.page}.py", label=f"**{plain(one.title)}**", icon=_ICONS[one.kind],
            query_params=carried() | dict(one.query), help="Opens the view where they are seen in full.",
        )  # fmt: skip
        st.markdown(plain(one.sentence))
        with st.container(gap=None):
            for item in one.items:
                _item(one, item)
        rest = one.total - len(one.items)
        more = f"And {counted(rest, 'other')}. " if rest > 0 else ""
        st.caption(f"{more}{plain(one.rule)}")


def _item(one: StandOut, item: Item) -> None:
    """A line: the number, the name, the beginning of the text; a link where the item has a place of its own."""
    line = f"{plain(item.shown)} · **{plain(item.name)}**"
    if item.text:
        line += f" {plain(item.text)}"
    if item.query:
        st.page_link(
            f"pages/{one.page}.py", label=line, query_params=carried() | dict(one.query) | dict(item.query),
            help=item.note and plain(item.note),
        )  # fmt: skip
        return
    note = f" :gray[({plain(item.note)})]" if item.note else ""
    st.markdown(f":small[{line}{note}]")
