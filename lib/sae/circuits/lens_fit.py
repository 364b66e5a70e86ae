"""Fitting the tuned lens on a reference corpus, and measuring any lens on texts that it was not fitted on.

Texts pass once, batch by batch; what is kept are sums. The penalty of each depth is the one of ten that does best on
a fifth of the fitted texts when it is fitted on the others; then it is fitted on all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Encoder, Role
from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Lens, check_lens, raw_lens
from lib.sae.circuits.lens_measure import LensSums
from lib.sae.circuits.lens_sums import CrossSums, best_penalty, ridge_map
from lib.sae.circuits.states import States, state_batches
from lib.sae.fit import check_fit

PENALTIES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
FEWEST_TEXTS = 20
"""Different texts below which no lens is fitted."""
MOST_TEXTS = 6_000
"""Texts of a corpus that a lens is fitted and measured on, unless told otherwise."""
_CHECKED = 5  # every fifth fitted text chooses the penalty
_HELD_OUT, _MOST_HELD_OUT = 0.2, 2_000


def fit_lens(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    sae: SparseAutoencoder,
    held_out: Sequence[str] | None = None,
    corpus: str = "",
    most: int = MOST_TEXTS,
    role: Role = "document",
    batch_tokens: int = BATCH_TOKENS,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Lens:
    """The tuned lens of `encoder`, fitted on `texts` and measured on others under `sae`.

    Args:
        encoder: one with layers.
        texts: the reference corpus; repetitions count once, and at most `most` of them are drawn.
        sae: the dictionary under which readings are measured.
        held_out: texts to measure on; where None, a fifth of those drawn, at most 2,000.
        corpus: what the reference corpus is called.
        most: how many texts are fitted and measured on.
        role: whose prompt stands before texts.
        batch_tokens: tokens in a batch, padding included.
        seed: which texts are drawn and held out.
        progress: told the texts done and all of them.
        should_stop: asked before every batch.

    Raises:
        InputError: an encoder without layers, a dictionary of another encoder, or fewer than 20 different texts.
        Stopped: `should_stop` said so.
    """
    check_fit(sae, encoder.checkpoint)
    lens = raw_lens(encoder.checkpoint)
    fitted, measured = _parted(texts, held_out, most, seed)
    total = len(fitted) + len(measured)
    watch = _Watch(total, progress, should_stop)
    batches = watch.over(state_batches(encoder, fitted, role=role, batch_tokens=batch_tokens))
    maps, offsets, chosen = _fitted(batches, len(lens.depths) - 1)
    tuned = replace(
        lens,
        kind="tuned",
        maps=maps,
        offsets=offsets,
        unit=encoder.checkpoint.normalised,
        ridge=chosen,
        corpus=corpus,
        fitted=len(fitted),
        seed=seed,
    )
    batches = watch.over(state_batches(encoder, measured, role=role, batch_tokens=batch_tokens))
    return _measured(tuned, sae, batches)


def measure_lens(
    lens: Lens,
    encoder: Encoder,
    texts: Sequence[str],
    *,
    sae: SparseAutoencoder,
    corpus: str = "",
    most: int = _MOST_HELD_OUT,
    role: Role = "document",
    batch_tokens: int = BATCH_TOKENS,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Lens:
    """`lens` with `r2`, `fvu` and `overlap` as they are on `texts`, of which at most `most` are drawn.

    Give a tuned lens other texts than it was fitted on. The name `corpus` goes into a lens that has none.

    Raises:
        InputError: a lens or a dictionary of another encoder, or fewer than 2 different texts.
        Stopped: `should_stop` said so.
    """
    check_lens(lens, encoder.checkpoint)
    check_fit(sae, encoder.checkpoint)
    drawn = _drawn(texts, most, seed)
    if len(drawn) < 2:
        raise InputError(f"A lens is measured on at least 2 different texts, got {len(drawn)}: give more.")
    batches = state_batches(encoder, drawn, role=role, batch_tokens=batch_tokens)
    named = replace(lens, corpus=lens.corpus or corpus)
    return _measured(named, sae, _Watch(len(drawn), progress, should_stop).over(batches))


def _drawn(texts: Sequence[str], most: int, seed: int) -> list[str]:
    """Different texts, at most `most` of them, in random order."""
    different = list(dict.fromkeys(texts))
    order = np.random.default_rng(seed).permutation(len(different))[:most]
    return [different[place] for place in order.tolist()]


def _parted(texts: Sequence[str], held_out: Sequence[str] | None, most: int, seed: int) -> tuple[list[str], list[str]]:
    drawn = _drawn(texts, most, seed)
    if len(drawn) < FEWEST_TEXTS:
        raise InputError(
            f"A tuned lens is fitted on at least {FEWEST_TEXTS} different texts, got {len(drawn)}: take a larger "
            "corpus, or the raw lens."
        )
    if held_out is None:
        kept = min(round(_HELD_OUT * len(drawn)), _MOST_HELD_OUT)
        return drawn[kept:], drawn[:kept]
    given = set(held_out)
    fitted = [text for text in drawn if text not in given]
    if len(given) < 2 or len(fitted) < FEWEST_TEXTS:
        raise InputError(
            f"Expected at least 2 held-out texts and {FEWEST_TEXTS} others to fit on, got {len(given)} and "
            f"{len(fitted)}."
        )
    return fitted, list(dict.fromkeys(held_out))


def _fitted(
    batches: Iterator[States], layers: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Maps (layers, D, d), offsets (layers, d) and penalties (layers,) of the depths before the last."""
    sums: list[list[CrossSums | None]] = [[None, None] for _ in range(layers)]  # the larger part, and the fifth
    for batch in batches:
        checked = batch.rows % _CHECKED == 0  # texts come in random order
        for part, mask in enumerate((~checked, checked)):
            if mask.any():
                for depth, held in enumerate(sums):
                    found = CrossSums.of(batch.pooled[depth, mask], batch.vectors[-1, mask])
                    before = held[part]
                    held[part] = found if before is None else before + found
    maps, offsets, chosen = [], [], []
    for larger, fifth in sums:
        if larger is None or fifth is None:
            raise ValueError("expected texts in both parts")
        chosen.append(best_penalty(larger, fifth, PENALTIES))
        slope, offset = ridge_map(larger + fifth, chosen[-1])
        maps.append(slope)
        offsets.append(offset)
    return np.array(maps, dtype=np.float32), np.array(offsets, dtype=np.float32), np.array(chosen)


def _measured(lens: Lens, sae: SparseAutoencoder, batches: Iterator[States]) -> Lens:
    sums = LensSums.none(sae, len(lens.depths))
    for batch in batches:
        guesses = lens.guesses(batch)
        sums.add(sae, guesses, lens.readings(guesses))
    return replace(
        lens,
        r2=sums.r2,
        fvu=sums.fvu,
        overlap=sums.overlap,
        by_chance=sums.by_chance,
        strongest=sums.strongest,
        sae=sae.key,
        held_out=sums.texts,
    )


class _Watch:
    """Tells how far several passes are, and stops them."""

    def __init__(self, total: int, progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self._done, self._total, self._progress, self._should_stop = 0, total, progress, should_stop
        if progress:
            progress(0, total)

    def over(self, batches: Iterator[States]) -> Iterator[States]:
        for batch in batches:
            if self._should_stop and self._should_stop():
                raise Stopped(f"Stopped after {self._done:,} of {self._total:,} texts.")
            yield batch
            self._done += len(batch)
            if self._progress:
                self._progress(self._done, self._total)
