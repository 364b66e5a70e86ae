"""Four measures of how close a query and a document are, each by two arithmetics.

A pair's *score* is computed in float64 from that pair alone and rounded to float32: it is the same whatever else is
searched, in whatever blocks and order, and scores that are equal are ties. A *key* is what one matrix product in
float32 gives for a whole block: it orders documents as the score does, but for a slack that rounding can make up.
A search ranks by scores; keys only say which pairs need one.

Vectors are read as float32. A vector of zero length has cosine 0 with everything.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import blocks

Measure = Literal["cosine", "dot", "l2", "manhattan"]
MEASURES: tuple[Measure, ...] = ("cosine", "dot", "l2", "manhattan")

Vectors = NDArray[np.floating]

_HALF_ULP = 2.0**-24  # relative error of one operation in float32
_SAFE = 1e15  # lengths between 1 / _SAFE and _SAFE may be squared in float32
_LEAST = float(np.finfo(np.float32).smallest_subnormal)
_LARGEST = float(np.finfo(np.float32).max)


def pair_score(queries: Vectors, documents: Vectors, measure: Measure) -> NDArray[np.float32]:
    """Scores of pairs, higher is closer: `queries` and `documents`, shapes (..., d), broadcast against each other.

    cosine q·d / (|q| |d|), dot q·d, l2 -|q - d|, manhattan -sum |q_i - d_i|. Beyond float32 a score is infinite.
    """
    q, d = np.asarray(queries, dtype=np.float64), np.asarray(documents, dtype=np.float64)
    if measure == "l2":
        gap = q - d
        scores = -np.sqrt(np.vecdot(gap, gap))
    elif measure == "manhattan":
        scores = -np.abs(q - d).sum(axis=-1)
    else:
        scores = np.vecdot(q, d)
    if measure == "cosine":
        lengths = np.sqrt(np.vecdot(q, q)) * np.sqrt(np.vecdot(d, d))
        scores = np.clip(np.divide(scores, lengths, out=np.zeros_like(scores), where=lengths > 0), -1, 1)
    with np.errstate(over="ignore"):
        return np.asarray(scores + 0.0, dtype=np.float32)  # + 0.0: no negative zero


def lengths(vectors: Vectors, *, measure: Measure, what: str) -> NDArray[np.float64]:
    """Length of each row, shape (n,): the sum of sizes for manhattan, else Euclidean; right to a few float32 roundings.

    Raises:
        InputError: a row that is not finite in float32.
    """
    made = np.empty(len(vectors))
    for span in blocks(len(vectors)):
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.asarray(vectors[span], dtype=np.float32)
            if measure == "manhattan":
                made[span] = np.abs(values).sum(axis=1, dtype=np.float64)
                odd = np.flatnonzero(~np.isfinite(made[span]))
            else:
                made[span] = np.sqrt(np.vecdot(values, values))
                odd = np.flatnonzero(~((made[span] > 1 / _SAFE) & (made[span] < _SAFE)))
        if len(odd):  # zero, not finite, or squares that left float32
            exact = values[odd].astype(np.float64)
            bad = np.flatnonzero(~np.isfinite(exact).all(axis=1))
            if len(bad):
                raise InputError(
                    f"The embedding of {what} {span.start + odd[bad[0]] + 1} holds a value that is not finite: "
                    f"remove that {what} or replace its vector."
                )
            made[span.start + odd] = np.sqrt(np.vecdot(exact, exact))
    return made


@dataclass(frozen=True)
class Scale:
    """What keys are measured in, for queries and documents of these lengths."""

    measure: Measure
    query: NDArray[np.float64]
    """Length of each query, shape (q,)."""
    document: NDArray[np.float64]
    """Length of each document, shape (n,)."""
    unit: float
    """Longest document (dot), longest vector (l2, manhattan): keys are then at most 1 or so."""
    slack: float
    """How far rounding can take a key from the one of exact arithmetic."""


def scale(queries: Vectors, documents: Vectors, measure: Measure) -> Scale:
    """Look at all vectors once.

    Raises:
        InputError: a vector that is not finite, shapes that do not fit, or dot products beyond float32.
    """
    _check(queries, documents, measure)
    query = lengths(queries, measure=measure, what="query")
    document = lengths(documents, measure=measure, what="document")
    longest, longest_query = float(document.max(initial=0)), float(query.max(initial=0))
    if (measure == "dot" and longest * longest_query > _LARGEST) or longest + longest_query > _LARGEST:
        raise InputError(
            f"Vectors as long as {max(longest, longest_query):.3g} give scores that float32 cannot hold: "
            "choose the cosine measure, or scale them down."
        )
    unit = longest if measure == "dot" else max(longest, longest_query)
    # Rounding of a sum of d products, in any order, is at most d half-ulps of the product of lengths; the lengths
    # themselves have as much. Manhattan's sums are made in float64.
    slack = _HALF_ULP * (16 if measure == "manhattan" else 3 * queries.shape[1] + 32)
    return Scale(measure, query, document, unit or 1.0, slack)


def _check(queries: Vectors, documents: Vectors, measure: Measure) -> None:
    if measure not in MEASURES:
        raise InputError(f"The measure should be one of {', '.join(MEASURES)}, got {measure!r}.")
    for name, vectors in (("queries", queries), ("documents", documents)):
        if vectors.ndim != 2 or vectors.shape[1] == 0:
            raise InputError(f"A search needs {name} of shape (texts, dimensions), got {vectors.shape}.")
    if queries.shape[1] != documents.shape[1]:
        raise InputError(
            f"Queries have {queries.shape[1]} dimensions and documents {documents.shape[1]}: "
            "embed both with the same encoder."
        )


def query_side(queries: Vectors, rows: NDArray[np.int64], by: Scale) -> NDArray[np.float32]:
    """The queries at `rows` (m,) as `keys` takes them, shape (m, d)."""
    return _divided(queries[rows], by.query[rows] if by.measure in ("cosine", "dot") else by.unit)


def document_side(documents: Vectors, span: slice, by: Scale) -> NDArray[np.float32]:
    """The documents of `span` as `keys` takes them, shape (w, d)."""
    return _divided(documents[span], by.document[span] if by.measure == "cosine" else by.unit)


def keys(
    queries: NDArray[np.float32], documents: NDArray[np.float32], measure: Measure, *, out: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Keys of every pair of a block, shape (m, w), higher is closer, in `out`, shape (m, w).

    cosine and dot: the product; l2: q·d - |d|²/2, which is (|q|² - |q - d|²) / 2; manhattan: the score.
    """
    if measure == "manhattan":
        from scipy.spatial.distance import cdist

        np.negative(cdist(queries, documents, "cityblock"), out=out, casting="same_kind")
        return out
    np.matmul(queries, documents.T, out=out)
    if measure == "l2":
        out -= np.vecdot(documents, documents) / 2
    return out


def least_key(scores: NDArray[np.float32], rows: NDArray[np.int64] | slice, by: Scale) -> NDArray[np.float64]:
    """The least key that a document can have with at least this score for the query at this row, shape (m,).

    A score of -inf asks for nothing: -inf.
    """
    return _true_key(scores, rows, by, toward=-1) - by.slack


def most_key(scores: NDArray[np.float32], rows: NDArray[np.int64] | slice, by: Scale) -> NDArray[np.float64]:
    """The highest key that a document can have with at most this score for the query at this row, shape (m,)."""
    return _true_key(scores, rows, by, toward=1) + by.slack


def _true_key(
    scores: NDArray[np.float32], rows: NDArray[np.int64] | slice, by: Scale, *, toward: int
) -> NDArray[np.float64]:
    """The key, in exact arithmetic, of the lowest (toward -1) or highest (1) score that rounds to the given one."""
    exact = np.asarray(scores, dtype=np.float64)
    exact = exact + toward * (_LEAST + 2 * _HALF_ULP * np.abs(exact))
    if by.measure == "dot":
        lengths = by.query[rows] * by.unit
        return np.divide(exact, lengths, out=np.where(np.isinf(exact), exact, 0.0), where=lengths > 0)
    if by.measure == "l2":
        with np.errstate(over="ignore"):
            gap = np.minimum(exact, 0) / by.unit
            return np.asarray((np.square(by.query[rows] / by.unit) - np.square(gap)) / 2)
    return exact / by.unit if by.measure == "manhattan" else exact


def _divided(block: Vectors, by: NDArray[np.float64] | float) -> NDArray[np.float32]:
    """Rows of `block` over their lengths, or all over one; a row of length 0 stays as it is."""
    divisor = np.asarray(by if isinstance(by, float) else by[:, None])
    divisor = np.where(divisor > 0, divisor, 1.0)
    if divisor.size and divisor.min() > 1 / _SAFE and divisor.max() < _SAFE:
        return np.asarray(np.asarray(block, dtype=np.float32) / divisor.astype(np.float32))
    return np.asarray(np.asarray(block, dtype=np.float32).astype(np.float64) / divisor, dtype=np.float32)
