"""Comparison: several systems on one query set. Which is better, by how much, and could it be luck?

The same queries are put to every system, so systems are compared query by query: what is common to both (an easy
query is easy for all) drops out of the difference. Whoever compares many systems finds some difference by chance; the
p-values of all pairs are therefore also given as Holm corrects them (Holm 1979): the chance of even one false alarm
among them stays below the level at which they are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest, Summary, paired_test, sign_flip_p, summarise
from lib.retrieval.metrics import QueryMetrics
from lib.retrieval.run import Run


@dataclass(frozen=True, eq=False)
class System(Result):
    """What a system answers on the query set, how good that is, and what it costs."""

    name: str
    """As shown; no two systems of a comparison share it."""
    run: Run
    """Its first documents for each query."""
    metrics: QueryMetrics
    """Metrics of each query."""
    dimensions: int | None
    """Numbers in a vector; None for BM25."""
    bytes_per_document: float
    """Bytes of its index (vectors, or BM25's weights and words) divided by documents."""
    documents_per_second: float | None = None
    """Documents turned into the index in a second on this machine; None where it was not measured."""


@dataclass(frozen=True, eq=False)
class Contender(Result):
    """A system's figures, without its answers."""

    name: str
    """Its name."""
    dimensions: int | None
    """Numbers in a vector; None for BM25."""
    bytes_per_document: float
    """Bytes of its index for each document."""
    documents_per_second: float | None
    """Documents a second on this machine; None where it was not measured."""
    summaries: tuple[Summary, ...]
    """Mean and 95 % interval of every metric."""
    test: PairedTest | None
    """It (b) against the baseline (a) on the metric compared; None for the baseline itself."""

    def summary(self, metric: str) -> Summary:
        """Mean and interval of one metric.

        Raises:
            InputError: no such metric.
        """
        found = next((summary for summary in self.summaries if summary.metric == metric), None)
        if found is None:
            known = ", ".join(summary.metric for summary in self.summaries)
            raise InputError(f"There is no metric {metric!r} in this comparison; there are {known}.")
        return found


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """Systems side by side."""

    metric: str
    """The metric that tests compare."""
    baseline: str
    """Name of the system that the others are held against."""
    contenders: tuple[Contender, ...]
    """The s systems, in the order given."""
    p_values: NDArray[np.float64]
    """Two-sided p-value of each two systems' mean difference under random signs, shape (s, s); 1 on the diagonal."""
    corrected: NDArray[np.float64]
    """The same after Holm's correction for the s (s - 1) / 2 pairs."""
    queries: int
    """Queries behind every figure: those with a relevant document."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    resamples: int
    """Random draws of the paired tests."""
    seed: int
    """Their seed."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the s systems."""
        return tuple(contender.name for contender in self.contenders)


def compare(
    systems: Sequence[System],
    *,
    metric: str = "ndcg@10",
    baseline: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Hold `systems` against each other on `metric`, and each against `baseline` (the first where None).

    Raises:
        InputError: fewer than two systems, two of one name, no such baseline or metric, no query to judge by.
        ValueError: the systems did not answer the same queries.
    """
    names = [system.name for system in systems]
    if len(names) < 2:
        raise InputError(f"A comparison needs at least two systems, got {len(names)}.")
    if len(set(names)) < len(names):
        raise InputError(f"Systems need different names to be told apart, got {', '.join(names)}.")
    baseline = names[0] if baseline is None else baseline
    if baseline not in names:
        raise InputError(f"The baseline should be one of {', '.join(names)}, got {baseline!r}.")
    if any(not np.array_equal(systems[0].metrics.query, system.metrics.query) for system in systems):
        raise ValueError("A comparison needs systems that answered the same queries")
    against = systems[names.index(baseline)].metrics
    tests = [
        None if name == baseline else paired_test(against, system.metrics, metric, resamples=resamples, seed=seed)
        for name, system in zip(names, systems, strict=True)
    ]
    p_values = _pairs(systems, metric, resamples=resamples, seed=seed)
    upper = np.triu_indices(len(systems), 1)
    corrected = np.ones_like(p_values)
    corrected[upper] = corrected.T[upper] = holm(p_values[upper])
    return Comparison(
        metric=metric,
        baseline=baseline,
        contenders=tuple(
            Contender(
                name=system.name,
                dimensions=system.dimensions,
                bytes_per_document=system.bytes_per_document,
                documents_per_second=system.documents_per_second,
                summaries=summarise(system.metrics, seed=seed),
                test=test,
            )
            for system, test in zip(systems, tests, strict=True)
        ),
        p_values=p_values,
        corrected=corrected,
        queries=len(against.query),
        skipped=against.skipped,
        resamples=resamples,
        seed=seed,
    )


def _pairs(systems: Sequence[System], metric: str, *, resamples: int, seed: int) -> NDArray[np.float64]:
    columns = [system.metrics.column(metric) for system in systems]
    p_values = np.ones((len(systems), len(systems)))
    for row, column in zip(*np.triu_indices(len(systems), 1), strict=True):
        p_value = sign_flip_p(columns[column] - columns[row], resamples=resamples, seed=seed)
        p_values[row, column] = p_values[column, row] = p_value
    return p_values


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's correction of m p-values, shape (m,): the i-th smallest times m - i + 1, kept ascending, at most 1."""
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(m)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(m, 0, -1)), 1)
    return corrected
