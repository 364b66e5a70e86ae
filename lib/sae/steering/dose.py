"""Dose-response: the further a feature is pushed, the further the vector moves, and its texts should come up with it.

For a text and a feature, over deltas: the cosine shift, and the mean rank among all texts of those on which the feature
fires. Both stand against pushes of the same length in two kinds of other directions: random ones, and those of other
features that fire on nearly as many texts. The mean rank of m texts among n is

    (m + 1) / 2 + (n - m) (1 - AUROC)

with the AUROC of their scores against those of all others, so nothing has to be sorted but the others' scores.

The verdict is about one push, of the probe's size: do the texts on which the feature fires rise (in ranks) more than
those on which it is silent, and more so than when another feature is pushed? It says that the direction pulls in the
texts that the feature fires on. That they are what its label says is another question: `label_verdict` asks both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.steering.auroc import auroc_with_interval
from lib.sae.steering.field import Field
from lib.sae.steering.recipes import MOST_DELTA
from lib.sae.steering.steer import BAND, random_directions
from lib.sae.steering.verdicts import FEWEST, verdict

DELTAS = tuple(float(delta) for delta in range(-8, 9))
PROBE = 4.0
CONTROLS = 50
RISERS = 50


@dataclass(frozen=True, eq=False)
class Dose(Result):
    """One text pushed along one feature, over deltas. Bands have the shape (3, g): 5th percentile, median, 95th."""

    feature: int
    """The feature."""
    unit: float
    """Its mean active value: what a delta of 1 adds."""
    deltas: NDArray[np.float64]
    """Deltas, ascending, 0 and the probe among them, shape (g,)."""
    shift: NDArray[np.float64]
    """Cosine shift at each, shape (g,), 0 to 2."""
    shift_random: NDArray[np.float64]
    """Under random directions."""
    shift_others: NDArray[np.float64]
    """Under other features."""
    mean_rank: NDArray[np.float64]
    """Mean rank of the texts on which the feature fires, shape (g,); 1 is the top, equal scores share their mean."""
    rank_random: NDArray[np.float64]
    """The same texts' under random directions."""
    rank_others: NDArray[np.float64]
    """The same texts' under other features."""
    best_rank: float
    """Mean rank where all of them come first: (m + 1) / 2."""
    chance_rank: float
    """Mean rank of texts that are anywhere: (n + 1) / 2."""
    probe: float
    """Delta of the verdict, above 0."""
    rise: tuple[float, float, float] | None
    """AUROC of firing against silent texts by how many ranks they rose at the probe, and the lower and upper end of its
    95 % interval; None with too few of either."""
    rise_random: NDArray[np.float64]
    """That AUROC, for the same texts, of each random direction, shape (controls,)."""
    rise_others: NDArray[np.float64]
    """That of each other feature, shape (others,)."""
    verdict: str
    """One of four, by `verdicts.RULE`."""
    risers: NDArray[np.int64]
    """Rows of the texts that rose most at the probe, shape (r,)."""
    riser_before: NDArray[np.int64]
    """Their ranks before, shape (r,)."""
    riser_after: NDArray[np.int64]
    """Their ranks after, shape (r,)."""
    riser_fires: NDArray[np.bool_]
    """Whether the feature fires on them, shape (r,)."""
    others: NDArray[np.int64]
    """The other features, nearest in number of texts first, shape (others,)."""
    other_counts: NDArray[np.int64]
    """Texts on which each fires."""
    firing: int
    """Texts that are ranked and on which the feature fires, m."""
    texts: int
    """Texts that are ranked, n."""
    left_out: int
    """Texts that are not: the query itself."""
    seed: int
    """Seed of the random directions and of ties among other features."""

    def rank_at(self, delta: float) -> float:
        """Mean rank of its texts at one of the `deltas`: 0, the probe, or another."""
        return float(self.mean_rank[int(np.abs(self.deltas - delta).argmin())])


def dose_response(
    sae: SparseAutoencoder,
    codes: Codes,
    vectors: NDArray[np.floating],
    *,
    vector: NDArray[np.floating],
    feature: int,
    unit: float,
    deltas: Sequence[float] = DELTAS,
    probe: float = PROBE,
    left_out: NDArray[np.integer] | None = None,
    controls: int = CONTROLS,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Dose:
    """Push the text of `vector` (d,) along `feature` and rank the corpus, `vectors` (n, d) with its `codes`.

    `unit` is the feature's mean active value (`unit_of`), `left_out` are rows that are not ranked.

    Raises:
        InputError: a feature that there is not or that fires on no text or on every one, settings out of range, a
            vector of zeros.
        Stopped: `should_stop` said so.
    """
    steps = _checked(sae, codes, feature, np.asarray(deltas, dtype=np.float64), probe)
    ranked = np.ones(len(vectors), dtype=bool)
    ranked[[] if left_out is None else np.asarray(left_out, dtype=np.int64)] = False
    fires = np.zeros(len(vectors), dtype=bool)
    fires[codes.firing(feature)[0]] = True
    fires = fires[ranked]
    m, n = int(fires.sum()), len(fires)
    if not 0 < m < n:
        raise InputError(
            f"Feature {feature} fires on {m:,} of the {n:,} texts that can be ranked: for a dose-response it has to "
            "fire on some and not on others. Choose another feature or corpus."
        )
    others, counts = matched_features(codes, feature, controls, seed)
    field = Field(sae, vectors, ranked, np.asarray(vector, dtype=np.float64))
    drawn_directions = random_directions(controls, sae.dimensions, seed)
    field.along(np.vstack([sae.decoder_weights[[feature, *others]], drawn_directions]), fires)
    told, every = Told(progress, should_stop), len(steps) + 1
    shift, rank = np.empty((len(steps), field.directions)), np.empty((len(steps), field.directions))
    for at, delta in enumerate(steps.tolist()):
        told(at, every)
        shift[at] = field.shifts(delta * unit)
        rank[at] = field.mean_ranks(delta * unit)
    told(len(steps), every)
    rises, (before, after) = field.rises(probe * unit)
    told(every, every)
    mine, theirs, drawn = slice(0, 1), slice(1, 1 + len(others)), slice(1 + len(others), None)
    rise = _rise(before - after, fires) if min(m, n - m) >= FEWEST else None
    rows = np.flatnonzero(ranked)
    first = np.lexsort((after, -(before - after)))[:RISERS]
    return Dose(
        feature=feature,
        unit=unit,
        deltas=steps,
        shift=shift[:, mine].ravel(),
        shift_random=_band(shift[:, drawn]),
        shift_others=_band(shift[:, theirs]),
        mean_rank=rank[:, mine].ravel(),
        rank_random=_band(rank[:, drawn]),
        rank_others=_band(rank[:, theirs]),
        best_rank=(m + 1) / 2,
        chance_rank=(n + 1) / 2,
        probe=probe,
        rise=rise,
        rise_random=rises[drawn],
        rise_others=rises[theirs],
        verdict=verdict(rise, rises[theirs]),
        risers=rows[first],
        riser_before=before[first],
        riser_after=after[first],
        riser_fires=fires[first],
        others=others,
        other_counts=counts,
        firing=m,
        texts=n,
        left_out=int(len(ranked) - n),
        seed=seed,
    )


def matched_features(codes: Codes, feature: int, most: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features that fire on the most similar number of texts, by ratio, ties by chance; and those numbers."""
    counts = np.bincount(codes.features, minlength=codes.width)
    others = np.flatnonzero(counts)
    others = others[others != feature]
    apart = np.abs(np.log(counts[others] / max(1, counts[feature])))
    order = np.lexsort((np.random.default_rng(seed).random(len(others)), apart))[:most]
    return others[order], counts[others[order]]


def _checked(
    sae: SparseAutoencoder, codes: Codes, feature: int, deltas: NDArray[np.float64], probe: float
) -> NDArray[np.float64]:
    """The deltas, ascending and each once, with 0 and the probe among them."""
    if codes.width != sae.features or not 0 <= feature < sae.features:
        raise InputError(f"This dictionary has the features 0 to {sae.features - 1:,}, got {feature}.")
    if not 0 < probe <= MOST_DELTA:
        raise InputError(f"The verdict's delta is above 0 and at most {MOST_DELTA:g}, got {probe:g}.")
    if not (np.abs(deltas) <= MOST_DELTA).all():
        raise InputError(f"Deltas are numbers from -{MOST_DELTA:g} to {MOST_DELTA:g}.")
    return np.unique([*deltas, 0.0, probe])


def _rise(risen: NDArray[np.int64], fires: NDArray[np.bool_]) -> tuple[float, float, float]:
    found = auroc_with_interval(risen.astype(float), fires)
    return found.value, found.low, found.high


def _band(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """5th percentile, median and 95th percentile over directions, shape (3, g); NaN where there are none."""
    if not values.shape[1]:
        return np.full((3, len(values)), np.nan)
    made: NDArray[np.float64] = np.percentile(values, [BAND[0], 50, BAND[1]], axis=1)
    return made
