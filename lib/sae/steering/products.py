"""Products of a corpus with a text and with what is pushed, from which the scores of either way of steering follow.

With v a document, x the text and p what is added,

    query steered:      (x . v + p . v) / (|x + p| |v|)
    documents steered:  (x . v + x . p) / (|x| |v + p|),    |v + p|^2 = |v|^2 + 2 p . v + |p|^2

so that |v|^2, x . v and p . v are enough: nothing is encoded again, and no document is pushed one by one. As p . v is a
sum over the recipe's features of delta * unit * (direction . v), another delta needs no product with the corpus at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import blocks
from lib.sae.steering.recipes import Push

_BLOCK = 8_192


@dataclass(frozen=True, eq=False)
class Products:
    """What scores and lengths are made of, in float64."""

    squares: NDArray[np.float64]
    """|v|^2 of every document, shape (n,)."""
    text: NDArray[np.float64]
    """x . v, shape (n,)."""
    pushed: NDArray[np.float64]
    """p . v, shape (n,); zeros where nothing is pushed."""


def products_of(vectors: NDArray[np.floating], vector: NDArray[np.floating], pushed: NDArray[np.floating]) -> Products:
    """Those of the corpus, `vectors` (n, d), with the text's `vector` (d,) and what is `pushed` (d,).

    Raises:
        InputError: vectors of another width.
    """
    text, along = dots(vectors, np.vstack([vector, pushed]))
    return Products(squares_of(vectors), text, along)


def products_of_parts(
    push: Push, squares: NDArray[np.float64], text: NDArray[np.float64], along: Sequence[NDArray[np.float64]]
) -> Products:
    """The same from parts that are at hand: `along` holds direction . v for each feature of the `push`, shape (n,)."""
    pushed = np.zeros(len(squares))
    for delta, unit, one in zip(push.deltas, push.units, along, strict=True):
        if delta:
            pushed += delta * unit * one
    return Products(squares, text, pushed)


def dots(vectors: NDArray[np.floating], directions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Dot products of the `directions` (c, d) with every document, shape (c, n), in float64.

    Raises:
        InputError: directions of another width.
    """
    if vectors.shape[1] != directions.shape[1]:
        raise InputError(
            f"The corpus has vectors of {vectors.shape[1]} dimensions, and the query one of {directions.shape[1]}."
        )
    columns = directions.astype(np.float64)
    made = np.empty((len(columns), len(vectors)))
    for span in blocks(len(vectors), _BLOCK):
        made[:, span] = columns @ vectors[span].astype(np.float64).T
    return made


def squares_of(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared length of every document, shape (n,), in float64."""
    made = np.empty(len(vectors))
    for span in blocks(len(vectors), _BLOCK):
        block = vectors[span].astype(np.float64)
        made[span] = np.einsum("ij,ij->i", block, block)
    return made
