"""What the faithfulness views compute: once for all sessions, kept on the shelf, with progress and Stop."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from lib.progress import Progress
from lib.results import Result
from lib.retrieval import Gain, Measure
from lib.sae.faithfulness import Curves, Faithfulness, Moved, Why, cumulative_curves, faithfulness, moved, why
from lib.ui import resources
from lib.ui.messages import count
from lib.ui.progress import begin, started, stoppable
from lib.ui.sae_space import SaeQuerySpace
from lib.ui.shelved import shelved

R = TypeVar("R", bound=Result)

_VERSION = 2  # raised when the same inputs would give other results than before
_AT_ONCE = 1e9  # scores that change: some seconds
_RATE = 1e8  # of them a second
_ACTIVE = 64  # features a query, before they are known


@dataclass(frozen=True)
class Settings:
    """How retrieval is measured."""

    k: int
    """Cut-off of NDCG."""
    gain: Gain
    """What a grade is worth."""
    measure: Measure
    """What scores are."""

    @property
    def named(self) -> dict[str, Any]:
        """As the analyses take them."""
        return {"k": self.k, "gain": self.gain, "measure": self.measure}


def effects(space: SaeQuerySpace, settings: Settings) -> Faithfulness | None:
    """What NDCG loses without each feature; None where that was not begun, or was stopped."""
    return _kept(
        Faithfulness,
        space,
        settings,
        "Taking each feature out",
        lambda tell: faithfulness(*_given(space), **settings.named, progress=tell),
    )


def curves_kept(space: SaeQuerySpace, settings: Settings) -> Curves | None:
    """The same curves where they are known already."""
    return shelved(Curves, _inputs(space, settings), lambda _: None)


def curves(space: SaeQuerySpace, settings: Settings, *, offer: bool) -> Curves | None:
    """NDCG as features are taken out one after another; None where that was not begun, or was stopped.

    Where it takes long and is not known yet, what begins it is drawn only where `offer` says so.
    """
    return _kept(
        Curves,
        space,
        settings,
        "Taking features out one after another",
        lambda tell: cumulative_curves(*_given(space), **settings.named, progress=tell),
        offer=offer,
    )


def without(space: SaeQuerySpace, settings: Settings, *, query: int, feature: int) -> Moved:
    """Where a query's relevant documents go without a feature."""
    return _without(space.key, settings, query, feature, space)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _without(key: str, settings: Settings, query: int, feature: int, _space: SaeQuerySpace) -> Moved:
    return moved(*_given(_space), **settings.named, row=query, feature=feature)


def explained(space: SaeQuerySpace, query: int, documents: tuple[int, ...], measure: Measure) -> Why:
    """The scores of a query with some documents, feature by feature."""
    return _explained(space.key, query, documents, measure, space)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _explained(key: str, query: int, documents: tuple[int, ...], measure: Measure, _space: SaeQuerySpace) -> Why:
    held = np.asarray(_space.space.document_vectors[list(documents)])
    return why(_space.sae, _space.space.query_vectors[query], held, measure=measure)


def _given(space: SaeQuerySpace) -> tuple[Any, ...]:
    return space.sae, space.space.queries, space.space.query_vectors, space.space.document_vectors


def _kept(
    kind: type[R],
    space: SaeQuerySpace,
    settings: Settings,
    doing: str,
    make: Callable[[Progress], R],
    *,
    offer: bool = True,
) -> R | None:
    return shelved(kind, _inputs(space, settings), lambda name: _made(name, space, doing, make, offer=offer))


def _inputs(space: SaeQuerySpace, settings: Settings) -> dict[str, Any]:
    return {"space": hashlib.sha256(space.key.encode()).hexdigest(), **settings.named, "version": _VERSION}


def _made(name: str, space: SaeQuerySpace, doing: str, make: Callable[[Progress], R], *, offer: bool) -> R | None:
    q, n = len(space.space.query_vectors), len(space.space.document_vectors)
    scores = float(q) * n * _ACTIVE
    if scores <= _AT_ONCE:
        begin(name)
    elif not offer:
        return None
    about = (
        f"{count(q)} queries × {count(n)} documents × the features of each query: some "
        f"{max(10, round(scores / _RATE, -1)):.0f} seconds, once; what is found is kept."
    )
    if not started(name, "Measure", about=about):
        return None
    with stoppable(name, doing) as tell:
        return make(tell)
