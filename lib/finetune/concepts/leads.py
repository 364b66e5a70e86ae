"""Which concepts moved the queries that got worse, or better, all together? Their leads taken apart and averaged.

For every such query the lead of its relevant document over the one that changed places with it is taken apart before
and after (`why`); what each feature did to it is averaged over the queries. The queries were chosen because their rank
moved, so that the average leans that way by itself: parts compare with one another, not with 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.concepts.why import QuerySides, WhyChanged, passed, why_changed
from lib.finetune.diff.ranks import RankDiff, RetrievalSide
from lib.progress import Progress, Told
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder

MOST_QUERIES = 200
"""Queries that are taken apart: a random draw, where more moved."""


@dataclass(frozen=True, eq=False)
class LeadChanges(Result):
    """What each of f features did to the leads of q queries, on average."""

    features: NDArray[np.int64]
    """Features that fire on one of the queries, ascending, shape (f,)."""
    parts: NDArray[np.float64]
    """Mean change of the lead that each made, over the q queries, shape (f,)."""
    queries_with: NDArray[np.int64]
    """Queries on which it fires, before or after, shape (f,)."""
    decides: NDArray[np.int64]
    """Queries whose two documents would stand as before without its change, shape (f,)."""
    bias: float
    """Mean change that the decoder's bias made."""
    error: float
    """Mean change that is in no feature."""
    change: float
    """Mean change of the lead: parts, bias and error sum to it."""
    change_of_rank: int
    """1: queries that improved; -1: queries that got worse."""
    queries: int
    """Queries taken apart, q."""
    moved: int
    """Queries of that kind."""
    skipped: int
    """Queries of the draw in which no document, but a relevant one, changed places with it."""
    seed: int
    """Of the draw."""


def lead_changes(
    sae: SparseAutoencoder,
    queries: QuerySet,
    diff: RankDiff,
    sides: tuple[RetrievalSide, RetrievalSide],
    *,
    change_of_rank: int = -1,
    most: int = MOST_QUERIES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> LeadChanges:
    """Take apart the leads of the queries that got worse (-1), or improved (1); `sides` are base and tuned of `diff`.

    Raises:
        InputError: no query of that kind, or one of another kind was asked for.
        Stopped: `should_stop` said so.
    """
    if change_of_rank not in (-1, 1):
        raise InputError(f"Leads are told of queries that got worse (-1) or improved (1), got {change_of_rank}.")
    every = np.flatnonzero(diff.change == change_of_rank)
    if not len(every):
        raise InputError(f"No query {'improved' if change_of_rank > 0 else 'got worse'}, so no lead was lost or won.")
    places = every
    if len(every) > most:
        places = np.sort(np.random.default_rng(seed).choice(every, most, replace=False))
    told = Told(progress, should_stop).out_of(len(places))
    found = []
    for number, place in enumerate(places.tolist()):
        told(number)
        one = _taken_apart(sae, queries, diff, sides, place)
        if one is not None:
            found.append(one)
    told(len(places))
    return _averaged(sae.features, found, change_of_rank, (len(every), len(places) - len(found), seed))


def _taken_apart(
    sae: SparseAutoencoder,
    queries: QuerySet,
    diff: RankDiff,
    sides: tuple[RetrievalSide, RetrievalSide],
    place: int,
) -> WhyChanged | None:
    """The lead of the query at `place` of those compared; None where no other document changed places."""
    base, tuned = sides
    row = int(diff.query[place])
    document = int((diff.document_tuned if diff.change[place] > 0 else diff.document_base)[place])
    relevant = queries.judged_document[(queries.judged_query == row) & (queries.relevance > 0)]
    both = QuerySides(base.queries[row], base.documents, tuned.queries[row], tuned.documents)
    duel = passed(both, relevant, relevant_document=document, tie_order=queries.tie_order)
    if duel.rival is None or not duel.changed_places:
        return None
    return why_changed(sae, both, (document, duel.rival))


def _averaged(width: int, found: list[WhyChanged], change_of_rank: int, counts: tuple[int, int, int]) -> LeadChanges:
    parts, fires, decides = np.zeros(width), np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
    for one in found:
        parts[one.features] += one.parts
        fires[one.features] += 1
        decides[one.features] += one.decides
    q, features = max(len(found), 1), np.flatnonzero(fires)
    return LeadChanges(
        features=features,
        parts=parts[features] / q,
        queries_with=fires[features],
        decides=decides[features],
        bias=sum(one.bias_after - one.bias_before for one in found) / q,
        error=sum(one.error_after - one.error_before for one in found) / q,
        change=sum(one.change for one in found) / q,
        change_of_rank=change_of_rank,
        queries=len(found),
        moved=counts[0],
        skipped=counts[1],
        seed=counts[2],
    )
