"""Each checkpoint through a dictionary of its own: which concepts both hold, how often, and which only one of them.

Features of the two dictionaries are paired (lib/sae/matching). Activations of two dictionaries have no common scale, so
pairs are compared by the texts on which they fire. A feature without a counterpart counts as gone, or come, only where
the other checkpoint's vectors do not tell it either: two trainings share about half of their features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.concepts.paired import FEWEST_MOVED, false_discovery, firing_p
from lib.finetune.concepts.results import ALPHA
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.matching import ModelMatch

OWN_RULE = (
    "Two features are one concept where they count as the same feature (similar enough, and beyond chance). A concept "
    "fires more or less often where McNemar's exact test says so with 5 % false discoveries over all pairs that differ "
    "on 6 texts or more (Benjamini-Hochberg). Only in one: it has no counterpart, and the other's vectors do not tell "
    "it either."
)


@dataclass(frozen=True, eq=False)
class OwnDiff(Result):
    """Concepts that both dictionaries hold (p pairs), and those of one alone."""

    base: NDArray[np.int64]
    """The base's feature of each pair, those that fire on most texts of either side first, shape (p,)."""
    tuned: NDArray[np.int64]
    """The tuned checkpoint's feature that goes with it, shape (p,)."""
    similarity: NDArray[np.float64]
    """How alike the two are, by what they were paired by, shape (p,)."""
    frequency_base: NDArray[np.float64]
    """Share of the texts on which the base's feature fires, shape (p,)."""
    frequency_tuned: NDArray[np.float64]
    """The same of its counterpart."""
    came: NDArray[np.int64]
    """Texts on which the counterpart alone fires, shape (p,)."""
    went: NDArray[np.int64]
    """Texts on which the base's feature alone fires, shape (p,)."""
    q_value: NDArray[np.float64]
    """Does it fire on more texts, or on fewer? After Benjamini and Hochberg; NaN where too few texts differ."""
    change: NDArray[np.int64]
    """1 where it fires more often than before, -1 where less often, 0 where that may be chance, by OWN_RULE, (p,)."""
    only_base: NDArray[np.int64]
    """Features of the base's dictionary that the tuned checkpoint does not know, the heaviest first."""
    only_tuned: NDArray[np.int64]
    """Features of the tuned checkpoint's that the base does not know."""
    known_by_tuned: float
    """Share of the base's activation that is in concepts which the tuned checkpoint knows, 0 to 1; NaN where none of
    its features can be told on these texts."""
    known_by_base: float
    """The same of the tuned checkpoint's activation."""
    paired_by_chance: float
    """Share of the base's features that chance alone would pair."""
    by: str
    """What features were paired by: cosine or correlation."""
    texts: int
    """Texts, m."""


def diff_own(match: ModelMatch, base: Codes, tuned: Codes) -> OwnDiff:
    """What became of the concepts that `match` paired; `base` and `tuned` are the codes of its two models."""
    ours, m = match.ours, max(len(base), 1)
    pairs = np.flatnonzero(ours.matched)
    partners = ours.match[pairs]
    first, second = base.columns[:, pairs].astype(bool), tuned.columns[:, partners].astype(bool)
    both = np.asarray(first.multiply(second).sum(axis=0)).ravel().astype(np.int64)
    before, after = (np.diff(one.indptr).astype(np.int64) for one in (first.tocsc(), second.tocsc()))
    came, went = after - both, before - both
    q_value = false_discovery(np.where(came + went >= FEWEST_MOVED, firing_p(came, went), np.nan))
    order = np.lexsort((pairs, -np.maximum(before, after)))
    return OwnDiff(
        base=pairs[order],
        tuned=partners[order],
        similarity=ours.value[pairs].astype(np.float64)[order],
        frequency_base=(before / m)[order],
        frequency_tuned=(after / m)[order],
        came=came[order],
        went=went[order],
        q_value=q_value[order],
        change=np.where(np.nan_to_num(q_value, nan=1.0) <= ALPHA, np.sign(after - before), 0)[order],
        only_base=ours.only[ours.lacking[ours.only]],
        only_tuned=match.theirs.only[match.theirs.lacking[match.theirs.only]],
        known_by_tuned=ours.known.share,
        known_by_base=match.theirs.known.share,
        paired_by_chance=ours.chance,
        by=match.by,
        texts=len(base),
    )
