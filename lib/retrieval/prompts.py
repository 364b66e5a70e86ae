"""Prompts: what the words put before queries and documents do to their vectors and to what is found.

An encoder trained with prompts ("query: ", "passage: ") expects them; one trained without reads them as part of the
text. Either way every vector moves. Which way retrieval moves is measured here, for each of the arrangements that two
prompts allow: before neither, before queries alone, before documents alone, before both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest
from lib.retrieval.contrast import contrast
from lib.retrieval.metrics import query_metrics
from lib.retrieval.progress_parts import part
from lib.retrieval.run import JudgedRanks
from lib.retrieval.search import Measure, exact_ranks, search

Vectors = NDArray[np.floating]

PRESETS: dict[str, tuple[str, str]] = {
    "E5": ("query: ", "passage: "),
    "BGE": ("Represent this sentence for searching relevant passages: ", ""),
    "Nomic": ("search_query: ", "search_document: "),
}
"""Prompts that known families were trained with, by family: query, document."""
_DEPTH = 100


@dataclass(frozen=True)
class Pair:
    """One way to encode a query set."""

    queries: Vectors
    """Vectors of the queries, shape (q, d)."""
    documents: Vectors
    """Vectors of the documents, shape (n, d)."""


@dataclass(frozen=True, eq=False)
class PromptShift(Result):
    """How far a prompt moves the vectors of the texts that it is put before."""

    role: str
    """"query" or "document"."""
    prompt: str
    """The prompt."""
    cosine: NDArray[np.float64]
    """Cosine of each text's vector with prompt to the one without, shape (m,), -1 to 1; 1 = not moved."""
    mean: float
    """Their mean."""
    low: float
    """Their 5th percentile: one text in twenty is moved further."""
    common: float
    """Share of the squared movement that is the same for all texts, 0 to 1: 1 = every vector takes one and the same
    step, which between texts of one role changes little; 0 where nothing moves."""


@dataclass(frozen=True, eq=False)
class Arrangement(Result):
    """Retrieval with prompts before one side, or both."""

    name: str
    """"neither", "queries", "documents" or "both"."""
    means: dict[str, float]
    """Mean of each metric."""
    tests: tuple[PairedTest, ...]
    """Against neither, one a metric: a = neither, b = this one; empty for neither itself."""
    risen: int
    """Relevant documents nearer to the top than with neither."""
    fallen: int
    """Relevant documents further down."""
    level: int
    """Relevant documents at the same rank."""
    first_changed: float
    """Share of queries with another first document than with neither, 0 to 1."""


@dataclass(frozen=True, eq=False)
class PromptComparison(Result):
    """What prompts do, measured."""

    query_prompt: str
    """Put before queries."""
    document_prompt: str
    """Put before documents."""
    shifts: tuple[PromptShift, ...]
    """One for each role, queries first."""
    arrangements: tuple[Arrangement, ...]
    """Neither first, then those that the prompts given allow."""
    measure: str
    """How vectors were compared."""


def compare_prompts(
    queries: QuerySet,
    plain: Pair,
    prompted: Pair,
    *,
    query_prompt: str,
    document_prompt: str,
    measure: Measure = "cosine",
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PromptComparison:
    """Compare `plain` vectors with `prompted` ones, in every arrangement; an empty prompt makes none of its own.

    Ranks are exact over all documents. `progress` is told the searches' comparisons done and of how many.

    Raises:
        InputError: vectors that do not fit each other, or no query with a relevant document.
        Stopped: `should_stop` said so.
    """
    sides = {
        "neither": plain,
        "queries": Pair(prompted.queries, plain.documents),
        "documents": Pair(plain.queries, prompted.documents),
        "both": prompted,
    }
    if not query_prompt or not document_prompt:
        del sides["both"]
    if not query_prompt:
        del sides["queries"]
    if not document_prompt:
        del sides["documents"]
    made: list[tuple[JudgedRanks, NDArray[np.int64]]] = []
    for pair in sides.values():
        made.append(_found(queries, pair, measure, Told(part(progress, len(made), len(sides)), should_stop)))
    return PromptComparison(
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        shifts=(
            shift(plain.queries, prompted.queries, role="query", prompt=query_prompt),
            shift(plain.documents, prompted.documents, role="document", prompt=document_prompt),
        ),
        arrangements=tuple(
            _arrangement(name, queries, made[0], found, seed) for name, found in zip(sides, made, strict=True)
        ),
        measure=measure,
    )


def shift(plain: Vectors, prompted: Vectors, *, role: str, prompt: str) -> PromptShift:
    """How far `prompted` vectors (m, d) lie from the `plain` ones of the same texts; zero vectors count as not moved.

    Raises:
        InputError: not two tables of one shape, or empty ones.
    """
    if plain.shape != prompted.shape or not len(plain):
        raise InputError(
            f"Vectors with and without prompt should be those of the same texts, got {plain.shape} and "
            f"{prompted.shape}."
        )
    a, b = _unit(plain), _unit(prompted)
    cosine = np.where((a == b).all(axis=1), 1.0, np.clip((a * b).sum(axis=1), -1, 1))
    step = b - a
    total = float(np.square(step).sum(axis=1).mean())
    return PromptShift(
        role=role,
        prompt=prompt,
        cosine=cosine,
        mean=float(cosine.mean()),
        low=float(np.quantile(cosine, 0.05)),
        common=float(np.square(step.mean(axis=0)).sum() / total) if total else 0.0,
    )


def _found(queries: QuerySet, pair: Pair, measure: Measure, told: Told) -> tuple[JudgedRanks, NDArray[np.int64]]:
    """Ranks of the judged documents, and each query's first document."""
    run = search(
        pair.queries, pair.documents, _DEPTH, measure=measure, tie_order=queries.tie_order,
        progress=part(told.progress, 0, 2), should_stop=told.should_stop,
    )  # fmt: skip
    ranks = exact_ranks(
        queries, run, pair.queries, pair.documents, measure=measure,
        progress=part(told.progress, 1, 2), should_stop=told.should_stop,
    )  # fmt: skip
    return ranks, run.documents[:, 0]


def _arrangement(
    name: str,
    queries: QuerySet,
    base: tuple[JudgedRanks, NDArray[np.int64]],
    here: tuple[JudgedRanks, NDArray[np.int64]],
    seed: int,
) -> Arrangement:
    before, after = query_metrics(base[0]), query_metrics(here[0])
    relevant = queries.relevance > 0
    moved = here[0].rank[relevant] - base[0].rank[relevant]
    return Arrangement(
        name=name,
        means=after.means,
        tests=() if name == "neither" else contrast(before, after, seed=seed),
        risen=int((moved < 0).sum()),
        fallen=int((moved > 0).sum()),
        level=int((moved == 0).sum()),
        first_changed=float((here[1] != base[1]).mean()),
    )


def _unit(vectors: Vectors) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
