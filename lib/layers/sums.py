"""Sums over the unit states of texts at every depth; those of two batches add up to the sums of both.

Mean cosine, spectrum, linear CKA with the output and the means within and between labels all follow from them, so that
a corpus of any size passes once: what is kept is d x d numbers for each depth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry import Moments


@dataclass(frozen=True)
class StateSums:
    """Sums over n texts, repetitions counted."""

    moments: tuple[Moments, ...]
    """Of the unit states at each depth, the output last."""
    cross: tuple[NDArray[np.float64], ...]
    """Sum of (u - mean) (y - mean)^T at each depth, y being the output, shape (d, D)."""
    by_label: tuple[NDArray[np.float64], ...]
    """Sum of the unit states of each label at each depth, shape (labels, d)."""
    label_counts: NDArray[np.int64]
    """Texts of each label, shape (labels,)."""

    @property
    def n(self) -> int:
        """Texts summed."""
        return self.moments[0].n

    def __add__(self, other: "StateSums") -> "StateSums":
        share = self.n * other.n / (self.n + other.n)
        beyond = self.moments[-1].mean - other.moments[-1].mean  # (D,)
        return StateSums(
            moments=tuple(ours + theirs for ours, theirs in zip(self.moments, other.moments, strict=True)),
            cross=tuple(
                ours + theirs + np.outer((left.mean - right.mean) * share, beyond)
                for ours, theirs, left, right in zip(self.cross, other.cross, self.moments, other.moments, strict=True)
            ),
            by_label=tuple(ours + theirs for ours, theirs in zip(self.by_label, other.by_label, strict=True)),
            label_counts=self.label_counts + other.label_counts,
        )


def state_sums(states: tuple[NDArray[np.float64], ...], counts: NDArray[np.int64]) -> StateSums:
    """The sums of one batch.

    Args:
        states: unit states at each depth, each of shape (b, d), b at least 1.
        counts: how often each text occurs under no label (column 0) and under each label, shape (b, 1 + labels).
    """
    weights = counts.sum(axis=1).astype(np.float64)  # (b,)
    n = int(counts.sum())
    means = [weights @ state / n for state in states]
    gaps = [state - mean for state, mean in zip(states, means, strict=True)]
    output = gaps[-1] * weights[:, None]  # (b, D)
    products = [gap.T @ np.hstack([gap * weights[:, None], output]) for gap in gaps]  # (d, d + D)
    own = counts[:, 1:].T.astype(np.float64)  # (labels, b)
    return StateSums(
        moments=tuple(Moments(n, n * mean, both[:, : len(mean)]) for mean, both in zip(means, products, strict=True)),
        cross=tuple(both[:, len(mean) :] for mean, both in zip(means, products, strict=True)),
        by_label=tuple(own @ state for state in states),
        label_counts=counts[:, 1:].sum(axis=0),
    )


@dataclass(frozen=True)
class Tally:
    """How often each distinct text occurs, under which label."""

    starts: NDArray[np.int64]
    """Where each distinct text's entries begin, shape (distinct + 1,)."""
    codes: NDArray[np.int64]
    """Label of each entry, 0 for none, 1 for the first label ..."""
    counts: NDArray[np.int64]
    """Texts of each entry."""
    labels: int
    """Different labels."""

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Occurrences of the distinct texts `rows` (b,) under no label and under each, shape (b, 1 + labels)."""
        table = np.zeros((len(rows), 1 + self.labels), dtype=np.int64)
        sizes = self.starts[rows + 1] - self.starts[rows]
        entries = np.concatenate([np.arange(self.starts[row], self.starts[row + 1]) for row in rows])
        table[np.repeat(np.arange(len(rows)), sizes), self.codes[entries]] = self.counts[entries]
        return table


def tally(place: NDArray[np.int64], codes: NDArray[np.int64], labels: int) -> Tally:
    """Count occurrences: `place` (n,) numbers each text's distinct text, `codes` (n,) its label, -1 for none."""
    pairs, counts = np.unique(place * (labels + 1) + codes + 1, return_counts=True)
    starts = np.searchsorted(pairs // (labels + 1), np.arange(place.max(initial=-1) + 2))
    return Tally(starts, pairs % (labels + 1), counts, labels)
