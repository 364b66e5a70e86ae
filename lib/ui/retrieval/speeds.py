"""How fast the compared encoders are on this machine: measured when asked for, kept for an hour."""

import dataclasses
import hashlib
from collections.abc import Sequence

import streamlit as st

from lib.encoders import Checkpoint, Precision
from lib.errors import InputError
from lib.retrieval.comparison import Comparison
from lib.retrieval.encoding_speed import EncodingSpeed, encoding_speed
from lib.ui import resources
from lib.ui.messages import count, refuse
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.contenders import Entry

TIMED = 64
"""Documents on which encoding is timed."""


def with_speeds(space: QuerySpace, entries: Sequence[Entry], result: Comparison) -> Comparison:
    """`result` with the speeds that were measured; draws the button that measures those that were not."""
    encoders = {entry.checkpoint.content: entry.checkpoint for entry in entries if entry.checkpoint is not None}
    waiting = {content: one for content, one in encoders.items() if not _known(content, space)}
    if waiting:
        key = "compare_speed_" + hashlib.sha256("/".join([space.queries.key, *waiting]).encode()).hexdigest()[:12]
        timed = min(TIMED, len(set(space.queries.documents)))
        about = (
            f"Speed is not known yet: vectors are kept, so they tell no time. Measuring encodes {count(timed)} "
            "documents anew with each encoder."
        )
        if started(key, "Measure speed", about=about):
            _measure(key, space, waiting)
    speeds = {entry.system.name: _speed(entry, space) for entry in entries}
    return dataclasses.replace(
        result,
        contenders=tuple(
            dataclasses.replace(contender, documents_per_second=speeds[contender.name])
            for contender in result.contenders
        ),
    )


def _measure(key: str, space: QuerySpace, waiting: dict[str, Checkpoint]) -> None:
    with stoppable(key, "Timing") as tell:
        for content, one in waiting.items():
            try:
                encoder = resources.encoder(one, space.precision)
                made = encoding_speed(encoder, space.queries.documents, sample=TIMED, progress=tell)
            except InputError as fault:
                refuse(f"{one.source} could not be timed: {fault}")
                continue
            _holder(content, space.precision, space.queries.key)["speed"] = made


def _speed(entry: Entry, space: QuerySpace) -> float | None:
    if entry.checkpoint is None:
        return entry.system.documents_per_second
    known = _known(entry.checkpoint.content, space)
    return known.documents_per_second if known else None


def _known(content: str, space: QuerySpace) -> EncodingSpeed | None:
    return _holder(content, space.precision, space.queries.key).get("speed")


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _holder(content: str, precision: Precision, key: str) -> dict[str, EncodingSpeed]:
    """Where a speed is put once it was measured."""
    return {}
