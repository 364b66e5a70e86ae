"""Births: for every feature, the layer at which it first appears over a corpus, and where it is strongest.

A feature's own texts are those on which it fires at the output. It is *born* at the first depth from which on it fires
on at least half of them. That it fires there says nothing of what else it fires on: `precision` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Encoder, Role
from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Kind, Lens, check_lens
from lib.sae.circuits.states import state_batches
from lib.sae.circuits.verdict import Verdict, from_which_on, judge
from lib.sae.diagnostics.significance import wilson
from lib.sae.fit import check_fit

LEAST = 10
"""Texts on which a feature has to fire to be judged, unless told otherwise."""
MOST_TEXTS = 2_000
"""Texts of a corpus that are looked at, unless told otherwise."""
SHARE = 0.5
"""Share of its own texts on which a feature fires from its birth on."""
BIRTH_RULE = (
    "A feature is born at the first depth from which on it fires on at least half of the texts on which it fires at "
    "the output."
)


@dataclass(frozen=True, eq=False)
class Births(Result):
    """Features that fire on at least `least` texts of a sample, over L + 1 depths; the last is the output."""

    lens: Kind
    """"raw" or "tuned"."""
    depths: tuple[str, ...]
    """Names of the depths, "embedding", "layer 1" to "layer L"."""
    features: NDArray[np.int32]
    """The features, ascending, shape (m,)."""
    firing: NDArray[np.int32]
    """Texts on which each fires at the output, shape (m,), at least `least`: its own texts."""
    birth: NDArray[np.int32]
    """The first depth from which on it fires on at least half of its own texts, shape (m,), 0 to L."""
    earliest: NDArray[np.int32]
    """The same with the upper ends of the 95 % intervals (Wilson) of those shares, shape (m,), at most `birth`."""
    latest: NDArray[np.int32]
    """And with their lower ends, shape (m,), at least `birth`, at most L."""
    peak: NDArray[np.int32]
    """The depth where its mean activation over its own texts is highest, shape (m,)."""
    curves: NDArray[np.float32]
    """Its mean activation over its own texts at each depth, shape (m, L + 1), 0 counted where it does not fire."""
    recall: NDArray[np.float32]
    """Share of its own texts on which it fires already, shape (m, L + 1): 1 at the last depth."""
    precision: NDArray[np.float32]
    """Share of its own texts among those on which it fires at a depth, shape (m, L + 1): 1 at the last depth; NaN
    where it fires on none."""
    base: NDArray[np.float32]
    """Share of all texts on which it fires at a depth, shape (m, L + 1): what `recall` would be by chance."""
    verdicts: tuple[Verdict, ...]
    """What the mean curve of each says, m of them; the rule is that of a trace."""
    rules: dict[str, str]
    """The rule behind each verdict that occurs, in words."""
    born: NDArray[np.int32]
    """Features born at each depth, shape (L + 1,)."""
    passing: NDArray[np.int32]
    """Features that fire on at least `least` texts at some depth before the last, but on none at the output."""
    rare: int
    """Features that fire at the output, but on fewer than `least` texts: left out."""
    least: int
    """Texts on which a feature has to fire to be judged."""
    texts: int
    """Texts in the sample."""
    of_texts: int
    """Different texts in the corpus that it was drawn from."""
    seed: int
    """Seed of the sample."""


def births(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    sae: SparseAutoencoder,
    lens: Lens,
    least: int = LEAST,
    most: int = MOST_TEXTS,
    role: Role = "document",
    batch_tokens: int = BATCH_TOKENS,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Births:
    """Where the features of `texts` are born. Repetitions count once; at most `most` texts are drawn.

    Args:
        encoder: one with layers.
        texts: the corpus.
        sae: the encoder's dictionary.
        lens: the encoder's lens.
        least: texts on which a feature has to fire at the output, at least 1.
        most: texts that are looked at.
        role: whose prompt stands before texts.
        batch_tokens: tokens in a batch, padding included.
        seed: which texts are drawn.
        progress: told the texts done and all of them.
        should_stop: asked before every batch.

    Raises:
        InputError: no text, settings out of range, or a lens or dictionary of another encoder.
        Stopped: `should_stop` said so.
    """
    check_lens(lens, encoder.checkpoint)
    check_fit(sae, encoder.checkpoint)
    different = list(dict.fromkeys(texts))
    if not different or least < 1 or most < 1:
        raise InputError(
            "Births need at least one text, and at least 1 for the texts looked at and those a feature fires on; got "
            f"{len(different)}, {most} and {least}."
        )
    places = np.sort(np.random.default_rng(seed).permutation(len(different))[:most])
    drawn = [different[place] for place in places.tolist()]
    sums = _Sums.none(len(lens.depths), sae.features)
    if progress:
        progress(0, len(drawn))
    for batch in state_batches(encoder, drawn, role=role, batch_tokens=batch_tokens):
        if should_stop and should_stop():
            raise Stopped(f"Stopped after {sums.texts:,} of {len(drawn):,} texts.")
        sums.add(sae, lens.apply(batch))
        if progress:
            progress(sums.texts, len(drawn))
    return _found(sums, lens, least, of_texts=len(different), seed=seed)


@dataclass(eq=False)
class _Sums:
    """What was seen of each feature at each depth, shape (L + 1, n) each; sums of two samples add up."""

    texts: int
    fires: NDArray[np.int64]
    """Texts on which it fires."""
    both: NDArray[np.int64]
    """Those of them on which it fires at the output too."""
    total: NDArray[np.float64]
    """Its activations on the texts on which it fires at the output."""

    @classmethod
    def none(cls, depths: int, features: int) -> "_Sums":
        shape = (depths, features)
        return cls(0, np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape))

    def add(self, sae: SparseAutoencoder, readings: NDArray[np.float32]) -> None:
        """Count texts in by their readings, shape (L + 1, b, d)."""
        depths, b, _ = readings.shape
        n = sae.features
        final = np.zeros((b, n), dtype=bool)
        for depth in range(depths)[::-1]:
            codes = sae.encode(readings[depth])
            rows = np.repeat(np.arange(b), codes.active)
            if depth == depths - 1:
                final[rows, codes.features] = True
            own = final[rows, codes.features]
            self.fires[depth] += np.bincount(codes.features, minlength=n)
            self.both[depth] += np.bincount(codes.features[own], minlength=n)
            self.total[depth] += np.bincount(codes.features[own], weights=codes.activations[own], minlength=n)
        self.texts += b


def _found(sums: _Sums, lens: Lens, least: int, *, of_texts: int, seed: int) -> Births:
    final = sums.fires[-1]
    features = np.flatnonzero(final >= least)
    own, both, fires = final[features], sums.both[:, features].T, sums.fires[:, features].T  # (m,), (m, L + 1) twice
    curves = sums.total[:, features].T / own[:, None]
    low, high = wilson(both, np.broadcast_to(own[:, None], both.shape))
    birth = _births(both / own[:, None])
    judged = [judge(curve) for curve in curves]
    depths = len(lens.depths)
    return Births(
        lens=lens.kind,
        depths=lens.depths,
        features=features.astype(np.int32),
        firing=own.astype(np.int32),
        birth=birth,
        earliest=_births(high),
        latest=np.minimum(_births(low), depths - 1).astype(np.int32),
        peak=np.array([one.peak for one in judged], dtype=np.int32),
        curves=curves.astype(np.float32),
        recall=(both / own[:, None]).astype(np.float32),
        precision=np.divide(both, fires, out=np.full(both.shape, np.nan), where=fires > 0).astype(np.float32),
        base=(fires / sums.texts).astype(np.float32),
        verdicts=tuple(one.verdict for one in judged),
        rules={one.verdict: one.rule for one in judged},
        born=np.bincount(birth, minlength=depths).astype(np.int32),
        passing=np.flatnonzero((final == 0) & (sums.fires[:-1] >= least).any(axis=0)).astype(np.int32),
        rare=int(((final > 0) & (final < least)).sum()),
        least=least,
        texts=sums.texts,
        of_texts=of_texts,
        seed=seed,
    )


def _births(shares: NDArray[np.float64]) -> NDArray[np.int32]:
    """The first depth from which on each row's share is at least a half, shape (m,); L + 1 where the last is not."""
    return np.array([from_which_on(row >= SHARE) for row in shares], dtype=np.int32)
