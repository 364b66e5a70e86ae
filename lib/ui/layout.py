"""The places of a view: a row of numbers, and the picture beneath them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.numerals import minus
from lib.ui.terms import explained

_NUMBER_WIDTH = 150
_WIDE = 220  # for a count with its share


def numbers_over_picture() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places, one above the other: a row that wraps on narrow screens for `number`, and one for the figure."""
    return st.container(horizontal=True, gap="small"), st.container()


def number(label: str, value: str, meaning: str, *, wide: bool = False) -> None:
    """One of a view's numbers; `meaning` says what its range and baseline are."""
    st.metric(label, minus(value), help=explained(label, meaning), width=_WIDE if wide else _NUMBER_WIDTH)
