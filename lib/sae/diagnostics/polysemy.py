"""Polysemy: does a feature fire on texts that have nothing to do with one another?

*Semantic variance* of a feature is the mean cosine distance between two of its top-activating examples,
1 - (|sum u|^2 - k) / (k (k - 1)) for k unit embeddings u. It is held against as many random texts of the same corpus,
drawn a thousand times: 0 = one text over and over, the corpus's own mean distance = no tighter than chance.

*Senses* are the examples merged by average linkage until no two groups are, on average, nearer to each other than
random pairs of texts are, less three quarters of their deviation: what is left apart is as good as unrelated. A group
counts as a sense from three texts and a fifth of the examples on; smaller ones are strays. Several senses must also
stand clear of each other, with a mean silhouette above .25, below which Kaufman and Rousseeuw (1990) see no substantial
structure; else they are one. How often random texts show several senses stands beside it: in a corpus of a few topics,
nearly always.

Variance depends on the corpus: of texts about one thing none is far from another, and few texts leave a feature with
examples that barely fire it. It cannot be compared between corpora or encoders; percentiles can, with care.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.coactivation import firing_counts
from lib.sae.codes import Codes
from lib.sae.diagnostics.groups import distances_of, group, mean_distance
from lib.sae.diagnostics.random_texts import Baseline, baseline

TOP, FEWEST = 20, 5
"""Examples that are looked at, and fewest that a feature must have, unless told."""
TIGHT = 0.05
"""Share of the random draws below whose variance a feature's must lie for its examples to be tighter than chance."""
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Polysemy(Result):
    """Features with enough examples, the largest semantic variance first."""

    feature: NDArray[np.int32]
    """The f features, shape (f,)."""
    fires: NDArray[np.int64]
    """Different texts on which each fires, shape (f,)."""
    examples: NDArray[np.int64]
    """Top-activating examples that were looked at, `fewest` to `top`, shape (f,)."""
    variance: NDArray[np.float32]
    """Mean pairwise cosine distance of the examples, shape (f,), in [0, 2]; low = about one thing."""
    percentile: NDArray[np.float64]
    """Share of the draws of as many random texts with no larger a variance, shape (f,), in [0, 1]."""
    z: NDArray[np.float64]
    """Deviations of those draws between the variance and their mean, shape (f,); below 0 = tighter than chance."""
    senses: NDArray[np.int64]
    """Groups of examples that are unrelated to one another, shape (f,); 0 = strays alone."""
    strays: NDArray[np.int64]
    """Examples in no sense, shape (f,)."""
    apart: NDArray[np.float32]
    """Mean cosine distance between the texts of the two largest senses, shape (f,); NaN under two."""
    unspecific: NDArray[np.bool_]
    """Whether the variance is not below that of nearly all (1 - TIGHT) draws of random texts, shape (f,)."""
    random_mean: float
    """Mean cosine distance of two different texts of the corpus: the variance of random texts, on average."""
    random_sizes: NDArray[np.int64]
    """Numbers of texts in a random draw: 2 to `top`, shape (sizes,)."""
    random_low: NDArray[np.float64]
    """TIGHT quantile of the variances of such draws, shape (sizes,): tighter than chance lies below it."""
    random_high: NDArray[np.float64]
    """1 - TIGHT quantile of them, shape (sizes,)."""
    unrelated: float
    """Mean distance from which two groups of examples count as unrelated."""
    random_several: float
    """Share of random draws of `top` texts that show two senses or more, in [0, 1]."""
    texts: int
    """Different texts of the corpus."""
    seed: int
    """Seed of the draws."""
    top: int
    """Examples looked at, at most."""
    fewest: int
    """Fewest examples of a feature that is measured."""
    left_out: int
    """Features that fire, but on too few different texts."""
    silent: int
    """Features that fire on none."""

    def __len__(self) -> int:
        return len(self.feature)

    @property
    def polysemous(self) -> NDArray[np.bool_]:
        """Features with two or more senses, shape (f,)."""
        return self.senses >= 2


def polysemy(
    vectors: NDArray[np.floating],
    codes: Codes,
    *,
    texts: Sequence[str] | None = None,
    top: int = TOP,
    fewest: int = FEWEST,
    seed: int = 0,
    progress: Progress | None = None,
) -> Polysemy:
    """Semantic variance and senses of every feature with `fewest` examples among the texts with `vectors` (m, d).

    With `texts`, those that read the same count once.

    Raises:
        InputError: arrays of different lengths, settings out of range, too few different texts.
    """
    kept = distinct_rows(vectors, codes, texts)
    if not 2 < fewest <= top:
        raise InputError(
            f"Variance needs 3 examples or more, and no fewer at most than at least: got {fewest} to {top}."
        )
    fires = firing_counts(codes.select(np.flatnonzero(kept)))
    base = baseline(vectors, np.flatnonzero(kept), top=top, seed=seed)
    measured = np.flatnonzero(fires >= fewest)
    sizes = np.minimum(fires[measured], top)
    variance = np.empty(len(measured), dtype=np.float32)
    senses, strays = np.zeros((2, len(measured)), dtype=np.int64)
    apart = np.full(len(measured), np.nan, dtype=np.float32)
    done = 0
    for places, rows in _same_size(codes, kept, measured, sizes):
        for place, distances in zip(places, distances_of(vectors, rows), strict=True):
            variance[place] = mean_distance(distances)
            groups = group(distances, base.unrelated)
            senses[place], strays[place] = groups.max(initial=-1) + 1, (groups < 0).sum()
            if senses[place] > 1:
                apart[place] = distances[np.ix_(groups == 0, groups == 1)].mean()
        done += len(places)
        if progress:
            progress(done, len(measured))
    percentile, z = _against(variance, sizes, base)
    order = np.argsort(-variance, kind="stable")
    return Polysemy(
        feature=measured[order].astype(np.int32),
        fires=fires[measured][order],
        examples=sizes[order],
        variance=variance[order],
        percentile=percentile[order],
        z=z[order],
        senses=senses[order],
        strays=strays[order],
        apart=apart[order],
        unspecific=(percentile > TIGHT)[order],
        random_mean=base.mean,
        random_sizes=base.sizes,
        random_low=np.quantile(base.variances, TIGHT, axis=1),
        random_high=np.quantile(base.variances, 1 - TIGHT, axis=1),
        unrelated=base.unrelated,
        random_several=base.several,
        texts=base.texts,
        seed=seed,
        top=top,
        fewest=fewest,
        left_out=int(((fires > 0) & (fires < fewest)).sum()),
        silent=int((fires == 0).sum()),
    )


def top_rows(
    codes: Codes, kept: NDArray[np.bool_], feature: int, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the texts among those `kept` (m,) that activate `feature` most, and how strongly."""
    rows, activations = codes.firing(feature)
    here = kept[rows]
    rows, activations = rows[here], activations[here]
    order = np.argsort(-activations, kind="stable")[:top]
    return rows[order].astype(np.int64), activations[order]


def distinct_rows(vectors: NDArray[np.floating], codes: Codes, texts: Sequence[str] | None) -> NDArray[np.bool_]:
    """The first of the texts that read the same, shape (m,)."""
    lengths = {len(vectors), len(codes), *([] if texts is None else [len(texts)])}
    if len(lengths) > 1:
        raise InputError(f"Vectors, codes and texts must be as many: got {' and '.join(map(str, sorted(lengths)))}.")
    kept = np.ones(len(codes), dtype=bool)
    if texts is not None:
        first = {text: row for row, text in reversed(list(enumerate(texts)))}
        kept[:] = False
        kept[list(first.values())] = True
    return kept


def _same_size(
    codes: Codes, kept: NDArray[np.bool_], measured: NDArray[np.int64], sizes: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places in `measured` of features with as many examples, a block at a time, and their rows (block, k)."""
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        for start in range(0, len(alike), _BLOCK):
            places = alike[start : start + _BLOCK]
            yield places, np.stack([top_rows(codes, kept, int(measured[place]), int(size))[0] for place in places])


def _against(
    variance: NDArray[np.float32], sizes: NDArray[np.int64], base: Baseline
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile and z of each variance among random draws of as many texts."""
    percentile, z = np.empty(len(variance)), np.empty(len(variance))
    for size in np.unique(sizes):
        here, drawn = sizes == size, base.of(int(size)).astype(np.float64)
        percentile[here] = np.searchsorted(drawn, variance[here], side="right") / len(drawn)
        spread = drawn.std()
        z[here] = (variance[here] - base.mean) / spread if spread > 0 else 0.0
    return percentile, z
