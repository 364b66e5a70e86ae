"""How good is a dictionary on these texts: what its reconstructions lose, how many features it uses, how often each.

The fraction of variance unexplained is  FVU = sum |x - x_hat|^2 / sum |x - mean|^2,  0 where nothing is lost, 1 where
the reconstructions are no better than the mean; it can exceed 1. It says little without the dead share: few features
that are always on reconstruct well and explain nothing. Figures of two dictionaries compare on the same texts alone,
and held-out figures are those of texts that training never saw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.evaluation_sums import Sums
from lib.sae.retrieval_kept import Kept, RetrievalKept, retrieval_kept

__all__ = ["ALWAYS_ON", "Kept", "RetrievalKept", "SaeEvaluation", "evaluate_sae", "evaluation_of", "retrieval_kept"]


ALWAYS_ON = 0.5
"""Share of the texts above which a feature counts as always on: it tells more by silence than by firing."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BLOCK = 2**23  # pre-activations held at once
_BARS = 24


@dataclass(frozen=True, eq=False)
class SaeEvaluation(Result):
    """A dictionary of n features on m texts."""

    fvu: float
    """Fraction of variance unexplained, 0 is best; NaN where all texts have one vector."""
    centre: str
    """What variance is taken about: "the mean of these texts", or "a given mean"."""
    labels: tuple[str, ...]
    """Labels of the texts, by name; () without labels."""
    label_fvu: NDArray[np.float64]
    """FVU of each label's texts, shape (len(labels),): their own errors over their own distances from the same centre,
    so that a label with few texts near the centre has a high one."""
    label_texts: NDArray[np.int64]
    """Texts of each label, shape (len(labels),)."""
    mean_active: float
    """Features that fire on a text, on average."""
    active_quantiles: dict[str, float]
    """The same at the quantiles .05, .25, .5, .75 and .95 of the texts."""
    dead_share: float
    """Share of the features that fire on none of the m texts, 0 to 1: the fewer texts, the larger."""
    always_on: NDArray[np.int64]
    """Features that fire on more than `always_share` of the texts, ascending."""
    always_share: float
    """That share."""
    frequency: NDArray[np.float64]
    """Share of the texts on which each feature fires, shape (n,)."""
    density_edges: NDArray[np.float64]
    """Edges of the histogram of log10(frequency), shape (bars + 1,): from one text in m to every text."""
    density_counts: NDArray[np.int64]
    """Features in each bar, shape (bars,); dead ones are in none."""
    mean_cosine: float
    """Mean cosine of x and x_hat over texts where both have a length; NaN where none has."""
    mean_length_ratio: float
    """Mean length of x_hat over that of x, same texts: below 1, reconstructions shrink."""
    texts: int
    """Texts, m."""
    features: int
    """Features, n."""


def evaluate_sae(
    sae: SparseAutoencoder,
    vectors: NDArray[np.floating],
    *,
    labels: Sequence[str | None] | None = None,
    mean: NDArray[np.floating] | None = None,
    codes: Codes | None = None,
    always_share: float = ALWAYS_ON,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SaeEvaluation:
    """Take `vectors` (m, d) apart, put them together again, and say what was lost.

    `labels` has a name for each text (None for none). `mean` (d,) is what variance is taken about: the training mean,
    say; that of `vectors` where None. `codes` are those of `vectors` where they are known. Vectors may be
    memory-mapped: they are read block by block.

    Raises:
        InputError: no vector, another width than the dictionary's, NaN among them, a share outside 0 to 1.
        Stopped: `should_stop` said so.
        ValueError: labels or codes of other texts.
    """
    sae.check_width(vectors)
    m = len(vectors)
    if not m:
        raise InputError("A dictionary cannot be evaluated on no text; give at least one.")
    if not 0 < always_share < 1:
        raise InputError(f"The share of texts for always-on features lies between 0 and 1, got {always_share}.")
    if (labels is not None and len(labels) != m) or (codes is not None and len(codes) != m):
        raise ValueError("Labels and codes should be of the same texts as the vectors")
    names, groups = _groups(labels, m)
    sums = Sums.none(sae.features, sae.decoder_bias, len(names))
    rows = max(1, _BLOCK // sae.features)
    for start in range(0, m, rows):
        if should_stop and should_stop():
            raise Stopped
        part = slice(start, min(start + rows, m))
        block = np.asarray(vectors[part], dtype=np.float32)
        block_codes = sae.encode(block) if codes is None else _part(codes, part)
        sums.add(block, sae.decode(block_codes), block_codes, groups[part])
        if progress:
            progress(part.stop, m)
    return evaluation_of(sums, labels=names, mean=mean, always_share=always_share)


def evaluation_of(
    sums: Sums,
    *,
    labels: tuple[str, ...] = (),
    mean: NDArray[np.floating] | None = None,
    always_share: float = ALWAYS_ON,
) -> SaeEvaluation:
    """The figures that sums over all texts give; `labels` names their groups in order."""
    centre = sums.mean if mean is None else np.asarray(mean, dtype=np.float64)
    if centre.shape != sums.mean.shape:
        raise InputError(f"The mean should have the shape {sums.mean.shape}, got {centre.shape}.")
    spread = sums.spread(centre)  # by group; the last has the texts without a label
    m, frequency = sums.texts, sums.fired / max(sums.texts, 1)
    edges = np.linspace(-np.log10(max(m, 2)), 0, _BARS + 1)
    alive = np.log10(frequency[frequency > 0])
    return SaeEvaluation(
        fvu=_ratio(sums.error.sum(), spread.sum()),
        centre="the mean of these texts" if mean is None else "a given mean",
        labels=labels,
        label_fvu=np.array([_ratio(error, of) for error, of in zip(sums.error[:-1], spread[:-1], strict=True)]),
        label_texts=sums.counts[:-1].astype(np.int64),
        mean_active=float(sums.fired.sum() / m),
        active_quantiles={f"{q:g}": sums.active_quantile(q) for q in QUANTILES},
        dead_share=float((sums.fired == 0).mean()),
        always_on=np.flatnonzero(frequency > always_share),
        always_share=float(always_share),
        frequency=frequency,
        density_edges=edges,
        density_counts=np.histogram(np.clip(alive, edges[0], 0), bins=edges)[0],
        mean_cosine=_ratio(sums.cosine, sums.with_length),
        mean_length_ratio=_ratio(sums.length_ratio, sums.with_length),
        texts=m,
        features=len(sums.fired),
    )


def _groups(labels: Sequence[str | None] | None, m: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the labels, and the label of each text as a number; the number after the last for no label."""
    if labels is None:
        return (), np.zeros(m, dtype=np.int64)
    names = tuple(sorted({label for label in labels if label is not None}))
    number = {name: at for at, name in enumerate(names)}
    return names, np.array([len(names) if label is None else number[label] for label in labels], dtype=np.int64)


def _part(codes: Codes, part: slice) -> Codes:
    """The codes of consecutive texts, nothing copied."""
    first, last = codes.starts[part.start], codes.starts[part.stop]
    starts = codes.starts[part.start : part.stop + 1] - first
    return Codes(starts, codes.features[first:last], codes.activations[first:last], codes.width)


def _ratio(a: float, b: float) -> float:
    return float(a / b) if b > 0 else float("nan")
