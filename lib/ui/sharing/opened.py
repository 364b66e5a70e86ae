"""What a share link opens: texts and queries that somebody uploaded, on another machine, until the link ends.

The id stands in the address as `share` as long as something of it is on the screen, and in the session after that,
so that whoever went back to the sample finds it again.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from lib.corpora import Corpus, QuerySet, pairs_jsonl
from lib.errors import InputError
from lib.shares import Bundle, DeadLinkError, Record, Shares, corpus_jsonl, default_shares
from lib.ui.resources import HOUR

KIND = "Shared"
"""The kind of corpus or query set that a share link opens."""
PARAMETER = "share"
"""Where its id stands in the address."""
Part = Literal["corpus", "queries"]
_SHARE = "_share"
_MOST_SIGNS = 64  # of an id that an address may bring; an id has fewer


def shares() -> Shares:
    """The server's shares; those that have expired are removed once an hour.

    Raises:
        InputError: one of the owner's settings of share links is not what it should be.
    """
    made = default_shares()
    _swept(str(made.folder), made)
    return made


def with_shared(kinds: Iterable[str], part: Part) -> list[str]:
    """The kinds to choose `part` from: with the shared one where a link brought it, or a dead one asks for it."""
    record, asked = _record(), KIND in (st.session_state.get(part), st.query_params.get(part))
    offered = asked if record is None else part in record.holds
    return [*kinds, KIND] if offered else list(kinds)


def corpus() -> Corpus:
    """The corpus that the session's link opens.

    Raises:
        InputError: the link is dead, or share links are switched off.
    """
    found = _bundle().corpus
    if found is None:
        raise DeadLinkError
    return found


def queries() -> QuerySet:
    """The query set that the session's link opens.

    Raises:
        InputError: the link is dead, or share links are switched off.
    """
    found = _bundle().queries
    if found is None:
        raise DeadLinkError
    return found


def expires() -> float:
    """When the session's link ends, in seconds since 1970; infinity where it has none."""
    record = _record()
    return float("inf") if record is None else record.expires


def describe_corpus(of: Corpus) -> None:
    """Say that it is shared and until when, and hand it over."""
    _describe("corpus")
    st.download_button(
        "Download the texts", lambda: corpus_jsonl(of), file_name="shared_texts.jsonl", mime="application/jsonl",
        key="shared_corpus_file", icon=":material/download:", on_click="ignore",
        help="JSON Lines with everything that was shared; it can be uploaded here again.",
    )  # fmt: skip


def describe_queries(of: QuerySet) -> None:
    """Say that it is shared and until when, and hand it over."""
    _describe("queries")
    st.download_button(
        "Download the queries", lambda: pairs_jsonl(of), file_name="shared_queries.jsonl", mime="application/jsonl",
        key="shared_queries_file", icon=":material/download:", on_click="ignore",
        help="JSON Lines, one judgement a line; it can be uploaded here again.",
    )  # fmt: skip


def leave_address() -> None:
    """Take the link's id out of the address where nothing of it is chosen, so that nobody copies it unawares."""
    if PARAMETER in st.query_params and KIND not in (st.session_state.get("corpus"), st.session_state.get("queries")):
        del st.query_params[PARAMETER]


def forget(bundle: str) -> None:
    """Let go of the bundle with that content key, which was deleted."""
    _held.clear(bundle, "", shares())


def when(seconds: float) -> str:
    """A time as it is read everywhere: 28 Nov 2026, 22:31 UTC."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _describe(part: Part) -> None:
    st.caption(f":material/link: Shared by link, until {when(expires())}. Whoever has the link can open it.")
    if st.query_params.get(PARAMETER) != st.session_state[_SHARE]:  # the sidebar's links clear the address
        st.query_params[PARAMETER] = st.session_state[_SHARE]


def _id() -> str | None:
    """The id that the address brought, now or earlier in this session."""
    given = st.query_params.get(PARAMETER)
    if given is not None:
        st.session_state[_SHARE] = given[:_MOST_SIGNS]
    found: str | None = st.session_state.get(_SHARE)
    return found


def _record() -> Record | None:
    share = _id()
    if share is None:
        return None
    try:
        return shares().look(share)
    except InputError:
        return None


def _bundle() -> Bundle:
    share = _id()
    if share is None:
        raise DeadLinkError
    of = shares()
    return _held(of.look(share).bundle, share, of)


@st.cache_resource(max_entries=3, ttl=HOUR, show_spinner="Opening what was shared…")
def _held(bundle: str, _share: str, _of: Shares) -> Bundle:
    """A bundle, which all sessions that look at it have in common; whether the link lives is asked at every run."""
    return _of.read(_share)


@st.cache_resource(max_entries=4, ttl=HOUR, show_spinner=False)
def _swept(folder: str, _shares: Shares) -> int:
    return _shares.sweep()
