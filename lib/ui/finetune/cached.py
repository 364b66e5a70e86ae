"""What the views of a diff compute: once for every session."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from lib.finetune.diff.neighbours import TextNeighbours, text_neighbours
from lib.finetune.diff.ranks import RankDiff, RetrievalSide, rank_diff
from lib.finetune.diff.sides import known_shared
from lib.finetune.diff.space import SpaceDiff, space_diff
from lib.progress import Progress
from lib.results import Result
from lib.ui import resources
from lib.ui.finetune.pair import AskedPair, PairSpace
from lib.ui.progress import begin, started, stoppable
from lib.ui.query_space import QuerySpace

R = TypeVar("R", bound=Result)


def space_of(pair: PairSpace) -> SpaceDiff:
    """The corpus in both spaces, side by side; the page ends here where the user has stopped it."""
    shared = known_shared(*pair.checkpoints)

    def made(tell: Progress) -> SpaceDiff:
        return space_diff(pair.base.vectors, pair.tuned.vectors, pair.base.labels, shared=shared, progress=tell)

    return _made("Comparing the two spaces", f"{pair.key}/{shared}", made)


def ranks_of(asked: AskedPair) -> RankDiff:
    """Every query before and after; the page ends here where the user has stopped it."""

    def made(tell: Progress) -> RankDiff:
        return rank_diff(asked.queries, _side("base", asked.base), _side("tuned", asked.tuned), progress=tell)

    found = _made("Searching with both checkpoints", asked.key, made)
    # Another session's name for the same weights stays there.
    return replace(found, base=asked.base.checkpoint.source, tuned=asked.tuned.checkpoint.source)


@st.cache_resource(max_entries=16, ttl=resources.HOUR, show_spinner=False)
def _held(doing: str, key: str) -> dict[str, Any]:
    """A place for one result, which every session shares."""
    return {}


def _made(doing: str, key: str, make: Callable[[Progress], R]) -> R:
    """What `make` gives, made once; shows how far it is, and ends the page where the user has stopped it."""
    held = _held(doing, key)
    if "result" not in held:
        name = f"finetune_{doing.split()[0].lower()}_{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        begin(name)
        if not started(name, "Go on", about="The two checkpoints have to be compared once; what is found is kept."):
            st.stop()
        with stoppable(name, doing) as tell:
            held["result"] = make(tell)
    found: R = held["result"]
    return found


def neighbours_of(pair: PairSpace, row: int, k: int) -> TextNeighbours:
    """The texts nearest to one text, before and after."""
    return _neighbours(pair.key, row, k, pair)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _neighbours(key: str, row: int, k: int, _pair: PairSpace) -> TextNeighbours:
    return text_neighbours(_pair.base.vectors, _pair.tuned.vectors, row, k=k)


def _side(name: str, space: QuerySpace) -> RetrievalSide:
    return RetrievalSide(name, space.query_vectors, space.document_vectors)
