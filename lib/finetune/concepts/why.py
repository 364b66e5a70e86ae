"""Why did this query get worse, or better? The margin between two documents before and after, feature by feature.

The relevant document of a query leads another one by  q . d - q . o,  with both checkpoints a sum over the features
that fire on the query, the decoder's bias and what is in no feature (lib/sae/faithfulness/why.py). The difference of
the two sums is what the fine-tune did to the lead, exact. The other document is the one that changed places with the
relevant one. Both sides are read through the base's dictionary: a lead that was lost to the error was lost to something
that it has no feature for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.retrieval import Measure
from lib.retrieval.measures import Vectors, pair_score
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.faithfulness import Why, why

_BLOCK = 8_192  # documents scored at a time


@dataclass(frozen=True, eq=False)
class Passed(Result):
    """One query's relevant document, and the document that changed places with it."""

    relevant: int
    """Row of the relevant document."""
    relevant_base: int
    """Its rank with the base among all documents, 1 is best."""
    relevant_tuned: int
    """The same with the tuned checkpoint."""
    rival: int | None
    """Row of the document to set beside it; None where there is no other document."""
    rival_base: int | None
    """Its rank with the base."""
    rival_tuned: int | None
    """The same with the tuned checkpoint."""
    overtook: int
    """Documents, none of them relevant, that stood below it with the base and stand above it now."""
    fell_behind: int
    """Those that stood above it with the base and stand below it now."""

    @property
    def changed_places(self) -> bool:
        """Whether the two stand in another order than before."""
        if self.rival_base is None or self.rival_tuned is None:
            return False
        return (self.rival_base < self.relevant_base) != (self.rival_tuned < self.relevant_tuned)


@dataclass(frozen=True, eq=False)
class WhyChanged(Result):
    """The lead of one document over another before and after; a features fire on the query in one of the two."""

    features: NDArray[np.int32]
    """The features, ascending, shape (a,)."""
    activation_base: NDArray[np.float64]
    """How strongly each fires on the query with the base, 0 where silent, shape (a,)."""
    activation_tuned: NDArray[np.float64]
    """The same with the tuned checkpoint."""
    before: NDArray[np.float64]
    """What each adds to the lead with the base, shape (a,)."""
    after: NDArray[np.float64]
    """The same with the tuned checkpoint."""
    bias_before: float
    """What the decoder's bias adds with the base."""
    bias_after: float
    """The same with the tuned checkpoint."""
    error_before: float
    """What is in no feature adds with the base."""
    error_after: float
    """The same with the tuned checkpoint."""
    lead_before: float
    """The whole lead with the base: above 0 the relevant document stands first."""
    lead_after: float
    """The same with the tuned checkpoint."""
    measure: str
    """cosine or dot."""

    @property
    def parts(self) -> NDArray[np.float64]:
        """What each feature did to the lead, shape (a,); below 0 it cost some of it."""
        return self.after - self.before

    @property
    def change(self) -> float:
        """What the lead changed by: parts, bias and error sum to it."""
        return self.lead_after - self.lead_before

    @property
    def error_share(self) -> float:
        """Share of the change that is in no feature, signed; NaN where the lead is the same."""
        change = self.change
        return (self.error_after - self.error_before) / change if change else float("nan")

    @property
    def decides(self) -> NDArray[np.bool_]:
        """Features without whose change the two would still stand in the order that they had, shape (a,).

        None where the order is the same.
        """
        if (self.lead_before > 0) == (self.lead_after > 0):
            return np.zeros(len(self.features), dtype=bool)
        without = self.lead_after - self.parts
        return np.asarray((without > 0) == (self.lead_before > 0))


@dataclass(frozen=True, eq=False)
class QuerySides:
    """One query's vector and all documents', as two checkpoints make them."""

    query_base: Vectors
    """Shape (d,)."""
    documents_base: Vectors
    """Shape (n, d)."""
    query_tuned: Vectors
    """Shape (e,); e need not be d."""
    documents_tuned: Vectors
    """Shape (n, e)."""


def passed(
    sides: QuerySides,
    relevant: NDArray[np.integer],
    *,
    relevant_document: int,
    tie_order: NDArray[np.int64],
    measure: Measure = "cosine",
) -> Passed:
    """The document, not among `relevant`, that changed places with `relevant_document`.

    Where several overtook it, the one that stands first now; where none did and some fell behind, the one that stood
    first before. Where none changed places, the first other document now. Ranks are exact, ties by `tie_order` (n,).
    """
    before, after = (
        _ranks(query, documents, tie_order, measure)
        for query, documents in (
            (sides.query_base, sides.documents_base),
            (sides.query_tuned, sides.documents_tuned),
        )
    )
    other = np.ones(len(before), dtype=bool)
    other[relevant] = False
    own_before, own_after = before[relevant_document], after[relevant_document]
    overtook = np.flatnonzero(other & (before > own_before) & (after < own_after))
    fell = np.flatnonzero(other & (before < own_before) & (after > own_after))
    worse = own_after > own_before or (own_after == own_before and len(overtook) > 0)
    rivals, by = (overtook, after) if (worse and len(overtook)) or not len(fell) else (fell, before)
    if not len(rivals):
        rivals, by = np.flatnonzero(other), after
    rival = int(rivals[np.argmin(by[rivals])]) if len(rivals) else None
    return Passed(
        relevant=relevant_document,
        relevant_base=int(own_before),
        relevant_tuned=int(own_after),
        rival=rival,
        rival_base=None if rival is None else int(before[rival]),
        rival_tuned=None if rival is None else int(after[rival]),
        overtook=len(overtook),
        fell_behind=len(fell),
    )


def closest_relevant(
    sides: QuerySides, relevant: NDArray[np.integer], *, tie_order: NDArray[np.int64], measure: Measure = "cosine"
) -> int:
    """Of the `relevant` documents, the one to ask about.

    The tuned checkpoint's first where that stands further up than the base's first did, else the base's.
    """
    before = _ranks(sides.query_base, sides.documents_base, tie_order, measure)[relevant]
    after = _ranks(sides.query_tuned, sides.documents_tuned, tie_order, measure)[relevant]
    ranks = after if after.min() < before.min() else before
    return int(relevant[np.argmin(ranks)])


def why_changed(
    sae: SparseAutoencoder, sides: QuerySides, documents: tuple[int, int], *, measure: Measure = "cosine"
) -> WhyChanged:
    """What the fine-tune did to the lead of the first of `documents` over the second, feature by feature.

    Raises:
        InputError: vectors of another width than the dictionary's, or a measure that is no sum over features.
    """
    if sides.query_tuned.shape != sides.query_base.shape:
        raise InputError(
            f"A lead is taken apart in one space: the base makes vectors of {len(sides.query_base)} dimensions, the "
            f"tuned checkpoint of {len(sides.query_tuned)}. Choose a checkpoint that was tuned from the base."
        )
    pair = list(documents)
    before = why(sae, sides.query_base, sides.documents_base[pair], measure=measure).lead(0, 1)
    after = why(sae, sides.query_tuned, sides.documents_tuned[pair], measure=measure).lead(0, 1)
    features = np.union1d(before.features, after.features)
    return WhyChanged(
        features=features.astype(np.int32),
        activation_base=_over(features, before, before.activations),
        activation_tuned=_over(features, after, after.activations),
        before=_over(features, before, before.parts[0]),
        after=_over(features, after, after.parts[0]),
        bias_before=float(before.bias[0]),
        bias_after=float(after.bias[0]),
        error_before=float(before.error[0]),
        error_after=float(after.error[0]),
        lead_before=float(before.scores[0]),
        lead_after=float(after.scores[0]),
        measure=measure,
    )


def _over(features: NDArray[np.integer], of: Why, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """`values` of the features of `of`, set among `features`; 0 for those that it does not have."""
    found = np.zeros(len(features))
    found[np.searchsorted(features, of.features)] = values
    return found


def _ranks(query: Vectors, documents: Vectors, tie_order: NDArray[np.int64], measure: Measure) -> NDArray[np.int64]:
    """Rank of every document for one query, 1 is best, shape (n,), by the scores that a search ranks by."""
    asked = np.asarray(query, dtype=np.float64)
    scores = np.concatenate(
        [pair_score(asked, documents[at : at + _BLOCK], measure) for at in range(0, len(documents), _BLOCK)]
    )
    order = np.lexsort((tie_order, -scores))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks
