"""The share links that a session has made: their secrets are here and nowhere else."""

import time
from dataclasses import dataclass

import streamlit as st

from lib.shares import Bundle, Created
from lib.ui.sharing.opened import forget, shares

_MADE = "_shares_made"
_PACE = "_shares_pace"


@dataclass(frozen=True)
class Made:
    """A link that this session made."""

    created: Created
    """Its id, its secret, its end."""
    name: str
    """What the texts are called."""


def alive() -> list[Made]:
    """The links of this session that have not ended, in the order in which they were made."""
    kept: dict[str, Made] = st.session_state.get(_MADE, {})
    return [made for made in kept.values() if made.created.record.expires > time.time()]


def made_of(bundle: Bundle) -> Made | None:
    """The link to the same content that this session made last, if any."""
    return next((made for made in reversed(alive()) if made.created.record.bundle == bundle.key), None)


def make(bundle: Bundle, *, name: str, days: float, until: float) -> Made:
    """Make a link, and remember it.

    Raises:
        InputError: it cannot be made, or this session made too many within an hour.
    """
    of, now = shares(), time.time()
    pace: list[float] = st.session_state.setdefault(_PACE, [])
    of.limits.check_pace(pace, now)
    made = Made(of.create(bundle, days=days, until=until), name)
    pace.append(now)
    st.session_state.setdefault(_MADE, {})[made.created.id] = made
    return made


def delete(share: str, secret: str) -> None:
    """Delete a share, and forget it.

    Raises:
        InputError: there is none with this id and secret.
    """
    st.session_state.get(_MADE, {}).pop(share, None)
    forget(shares().delete(share, secret).bundle)
