"""Searches that take long: asked for first, with progress and Stop, then held for every session."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.progress import Progress
from lib.retrieval import JudgedRanks, Measure, Run, exact_ranks, search
from lib.retrieval.progress_parts import part
from lib.ui.messages import count
from lib.ui.progress import started, stoppable
from lib.ui.retrieval.durations import span

T = TypeVar("T")
Vectors = NDArray[np.floating]

AT_ONCE = 2e11
"""Products of numbers up to which nobody is asked: a few seconds of a matrix product."""
_RATE = 5e10  # products a second
_SLOWER = {"manhattan": 50.0}  # how many products one difference takes as long as


@dataclass(frozen=True)
class Cost:
    """What a search by one measure takes."""

    measure: Measure
    queries: int
    documents: int
    dimensions: int
    searches: int = 1

    @property
    def products(self) -> float:
        """Products of numbers that take as long."""
        every = float(self.queries) * self.documents * self.dimensions * self.searches
        return every * _SLOWER.get(self.measure, 1.0)

    @property
    def about(self) -> str:
        """It in words, with what would be quicker."""
        times = "" if self.searches == 1 else f"{self.searches} searches of "
        work = (
            f"{times}{count(self.queries)} queries × {count(self.documents)} documents × {count(self.dimensions)} "
            f"dimensions by {self.measure} take {span(self.products / _RATE)}, and up to twice as long where relevant "
            "documents are found far down"
        )
        slower = _SLOWER.get(self.measure)
        quicker = f" Cosine, dot product and L2 are some {slower:.0f} times faster." if slower else ""
        return f"{work}.{quicker}"


def made_here(room: dict[str, T], work: str, cost: Cost, make: Callable[[Progress | None], T]) -> T | None:
    """What `room` holds, else what `make` makes now; None where that takes long and was not begun, or was stopped."""
    if "made" not in room:
        if cost.products <= AT_ONCE:
            with st.spinner("Searching…"):
                room["made"] = make(None)
        elif started(work, "Search", about=cost.about):
            with stoppable(work, "Searching") as tell:
                room["made"] = make(tell)
    return room.get("made")


@dataclass(frozen=True)
class Found:
    """What a search found."""

    run: Run
    """The first documents of each query."""
    ranks: JudgedRanks
    """Where each judged document stands among all documents."""


@dataclass(frozen=True)
class Search:
    """A search among all documents, by one measure."""

    key: str
    """Content hash of vectors and judgements."""
    measure: Measure
    depth: int
    """Documents of each query that are kept."""
    system: str
    queries: QuerySet
    asked: Vectors
    """Shape (q, d)."""
    documents: Vectors
    """Shape (n, d)."""

    @property
    def cost(self) -> Cost:
        """What it takes."""
        return Cost(self.measure, len(self.asked), *self.documents.shape)

    def ready(self) -> bool:
        """Whether `found` answers soon; draws what begins the search, or its progress, where it takes long."""
        if self.cost.products <= AT_ONCE or self.held() is not None:
            return True
        work = f"search_{hashlib.sha256(self.key.encode()).hexdigest()[:16]}_{self.measure}"
        return made_here(self._room(), work, self.cost, self.found) is not None

    def held(self) -> Found | None:
        """What was found before, where that was a long search at least as deep."""
        room = self._room()
        found = room.get("made")
        if found is None or found.run.documents.shape[1] >= min(self.depth, len(self.documents)):
            return found
        del room["made"]
        return None

    def found(self, progress: Progress | None = None) -> Found:
        """Search, whatever is held."""
        run = search(
            self.asked, self.documents, self.depth, measure=self.measure, tie_order=self.queries.tie_order,
            system=self.system, progress=part(progress, 0, 2),
        )  # fmt: skip
        ranks = exact_ranks(
            self.queries, run, self.asked, self.documents, measure=self.measure, progress=part(progress, 1, 2)
        )  # fmt: skip
        return Found(run, ranks)

    def _room(self) -> dict[str, Found]:
        return _held(self.key, self.measure)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _held(key: str, measure: Measure) -> dict[str, Found]:
    """Where what a long search found is put."""
    return {}
