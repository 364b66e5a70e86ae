"""Moves: for one query, what either checkpoint puts first, and where each of those documents stands with the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.diff.ranks import RankDiff
from lib.results import Result
from lib.retrieval.run import Run


@dataclass(frozen=True, eq=False)
class Moves(Result):
    """One query's documents: the first of either checkpoint, and where each stands with the other."""

    query: int
    """Row of the query in its set."""
    document: NDArray[np.int64]
    """Rows of the documents, shape (m,): the base's first ones in its order, then those that only the tuned one has."""
    rank_base: NDArray[np.int64]
    """Rank with the base, shape (m,); 0 where it stands beyond what the run holds."""
    rank_tuned: NDArray[np.int64]
    """The same with the tuned checkpoint, shape (m,)."""
    score_base: NDArray[np.float64]
    """Its score with the base, shape (m,); NaN where beyond."""
    score_tuned: NDArray[np.float64]
    """The same with the tuned checkpoint, shape (m,)."""
    relevance: NDArray[np.int64]
    """Its judged grade, shape (m,); 0 where it is not relevant, or was not judged."""


def moves(queries: QuerySet, diff: RankDiff, row: int, *, top: int = 10) -> Moves:
    """The first `top` documents of either checkpoint for the query at `row` of its set, and where each stands now.

    Raises:
        InputError: no such query, or `top` below 1.
    """
    if not 0 <= row < len(queries.queries) or top < 1:
        raise InputError(
            f"A query is named by its row from 0 to {len(queries.queries) - 1}, and at least one document is shown; "
            f"got {row} and {top}."
        )
    sides = (diff.run_base, diff.run_tuned)
    shown = [run.documents[row, :top] for run in sides]
    document = np.concatenate([shown[0], shown[1][~np.isin(shown[1], shown[0])]])
    (rank_base, score_base), (rank_tuned, score_tuned) = (_stands(run, row, document) for run in sides)
    of = queries.judged_query == row
    grades = dict(zip(queries.judged_document[of].tolist(), queries.relevance[of].tolist(), strict=True))
    relevance = np.array([grades.get(one, 0) for one in document.tolist()], dtype=np.int64)
    return Moves(row, document, rank_base, rank_tuned, score_base, score_tuned, relevance)


def _stands(run: Run, row: int, document: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rank and score of each `document` (m,) in the run of one query; 0 and NaN for those it does not hold."""
    found = run.documents[row][None, :] == document[:, None]  # (m, k)
    place, held = found.argmax(axis=1), found.any(axis=1)
    score = np.where(held, run.scores[row][place].astype(np.float64), np.nan)
    return np.where(held, place + 1, 0), score
