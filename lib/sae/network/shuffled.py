"""What chance gives: networks of the same features, each one's activations thrown over other texts."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.errors import Stopped
from lib.progress import Progress
from lib.sae.codes import Codes
from lib.sae.network.graph import Measure
from lib.sae.network.sums import FeatureSums, measured, pairs_of

_SLACK = 1e-12


def shuffled(codes: Codes, generator: np.random.Generator) -> Codes:
    """The same activations of every feature, on texts drawn at random: frequencies stay, company is chance."""
    from scipy.sparse import csc_array

    columns, texts = codes.columns, len(codes)
    rows = np.empty(len(columns.indices), dtype=np.int32)
    for feature in range(codes.width):
        start, stop = columns.indptr[feature], columns.indptr[feature + 1]
        rows[start:stop] = generator.choice(texts, stop - start, replace=False)
    drawn = csc_array((columns.data, rows, columns.indptr), shape=(texts, codes.width)).tocsr()
    drawn.sort_indices()
    return Codes(drawn.indptr.astype(np.int64), drawn.indices.astype(np.int32), drawn.data, codes.width)


def joined(parts: Sequence[Codes]) -> Codes:
    """The texts of all parts, one after another."""
    if len(parts) == 1:
        return parts[0]
    ends = np.cumsum([0, *(part.starts[-1] for part in parts)])
    starts = [part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)]
    return Codes(
        np.concatenate([*starts, ends[-1:]]).astype(np.int64),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.activations for part in parts]),
        parts[0].width,
    )


def null_counts(
    parts: Sequence[Codes],
    sums: FeatureSums,
    measure: Measure,
    *,
    threshold: float,
    shuffles: int,
    seed: int,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> NDArray[np.int64]:
    """Pairs of `threshold` or more in each of `shuffles` shuffled networks, shape (shuffles,).

    Raises:
        Stopped: `should_stop` said so.
    """
    whole, found = joined(parts), np.zeros(shuffles, dtype=np.int64)
    for number in range(shuffles):
        if should_stop is not None and should_stop():
            raise Stopped
        drawn = [shuffled(whole, np.random.default_rng([seed, number]))]
        weight = measured(measure, drawn, pairs_of(drawn), sums)
        found[number] = int((weight >= threshold - _SLACK).sum())
        if progress is not None:
            progress(number + 1, shuffles)
    return found
