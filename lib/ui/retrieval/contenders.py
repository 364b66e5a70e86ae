"""The systems of the comparison: BM25, the chosen encoder, its first dimensions alone, and further encoders."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.embeddings import Embeddings
from lib.encoders import PACKAGED, Checkpoint, Role
from lib.errors import InputError
from lib.progress import Progress
from lib.retrieval import Measure, query_metrics
from lib.retrieval.bm25 import BM25, Bm25Index
from lib.retrieval.comparison import System
from lib.retrieval.words import Language
from lib.ui import resources
from lib.ui.memory import release
from lib.ui.messages import count, counted, plain, refuse
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached
from lib.ui.retrieval.searches import Search

_FAULTS = "_compare_faults"  # in the session: why an encoder could not be run, until it is chosen no more
_AT_ONCE = 1.5e10  # parameters times texts, a few seconds' work: nobody is asked before it
_PAIRS_AT_ONCE = 3e7  # of a query and a document, a few seconds of BM25
_NUMBER = 4  # bytes in float32


@dataclass(frozen=True)
class Entry:
    """A system with what it came from."""

    key: str
    """Content hash: equal keys have equal answers."""
    system: System
    """Its answers and figures."""
    checkpoint: Checkpoint | None
    """Its encoder; None for BM25."""


def by_words(queries: QuerySet, language: Language | None) -> list[Entry]:
    """BM25 on the query set; nothing where that will take a while and was not begun, which is then offered."""
    kept = _by_words(queries.key, language)
    pairs = len(queries.queries) * len(queries.documents)
    if not kept and pairs <= _PAIRS_AT_ONCE:
        with st.spinner("Counting words…"):
            kept["system"] = _ranked_by_words(queries, language, None)
    if not kept:
        key = f"compare_words_{queries.key[:16]}_{language}"
        about = f"BM25 is to rank {count(len(queries.documents))} documents for {count(len(queries.queries))} queries."
        if started(key, "Rank by BM25", about=about):
            with stoppable(key, "Ranking by BM25") as tell:
                kept["system"] = _ranked_by_words(queries, language, tell)
    return [Entry(f"bm25/{language}/{queries.key}", system, None) for system in kept.values()]


def of_space(space: QuerySpace, cuts: Sequence[int], by: Measure) -> list[Entry]:
    """The chosen encoder, and its vectors cut to their first dimensions, as many as `cuts` say.

    A search that takes long and was not begun is offered, and left out until then.
    """
    name, width = short_name(space.checkpoint.source), space.document_vectors.shape[1]
    made = []
    if cached.ready(space, by):
        whole = System(name, cached.run(space, by), cached.metrics(space, by), width, _NUMBER * width)
        made.append(Entry(f"{space.key}/{by}", whole, space.checkpoint))
    for kept in cuts:
        cut = _Vectors(
            f"first {kept}/{space.key}", f"{name}, first {kept}", space.query_vectors[:, :kept],
            space.document_vectors[:, :kept], space.checkpoint,
        )  # fmt: skip
        made += _entry(space, cut, by)
    return made


def further(space: QuerySpace, sources: Sequence[str], by: Measure) -> list[Entry]:
    """The encoders named by `sources`, as far as they can be had; draws what is wrong, or still to be done.

    They are opened one after another. One that fails is told in a sentence and does not stop the others.
    """
    known = _described(space, sources)
    faults: dict[str, str] = st.session_state.setdefault(_FAULTS, {})
    for gone in set(faults) - {one.fingerprint for one in known.values()}:
        del faults[gone]
    waiting = {name: one for name, one in known.items() if one.fingerprint not in faults and _left(space, one)}
    if waiting and _agreed(space, waiting):
        _encode(space, waiting, faults)
        waiting = {}
    for source, one in known.items():
        if one.fingerprint in faults:
            refuse(f"{source} is left out: {faults[one.fingerprint]}")
    there = {name: one for name, one in known.items() if one.fingerprint not in faults and name not in waiting}
    return [entry for source, one in there.items() for entry in _entry(space, _vectors(space, source, one), by)]


def short_name(source: str) -> str:
    """An encoder's name without its owner or folder."""
    return source.removesuffix(" (packaged)") if source == PACKAGED else source.rstrip("/").rsplit("/", 1)[-1]


def _described(space: QuerySpace, sources: Sequence[str]) -> dict[str, Checkpoint]:
    """What each of `sources` is; those that cannot be opened, or are there already, are told and left out."""
    known: dict[str, Checkpoint] = {}
    seen = {space.checkpoint.fingerprint}
    for source in sources:
        found = resources.checkpoint(source)
        if isinstance(found, InputError):
            refuse(f"{source} is left out: {found}")
        elif found.fingerprint in seen:
            st.caption(f":material/info: {plain(source)} is compared already.")
        else:
            seen.add(found.fingerprint)
            known[source] = found
    return known


def _parts(space: QuerySpace) -> tuple[tuple[Role, str, tuple[str, ...]], ...]:
    """What an encoder has to encode: role, content key and texts."""
    queries = space.queries
    return (
        ("document", f"{queries.key}/documents", queries.documents),
        ("query", f"{queries.key}/queries", queries.queries),
    )


def _left(space: QuerySpace, one: Checkpoint) -> int:
    """Texts that `one` has not encoded yet."""
    return sum(resources.missing(texts, one, precision=space.precision, role=role) for role, _, texts in _parts(space))


def _work_key(space: QuerySpace, waiting: Mapping[str, Checkpoint]) -> str:
    said = "/".join([space.queries.key, space.precision, *(one.fingerprint for one in waiting.values())])
    return f"compare_{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _agreed(space: QuerySpace, waiting: Mapping[str, Checkpoint]) -> bool:
    """Whether the encoders may begin: little work does by itself, more asks first and says what it will cost."""
    left = {source: _left(space, one) for source, one in waiting.items()}
    if sum(left[source] * one.parameters for source, one in waiting.items()) <= _AT_ONCE:
        return True
    own = max(space.checkpoint.parameters, 1)
    each = "; ".join(
        f"{plain(short_name(source))} {counted(left[source], 'text')}, "
        f"{one.parameters / 1e6:.3g} million parameters ({one.parameters / own:.2g} × the chosen encoder's)"
        for source, one in waiting.items()
    )
    return started(
        _work_key(space, waiting),
        "Encode with them" if len(waiting) > 1 else "Encode with it",
        about=f"To be encoded: {each}. Time grows with texts × parameters; what is encoded is kept.",
    )


def _encode(space: QuerySpace, waiting: Mapping[str, Checkpoint], faults: dict[str, str]) -> None:
    """Encode with one encoder after another; why one could not is put into `faults` under its fingerprint."""
    of, done = sum(_left(space, one) for one in waiting.values()), 0
    with stoppable(_work_key(space, waiting), "Encoding") as tell:
        for one in waiting.values():
            try:
                for role, _, texts in _parts(space):
                    left = resources.missing(texts, one, precision=space.precision, role=role)
                    _embeddings(space, one, role, partial(_shifted, tell, done, of))
                    done += left
            except InputError as fault:
                faults[one.fingerprint] = str(fault)
                done += _left(space, one)
    release()


def _shifted(tell: Progress, done: int, of: int) -> Progress:
    return lambda now, _of: tell(done + now, of)


def _embeddings(space: QuerySpace, one: Checkpoint, role: Role, progress: partial[Progress] | None) -> Embeddings:
    key, texts = next((key, texts) for known, key, texts in _parts(space) if known == role)
    return resources.embeddings(key, texts, one, precision=space.precision, role=role, progress=progress)


@dataclass(frozen=True)
class _Vectors:
    """A system's vectors; equal keys have equal ones."""

    key: str
    name: str
    asked: NDArray[np.floating]
    documents: NDArray[np.floating]
    checkpoint: Checkpoint


def _vectors(space: QuerySpace, source: str, one: Checkpoint) -> _Vectors:
    documents, asked = (_embeddings(space, one, role, None) for role, _, _ in _parts(space))
    key = f"{asked.key}/{documents.key}/{space.queries.key}"
    return _Vectors(key, short_name(source), asked.vectors, documents.vectors, one)


def _entry(space: QuerySpace, of: _Vectors, by: Measure) -> list[Entry]:
    """The system; none while its search takes long and was not begun, which is then offered."""
    asked, documents = (np.ascontiguousarray(side) for side in (of.asked, of.documents))
    task = Search(of.key, by, cached.DEPTH, of.name, space.queries, asked, documents)
    if not task.ready():
        return []
    return [Entry(f"{of.key}/{by}", _by_vectors(of.key, of.name, by, task), of.checkpoint)]


@st.cache_resource(max_entries=4, ttl=3600, show_spinner=False)
def _by_words(key: str, language: Language | None) -> dict[str, System]:
    """Where BM25 is put once it has ranked."""
    return {}


def _ranked_by_words(queries: QuerySet, language: Language | None, progress: Progress | None) -> System:
    n, q = len(queries.documents), len(queries.queries)

    def part(done: int) -> Progress | None:
        return _shifted(progress, done, n + 2 * q) if progress else None

    index = Bm25Index(queries.documents, language=language, progress=part(0))
    run = index.search(queries.queries, cached.DEPTH, tie_order=queries.tie_order, progress=part(n))
    return System(
        name=BM25,
        run=run,
        metrics=query_metrics(index.ranks(queries, progress=part(n + q)), cutoffs=cached.CUTOFFS),
        dimensions=None,
        bytes_per_document=index.bytes / n,
        documents_per_second=n / max(index.seconds, 1e-9),
    )


@st.cache_resource(max_entries=12, ttl=3600, show_spinner="Searching…")
def _by_vectors(key: str, name: str, by: Measure, _task: Search) -> System:
    found, width = _task.held() or _task.found(), _task.documents.shape[1]
    metrics = query_metrics(found.ranks, cutoffs=cached.CUTOFFS)
    return System(name, found.run, metrics, width, _NUMBER * width)
