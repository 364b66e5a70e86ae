"""Which texts are selected on the map. A selection stands in the address, as far as it is short enough for one.

`selected=3f2a91c0.4-17.40` are rows 4 to 17 and 40 of the corpus whose texts and ids hash to 3f2a91c0; where many
are scattered, so that a bit for each text of the corpus is shorter, `selected=3f2a91c0.~AQgB` are those bits.
"""

import base64
import binascii
import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from lib.corpora import Corpus
from lib.corpora.corpus import hash_texts
from lib.errors import InputError
from lib.ui.messages import count, tell

NAME = "selected"
"""What it is called in the address."""
MOST = 4_000
"""Characters that it may take of an address."""
_READABLE = 60  # characters that rows take at any rate
_HELD = "_map_selected"


def take_selection(key: str, corpus: Corpus) -> None:
    """Keep what has just been selected on the chart of that key, or that nothing is any more."""
    rows = rows_of(st.session_state[key]["selection"]["points"], len(corpus))
    of = fingerprint(corpus)
    st.session_state[_HELD] = (of, rows)
    _to_address(of, rows, len(corpus))


def clear_selection(corpus: Corpus) -> None:
    """Select nothing."""
    st.session_state[_HELD] = (fingerprint(corpus), [])
    st.query_params.pop(NAME, None)


def selection(corpus: Corpus) -> list[int]:
    """Rows selected by hand in this session, else those that the address names; what is wrong with that is said."""
    held = st.session_state.get(_HELD)
    asked = st.query_params.get(NAME)
    if held is None and asked is None:
        return []
    of = fingerprint(corpus)
    if held is not None and held[0] == of:
        rows: list[int] = held[1]
        if rows and not _to_address(of, rows, len(corpus)):
            tell([f"A selection of {count(len(rows))} texts is too long for an address: a link to this view opens "
                  "without it. Select fewer, or download them below."])  # fmt: skip
        return rows
    if asked is None:
        return []
    try:
        return rows_in(asked, of, len(corpus))
    except InputError as fault:
        st.query_params.pop(NAME, None)
        if held is None:  # it came with the address, and not from another corpus of this session
            tell([str(fault)])
        return []


def selected_on(key: str) -> bool:
    """Whether the chart of that key shows a selection of its own, drawn by hand."""
    return bool(st.session_state.get(key, {}).get("selection", {}).get("points"))


def rows_of(points: list[dict[str, Any]], n: int) -> list[int]:
    """Rows of a corpus of n texts that the points of a chart stand for."""
    rows = {int(point["customdata"][0]) for point in points if point.get("customdata")}
    return sorted(row for row in rows if 0 <= row < n)


def fingerprint(corpus: Corpus) -> str:
    """What a selection is of: 8 hexadecimal digits of the hash of its texts and ids."""
    digest = hashlib.sha256(b"embedscope selection 1")
    hash_texts(digest, corpus.texts)
    hash_texts(digest, corpus.ids)
    return digest.hexdigest()[:8]


def written(of: str, rows: list[int], n: int) -> str:
    """The selection of ascending `rows` out of n as it stands in an address."""
    breaks = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(rows)) if other > one + 1), len(rows)]
    runs = [(rows[start], rows[end - 1]) for start, end in pairwise(breaks)]
    ranges = ".".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    if len(ranges) <= _READABLE:
        return f"{of}.{ranges}"
    packed = np.packbits(np.isin(np.arange(n), rows), bitorder="little").tobytes().rstrip(b"\0")
    bits = "~" + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"{of}.{min(ranges, bits, key=len)}"


def rows_in(text: str, of: str, n: int) -> list[int]:
    """The rows that an address selects.

    Raises:
        InputError: it selects texts of another corpus than `of`, or cannot be read.
    """
    theirs, _, what = text.partition(".")
    if theirs != of:
        raise InputError(
            "The address selects texts of another corpus: choose that one in the sidebar, or select here anew."
        )
    try:
        rows = _rows_of_bits(what[1:]) if what.startswith("~") else _rows_of_ranges(what, n)
    except (ValueError, binascii.Error):
        rows = []
    if not rows or rows[-1] >= n or len(text) > MOST:
        raise InputError("The selection in the address cannot be read: it may have been cut off; select here anew.")
    return rows


def _rows_of_ranges(text: str, n: int) -> list[int]:
    """Rows of `4-17.40`; of what is no such text, none or some that lie beyond n."""
    rows: set[int] = set()
    for part in text.split("."):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 0 <= start <= end < n:
            return []
        rows.update(range(start, end + 1))
    return sorted(rows)


def _rows_of_bits(text: str) -> list[int]:
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    rows: list[int] = np.flatnonzero(np.unpackbits(np.frombuffer(packed, dtype=np.uint8), bitorder="little")).tolist()
    return rows


def _to_address(of: str, rows: list[int], n: int) -> bool:
    """Put a selection into the address, or take it out; whether the address holds it."""
    text = written(of, rows, n) if rows else ""
    if text and len(text) <= MOST:
        if st.query_params.get(NAME) != text:
            st.query_params[NAME] = text
        return True
    st.query_params.pop(NAME, None)
    return not rows
