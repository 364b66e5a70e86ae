"""One signal on one row: the number, what it means here, a small picture, and the way to the page behind it."""

import base64
import html
from typing import Any

import streamlit as st

from lib.charts.overview import HEIGHT, WIDTH, Small
from lib.overview.signals import Signal, digits
from lib.ui.messages import plain
from lib.ui.terms import explained

_NUMBER, _PICTURE = 165, 232
OWN = ("beside", "view")
"""Parts of the address that belong to the overview alone."""


def carried() -> dict[str, Any]:
    """What of the address a link takes along: encoder, corpus, query set, and their settings."""
    params = st.query_params
    return {
        name: values if len(values) > 1 else values[0]
        for name in params
        if name not in OWN and (values := params.get_all(name))
    }


def show_signal(signal: Signal, picture: Small | None = None) -> None:
    """Draw the row, with its small picture where there is one."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key=f"signal_{signal.name}"):
        with st.container(width=_NUMBER, gap=None):
            _number(signal)
        with st.container(width="stretch", gap=None, key=f"says_{signal.name}"):
            st.page_link(
                f"pages/{signal.page}.py", label=f"**{plain(signal.title)}**", icon=":material/arrow_forward:",
                icon_position="right", query_params=carried() | signal.query,
                help="Opens the page behind this number, with the same encoder and texts.",
            )  # fmt: skip
            _words(signal)
        if picture is not None:
            st.html(_image(picture), width=_PICTURE)


def _number(signal: Signal) -> None:
    if signal.value is None:
        st.markdown(":gray[—]")
        return
    meaning = f"{signal.quantity}. {signal.baseline_shown}." if signal.baseline_shown else signal.quantity
    st.metric(signal.quantity, signal.shown, help=explained(signal.quantity, meaning))
    if signal.interval is not None:
        low, high = (digits(end) for end in signal.interval)
        st.caption(f"{low} to {high}", help="95 % bootstrap interval over queries.")


def _words(signal: Signal) -> None:
    if signal.needs:
        st.caption(f":material/info: {plain(signal.needs)}")
        return
    st.markdown(plain(signal.sentence))
    said = f"Against {plain(signal.baseline_shown)}." if signal.baseline_shown else ""
    if signal.verdict:
        said += f" **{plain(signal.verdict[0].upper() + signal.verdict[1:])}.** {plain(signal.rule or '')}"
    st.caption(said)


def _image(picture: Small) -> str:
    """The picture as an image with its text alternative: shapes alone are taken out of HTML by Streamlit."""
    coded = base64.b64encode(picture.svg.encode()).decode()
    said = html.escape(picture.about)
    return (
        f'<img src="data:image/svg+xml;base64,{coded}" alt="{said}" title="{said}" width="{WIDTH}" height="{HEIGHT}">'
    )
