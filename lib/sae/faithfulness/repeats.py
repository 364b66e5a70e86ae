"""Queries with the same text are one piece of evidence, however often they are asked.

They get the same vector, so that what a removal does to one it does to all. Means count each query, as any metric does;
intervals, tests and halves count each text once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def texts_of(queries: Sequence[str]) -> NDArray[np.int64]:
    """Number of each query's text among the g different ones, shape (s,), by first appearance; white space is one."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(" ".join(text.split()), len(numbers)) for text in queries], dtype=np.int64)


def by_text(values: NDArray[np.float64], text: NDArray[np.int64]) -> NDArray[np.float64]:
    """A row for each text with the mean over all queries, shape (g, c) of values (s, c): to be drawn again by text.

    u_t = m + (sum_t - n_t m) g / s, with m the mean over s queries and n_t the queries of text t: the mean of a ratio
    of sums, made linear. Where all texts differ these are the values themselves.
    """
    s, times = len(values), np.bincount(text)
    g = len(times)
    if g == s:
        return values
    sums = np.zeros((g, values.shape[1]))
    np.add.at(sums, text, values)
    mean = values.mean(axis=0)
    return np.asarray(mean + (sums - times[:, None] * mean) * (g / s))
