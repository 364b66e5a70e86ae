"""Ranks of the relevant documents for variants of queries, without a search: scores change by rank-one terms.

    x'.d = x.d - sum_j amount_j (direction_j . d)

A block of documents is multiplied once with the queries and once with the directions; after that a variant costs one
product a part and document. A relevant document's rank is the number of documents above it, plus 1. As in a search
(lib/retrieval/measures.py), these keys are in float32, and a bound on their rounding tells which documents are surely
above: the few that are too near to tell are scored in float64 as a search scores them, and ties broken as it breaks
them. The ranks are those that a search with the variants' vectors would give, whatever the blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lib.geometry.vectors import blocks
from lib.progress import Told
from lib.retrieval import JudgedRanks
from lib.retrieval.key_blocks import in_threads, one_blas_thread
from lib.retrieval.measures import Scale, document_side, pair_score, scale
from lib.sae.faithfulness.case import Case
from lib.sae.faithfulness.variants import Variants

Array = NDArray[np.float64]
Keys = NDArray[np.float32]

_HALF_ULP = 2.0**-24
_MOST_PRODUCTS = 2**23  # of directions with documents, held at once: 32 MB
_MOST_DOCUMENTS = 2_048
_FEWEST_DOCUMENTS = 64
_MOST_KEYS = 2**20  # of one query's variants with a block of documents, held by each thread: 4 MB
_QUERIES = 8  # that one thread takes at a time


def ranks_of(variants: Variants, case: Case, *, told: Told | None = None) -> JudgedRanks:
    """Rank of every relevant document of each variant's query, as if the variant were the query.

    Raises:
        Stopped: `told` said so.
    """
    by = scale(case.asked, case.documents, case.measure)
    asked = _asked(variants, case, by)
    n, done = len(case.documents), 0
    width = int(np.clip(_MOST_PRODUCTS // max(len(variants.directions), 1), _FEWEST_DOCUMENTS, _MOST_DOCUMENTS))
    sides = np.stack([one.side for one in asked]) if asked else np.zeros((0, case.asked.shape[1]), np.float32)
    for columns in blocks(n, width):
        if told:
            told(done, n)
        block = document_side(case.documents, columns, by)
        falls = np.asarray(np.vecdot(block, block) / 2 if case.measure == "l2" else np.zeros(len(block)), np.float32)
        whole, products = sides @ block.T - falls, variants.directions @ block.T
        one = _Block(case, columns, whole, products)
        with one_blas_thread():
            in_threads(partial(_count, one, asked), blocks(len(asked), _QUERIES))
        done = columns.stop
    if told:
        told(n, n)
    return _judged(asked, len(variants))


@dataclass(frozen=True, eq=False)
class _Asked:
    """A query's variants, v of them with parts along u directions, and its r relevant documents."""

    vector: Array
    """The query, shape (d,)."""
    side: Keys
    """The same as keys take it, shape (d,)."""
    first: int
    """The first variant's number."""
    used: NDArray[np.int64]
    """Rows of the directions, shape (u,)."""
    directions: Keys
    """These directions, shape (u, d)."""
    amounts: Array
    """What is taken out along them, shape (v, u); of variants with one part each, shape (v,)."""
    places: NDArray[np.int64] | None
    """Of variants with one part each: which of the directions, shape (v,)."""
    shrink: float
    """What vectors are multiplied with to become keys."""
    relevant: NDArray[np.int64]
    """Rows of the documents, shape (r,)."""
    grades: NDArray[np.int64]
    low: Keys
    """Keys of documents below this are surely not above the relevant one, shape (v, r)."""
    high: Keys
    """Keys above this surely are, shape (v, r)."""
    above: NDArray[np.int64]
    """Documents counted so far, shape (v, r)."""

    def __len__(self) -> int:
        return len(self.amounts)

    def vectors(self, variants: NDArray[np.integer]) -> Array:
        """The vectors of these variants, shape (m, d)."""
        wide = self.directions.astype(np.float64)
        if self.places is not None:
            return np.asarray(self.vector - self.amounts[variants, None] * wide[self.places[variants]])
        return np.asarray(self.vector - self.amounts[variants] @ wide)


def _asked(variants: Variants, case: Case, by: Scale) -> list[_Asked]:
    queries, single = case.queries, variants.single
    rows, firsts = np.unique(variants.query, return_index=True)
    lasts = np.append(firsts, len(variants))[1:]
    made = []
    for row, first, last in zip(rows, firsts, lasts, strict=True):
        here = slice(variants.starts[first], variants.starts[last])
        used, place = np.unique(variants.part[here], return_inverse=True)
        amounts = variants.amount[here]
        if not single:
            dense = np.zeros((last - first, len(used)))
            of = np.repeat(np.arange(last - first), np.diff(variants.starts[first : last + 1]))
            np.add.at(dense, (of, place), amounts)
            amounts = dense
        own = slice(*np.searchsorted(queries.judged_query, [row, row + 1]))
        chosen = queries.relevance[own] > 0
        relevant, grades = queries.judged_document[own][chosen], queries.relevance[own][chosen]
        length = float(by.query[row])
        shrink = 1 / by.unit if case.measure == "l2" else 1 / length if length > 0 else 1.0
        vector = case.asked[row].astype(np.float64)
        directions = variants.directions[used]
        key, taken = _relevant_keys(vector * shrink, directions, amounts * shrink, place if single else None,
                                    case.documents[relevant].astype(np.float64), by.document[relevant], by)  # fmt: skip
        slack = _slack(float(np.linalg.norm(vector)) * shrink + taken, len(used), case)[:, None]
        made.append(
            _Asked(
                vector=vector, side=(vector * shrink).astype(np.float32), first=int(first), used=used,
                directions=directions, amounts=amounts, places=place if single else None, shrink=shrink,
                relevant=relevant, grades=grades, low=_down(key - slack), high=_up(key + slack),
                above=np.zeros(key.shape, dtype=np.int64),
            )
        )  # fmt: skip
    return made


def _relevant_keys(
    vector: Array, directions: Keys, amounts: Array, places: NDArray[np.int64] | None, documents: Array,
    lengths: Array, by: Scale,
) -> tuple[Array, Array]:  # fmt: skip
    """Keys of the relevant documents (r, d) in float64, shape (v, r), and how much is taken out, shape (v,)."""
    divisor = lengths[:, None] if by.measure == "cosine" else by.unit
    side = np.divide(documents, divisor, out=np.zeros_like(documents), where=np.asarray(divisor) > 0)
    products = directions.astype(np.float64) @ side.T  # (u, r)
    change = amounts[:, None] * products[places] if places is not None else amounts @ products
    key = vector @ side.T - change
    if by.measure == "l2":
        key = key - np.vecdot(side, side) / 2
    taken = np.abs(amounts) if places is not None else np.abs(amounts).sum(axis=1)
    return np.asarray(key), np.asarray(taken)


def _slack(length: Array, parts: int, case: Case) -> Array:
    """How far rounding can take a key from that of exact arithmetic, or of a score that float32 rounds, shape (v,)."""
    size = (length + 1) ** 2 if case.measure == "l2" else length
    return np.asarray(_HALF_ULP * (3 * case.asked.shape[1] + 2 * parts + 32) * size)


@dataclass(frozen=True, eq=False)
class _Block:
    """Documents, and their keys with the whole queries and products with all directions."""

    case: Case
    columns: slice
    whole: Keys
    """Shape (queries, w)."""
    products: Keys
    """Shape (m, w)."""

    def count(self, asked: _Asked, at: int) -> None:
        """Count the documents of the block that are above the relevant ones."""
        w = self.products.shape[1]
        products = self.products[asked.used]
        for span in blocks(len(asked), max(1, _MOST_KEYS // w)):
            amounts = (asked.amounts[span] * asked.shrink).astype(np.float32)
            if asked.places is None:
                keys = amounts @ products
            else:
                keys = products[asked.places[span]]
                keys *= amounts[:, None]
            np.subtract(self.whole[at], keys, out=keys)
            for column, document in enumerate(asked.relevant.tolist()):
                self._above(asked, span, column, keys, inside=self.columns.start <= document < self.columns.stop)

    def _above(self, asked: _Asked, span: slice, column: int, keys: Keys, *, inside: bool) -> None:
        surely = keys > asked.high[span, column, None]
        sure = surely.view(np.uint8).sum(axis=1, dtype=np.uint32)
        maybe = keys >= asked.low[span, column, None]
        asked.above[span, column] += sure
        many = maybe.view(np.uint8).sum(axis=1, dtype=np.uint32) - sure
        open_ = np.flatnonzero(many > inside)  # the document itself is as near as can be
        if len(open_):
            self._settle(asked, span.start + open_, column, maybe[open_] & ~surely[open_])

    def _settle(self, asked: _Asked, variants: NDArray[np.int64], column: int, near: NDArray[np.bool_]) -> None:
        """Score the documents that are too `near` (m, w) to tell, and count those above."""
        case, relevant = self.case, int(asked.relevant[column])
        rows, places = np.nonzero(near)
        vectors = asked.vectors(variants)
        known = pair_score(vectors, case.documents[relevant], case.measure)[rows]
        documents = self.columns.start + places
        scores = np.concatenate(
            [
                pair_score(vectors[rows[part]], case.documents[documents[part]], case.measure)
                for part in blocks(len(rows))
            ]
        )
        ties = case.queries.tie_order
        earlier = (scores > known) | ((scores == known) & (ties[documents] < ties[relevant]))
        np.add.at(asked.above[:, column], variants[rows[earlier]], 1)


def _count(block: _Block, asked: Sequence[_Asked], span: slice) -> None:
    for at in range(span.start, span.stop):
        block.count(asked[at], at)


def _judged(asked: Sequence[_Asked], variants: int) -> JudgedRanks:
    query = [np.repeat(one.first + np.arange(len(one)), len(one.relevant)) for one in asked]
    grades = [np.tile(one.grades, len(one)) for one in asked]
    ranks = [1 + one.above.ravel() for one in asked]
    none = [np.zeros(0, dtype=np.int64)]
    return JudgedRanks(
        np.concatenate([*none, *query]), np.concatenate([*none, *grades]), np.concatenate([*none, *ranks]), variants
    )


def _down(values: Array) -> Keys:
    return np.nextafter(values.astype(np.float32), np.float32(-np.inf))


def _up(values: Array) -> Keys:
    return np.nextafter(values.astype(np.float32), np.float32(np.inf))
