"""Absorption: pairs of features of which one adds nothing where the other fires.

*The absorber is the feature that is looked at first; the absorbed one fires (almost) every time the absorber does, so
that on those texts its firing tells nothing that the absorber's has not told already.* P(absorbed | absorber) is the
share of the absorber's texts on which the absorbed feature fires too. The absorber is thus the narrower of the two, or
as wide: where the reverse holds as well, the two are one concept under two numbers.

The few texts on which the absorber fires and the absorbed stays silent are where the narrower feature may have taken
the wider one's place: absorption as Chanin et al. (2024, arXiv:2409.14507) mean it, which `label_absorption` measures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.coactivation import Pairs, coactivation_pairs, firing_counts
from lib.sae.codes import Codes
from lib.sae.diagnostics.significance import log10_false_discovery, log10_tail, wilson

THRESHOLD = 0.8
"""P(absorbed | absorber) from which a pair is flagged, unless told."""
MOST_SHARE = 0.5
"""Share of the texts above which a feature is set apart, unless told."""
MAX_Q = 0.05
"""Share of the flagged pairs that may be chance."""
_LEAST_SUPPORT, _FULL_SUPPORT = 5, 20


@dataclass(frozen=True, eq=False)
class Absorption(Result):
    """Flagged pairs: those that chance does not explain first, then by P(absorbed | absorber), then by lift."""

    absorber: NDArray[np.int32]
    """The feature A that is looked at first, shape (pairs,)."""
    absorbed: NDArray[np.int32]
    """The feature B that fires where A does, shape (pairs,)."""
    both: NDArray[np.int32]
    """Texts on which both fire, shape (pairs,)."""
    count_absorber: NDArray[np.int64]
    """Texts on which A fires, shape (pairs,)."""
    count_absorbed: NDArray[np.int64]
    """Texts on which B fires, shape (pairs,)."""
    conditional: NDArray[np.float64]
    """P(B fires | A fires), shape (pairs,), in [threshold, 1]."""
    low: NDArray[np.float64]
    """Lower end of its 95 % interval (Wilson), shape (pairs,)."""
    high: NDArray[np.float64]
    """Upper end of it, shape (pairs,)."""
    expected: NDArray[np.float64]
    """What independence would give: B's share of all texts, shape (pairs,), in (0, most_share]."""
    lift: NDArray[np.float64]
    """conditional / expected, shape (pairs,); 1 = independent. Its interval is [low, high] / expected."""
    reverse: NDArray[np.float64]
    """P(A fires | B fires), shape (pairs,), in (0, 1]."""
    mutual: NDArray[np.bool_]
    """Whether the reverse is above the threshold as well: one concept twice. Listed once, the rarer as the absorber."""
    cosine: NDArray[np.float32]
    """Cosine of the two decoder directions, shape (pairs,), in [-1, 1]."""
    log10_p: NDArray[np.float64]
    """log10 of Fisher's exact one-sided p for so many common texts or more under independence, shape (pairs,)."""
    log10_q: NDArray[np.float64]
    """log10 of Benjamini and Hochberg's q over all pairs that were looked at, shape (pairs,)."""
    chance: NDArray[np.bool_]
    """q above `max_q`: among so many pairs, chance alone brings such ones about, shape (pairs,)."""
    frequent: NDArray[np.int32]
    """Features set apart because they fire on more than `most_share` of the texts, most frequent first."""
    frequent_share: NDArray[np.float64]
    """The share of the texts on which each does, of the shape of `frequent`."""
    frequent_follows: NDArray[np.int64]
    """Features that each would seem to have been absorbed by only because it almost always fires, same shape."""
    threshold: float
    """P(B | A) from which a pair is flagged."""
    min_support: int
    """Fewest texts of A."""
    most_share: float
    """Share of the texts above which neither may fire."""
    max_q: float
    """q above which a pair counts as chance."""
    texts: int
    """Texts of the corpus."""
    features: int
    """Features of the dictionary."""
    supported: int
    """Features that fire on `min_support` texts or more and on no more than `most_share` of them: the possible A."""
    looked_at: int
    """Pairs behind q: every A with every other feature that fires and is not set apart."""

    def __len__(self) -> int:
        return len(self.absorber)


@dataclass(frozen=True, eq=False)
class PairTexts(Result):
    """The texts of an absorber, those first that activate it most."""

    both: NDArray[np.int32]
    """Rows on which the absorbed feature fires too."""
    silent: NDArray[np.int32]
    """Rows on which it stays silent."""


def default_support(texts: int) -> int:
    """Fewest texts of an absorber in a corpus of `texts`: one in a hundred, 5 at least and 20 at most."""
    return int(np.clip(texts // 100, _LEAST_SUPPORT, _FULL_SUPPORT))


def scan_absorption(
    codes: Codes,
    sae: SparseAutoencoder,
    *,
    threshold: float = THRESHOLD,
    min_support: int | None = None,
    most_share: float = MOST_SHARE,
    max_q: float = MAX_Q,
    progress: Progress | None = None,
) -> Absorption:
    """Pairs of features of `sae` with P(B fires | A fires) >= `threshold` over the texts of `codes`.

    A fires on `min_support` texts or more (`default_support` unless told); neither on more than `most_share` of them.

    Raises:
        InputError: no texts, codes of another dictionary, settings out of range, more pairs than can be listed.
    """
    _check(codes, sae, threshold, most_share)
    support = default_support(len(codes)) if min_support is None else min_support
    counts = firing_counts(codes)
    rare = counts <= most_share * len(codes)
    found = coactivation_pairs(
        codes, min_support=support, min_conditional=threshold, firsts=rare, seconds=rare, progress=progress
    )
    log10_p = log10_tail(found.both, found.count_a, found.count_b, found.texts)
    log10_q = log10_false_discovery(log10_p, found.looked_at)
    chance = log10_q > np.log10(max_q)
    order = np.lexsort((-found.lift, -found.conditional, chance))
    order = order[_once(found)[order]]
    found, log10_p, log10_q, chance = found.select(order), log10_p[order], log10_q[order], chance[order]
    low, high = wilson(found.both, found.count_a)
    frequent, follows = _frequent(codes, counts, rare, threshold, support)
    return Absorption(
        absorber=found.a,
        absorbed=found.b,
        both=found.both,
        count_absorber=found.count_a,
        count_absorbed=found.count_b,
        conditional=found.conditional,
        low=low,
        high=high,
        expected=found.count_b / found.texts,
        lift=found.lift,
        reverse=found.reverse,
        mutual=(found.reverse >= threshold) & (found.count_b >= support),
        cosine=np.vecdot(sae.decoder_weights[found.a], sae.decoder_weights[found.b]),
        log10_p=log10_p,
        log10_q=log10_q,
        chance=chance,
        frequent=frequent.astype(np.int32),
        frequent_share=counts[frequent] / len(codes),
        frequent_follows=follows,
        threshold=threshold,
        min_support=support,
        most_share=most_share,
        max_q=max_q,
        texts=len(codes),
        features=codes.width,
        supported=int((rare & (counts >= support)).sum()),
        looked_at=found.looked_at,
    )


def pair_texts(codes: Codes, absorber: int, absorbed: int) -> PairTexts:
    """The texts on which `absorber` fires, with and without `absorbed`.

    Raises:
        InputError: a number that no feature has.
    """
    for feature in (absorber, absorbed):
        if not 0 <= feature < codes.width:
            raise InputError(f"This dictionary has features 0 to {codes.width - 1:,}, got {feature}.")
    rows, activations = codes.firing(absorber)
    rows = rows[np.argsort(-activations, kind="stable")]
    too = np.isin(rows, codes.firing(absorbed)[0])
    return PairTexts(rows[too].astype(np.int32), rows[~too].astype(np.int32))


def _check(codes: Codes, sae: SparseAutoencoder, threshold: float, most_share: float) -> None:
    if not len(codes):
        raise InputError("Absorption is measured over texts: this corpus has none.")
    if codes.width != sae.features:
        raise InputError(f"These codes are of {codes.width:,} features; this dictionary has {sae.features:,}.")
    if not 0 < threshold <= 1:
        raise InputError(f"The threshold of P(B | A) is above 0 and at most 1, got {threshold:g}.")
    if not 0 < most_share <= 1:
        raise InputError(f"The largest share of texts of a feature is above 0 and at most 1, got {most_share:g}.")


def _once(found: Pairs) -> NDArray[np.bool_]:
    """Which pairs to list, shape (pairs,): of a pair and its mirror image, the one whose absorber is the rarer."""
    width = int(max(found.a.max(initial=0), found.b.max(initial=0))) + 1
    mirrored = np.isin(found.a.astype(np.int64) * width + found.b, found.b.astype(np.int64) * width + found.a)
    second = (found.count_a > found.count_b) | ((found.count_a == found.count_b) & (found.a > found.b))
    return np.asarray(~(mirrored & second))


def _frequent(
    codes: Codes, counts: NDArray[np.int64], rare: NDArray[np.bool_], threshold: float, support: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Features above the largest share, most frequent first, and how many others each follows."""
    frequent = np.flatnonzero(~rare)
    if not len(frequent):
        return frequent, np.empty(0, np.int64)
    frequent = frequent[np.argsort(-counts[frequent], kind="stable")]
    seems = coactivation_pairs(codes, min_support=support, min_conditional=threshold, firsts=rare, seconds=~rare)
    return frequent, np.bincount(seems.b, minlength=codes.width)[frequent]
