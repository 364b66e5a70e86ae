"""Which features fire together: whole-number counts, made block by block, never features x features at once.

    both[a, b] = texts on which a and b fire,    P(b | a) = both[a, b] / count[a]

A block of features is multiplied with the texts as 0 and 1 (sparse times sparse), and thresholded before the next one
is begun. Counts are sums over texts: those of two parts of a corpus add up to the whole's, so that a corpus may come
in parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.coactivation_blocks import blocks, entries, ones, together, values
from lib.sae.codes import Codes

Parts = Codes | Sequence[Codes]
"""The codes of a corpus, or of its parts, one dictionary all of them."""

_MOST_PAIRS = 5_000_000


@dataclass(frozen=True, eq=False)
class Pairs(Result):
    """Pairs of features that fire on the same texts, in the order of their features."""

    a: NDArray[np.int32]
    """First feature of each pair, shape (pairs,)."""
    b: NDArray[np.int32]
    """Second feature of each pair, shape (pairs,)."""
    both: NDArray[np.int32]
    """Texts on which both fire, shape (pairs,)."""
    count_a: NDArray[np.int64]
    """Texts on which the first fires, shape (pairs,)."""
    count_b: NDArray[np.int64]
    """Texts on which the second fires, shape (pairs,)."""
    texts: int
    """Texts of the corpus."""
    looked_at: int
    """Pairs that could have been found: those whose features may take part."""

    def __len__(self) -> int:
        return len(self.a)

    @cached_property
    def conditional(self) -> NDArray[np.float64]:
        """P(b fires | a fires), shape (pairs,), in (0, 1]."""
        return self.both / self.count_a

    @cached_property
    def reverse(self) -> NDArray[np.float64]:
        """P(a fires | b fires), shape (pairs,), in (0, 1]."""
        return self.both / self.count_b

    @cached_property
    def lift(self) -> NDArray[np.float64]:
        """How many times as often as two independent features of these frequencies; 1 = independent."""
        return self.conditional * self.texts / self.count_b

    @cached_property
    def jaccard(self) -> NDArray[np.float64]:
        """Texts with both over texts with either, shape (pairs,), in (0, 1]."""
        return self.both / (self.count_a + self.count_b - self.both)

    def select(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> "Pairs":
        """The chosen pairs, in that order."""
        return Pairs(
            self.a[chosen], self.b[chosen], self.both[chosen], self.count_a[chosen], self.count_b[chosen],
            self.texts, self.looked_at,
        )  # fmt: skip


def firing_counts(codes: Parts) -> NDArray[np.int64]:
    """Texts on which each feature fires, shape (n,)."""
    parts = _parts(codes)
    counts = np.zeros(parts[0].width, dtype=np.int64)
    for part in parts:
        counts += np.bincount(part.features, minlength=part.width)
    return counts


def coactivation_pairs(
    codes: Parts,
    *,
    min_support: int = 1,
    min_both: int = 1,
    min_conditional: float = 0.0,
    ordered: bool = True,
    firsts: NDArray[np.bool_] | None = None,
    seconds: NDArray[np.bool_] | None = None,
    most_pairs: int = _MOST_PAIRS,
    progress: Progress | None = None,
) -> Pairs:
    """All pairs (a, b), a != b, that fire together on `min_both` texts and with P(b | a) >= `min_conditional`.

    a fires on `min_support` texts or more. `ordered` tells (a, b) from (b, a), since P(b | a) is not P(a | b); without
    it a < b, both firing on `min_support` texts, and `min_conditional` holds where either direction passes. `firsts`
    and `seconds` (n,) say which features may be a, and b; all unless told.

    Raises:
        InputError: no codes, parts of different dictionaries, settings out of range, more than `most_pairs` pairs.
    """
    _check(min_support, min_both, min_conditional)
    parts = _parts(codes)
    counts = firing_counts(parts)
    may_lead = (counts >= max(min_support, min_both)) & _allowed(firsts, counts)
    may_follow = (counts >= (min_both if ordered else max(min_support, min_both))) & _allowed(seconds, counts)
    least = np.maximum(min_both, np.ceil(min_conditional * counts - 1e-9)).astype(np.int32)
    found: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]] = []
    held, leading = 0, np.flatnonzero(may_lead)
    work = [(ones(part).T.tocsr(), ones(part, may_follow)) for part in parts]
    for features in blocks(leading, counts, parts):
        found.append(together(work, features, least, ordered))
        held += len(found[-1][0])
        if held > most_pairs:
            raise InputError(
                f"More than {most_pairs:,} pairs of features fire together that often: raise the threshold or the "
                "fewest texts of a feature."
            )
        if progress:
            progress(int(np.searchsorted(leading, features[-1])) + 1, len(leading))
    a, b, both = (np.concatenate(column) for column in zip(*found, strict=True)) if found else _none()
    return Pairs(a, b, both, counts[a], counts[b], sum(map(len, parts)), _looked_at(may_lead, may_follow, ordered))


def activation_products(
    codes: Parts, a: NDArray[np.integer], b: NDArray[np.integer], *, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Sum over texts of the activation of a times that of b, for each pair of features; shape (pairs,).

    Correlations and cosines of activations follow from it and from each feature's own sums.

    Raises:
        InputError: no codes, or parts of different dictionaries.
    """
    parts = _parts(codes)
    firsts, where = np.unique(a, return_inverse=True)
    taken = np.zeros(parts[0].width, dtype=bool)
    taken[b] = True
    work = [(values(part).T.tocsr(), values(part, taken)) for part in parts]
    found, done = np.zeros(len(a)), 0
    for features in blocks(firsts.astype(np.int64), firing_counts(parts), parts):
        products = [by_feature[features] @ by_text for by_feature, by_text in work]
        product = sum(products[1:], start=products[0]).tocsr()
        here = np.flatnonzero((where >= done) & (where < done + len(features)))
        found[here] = entries(product, where[here] - done, b[here])
        done += len(features)
        if progress:
            progress(done, len(firsts))
    return found


def _check(min_support: int, min_both: int, min_conditional: float) -> None:
    if min_support < 1 or min_both < 1:
        raise InputError(
            f"Features have to fire on at least 1 text to be compared, got {min(min_support, min_both)}: ask for more."
        )
    if not 0 <= min_conditional <= 1:
        raise InputError(f"A conditional probability is between 0 and 1, got {min_conditional:g}.")


def _parts(codes: Parts) -> Sequence[Codes]:
    parts = [codes] if isinstance(codes, Codes) else codes
    if not parts:
        raise InputError("Nothing can fire together without codes: give those of one text or more.")
    widths = {part.width for part in parts}
    if len(widths) > 1:
        raise InputError(
            f"These codes are of dictionaries of {' and '.join(f'{w:,}' for w in sorted(widths))} features."
        )
    return parts


def _allowed(chosen: NDArray[np.bool_] | None, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.ones(len(counts), dtype=bool) if chosen is None else np.asarray(chosen, dtype=bool)


def _none() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int32)


def _looked_at(may_lead: NDArray[np.bool_], may_follow: NDArray[np.bool_], ordered: bool) -> int:
    leads, follows, same = int(may_lead.sum()), int(may_follow.sum()), int((may_lead & may_follow).sum())
    pairs = leads * follows - same
    return pairs if ordered else pairs - same * (same - 1) // 2
