"""Health of a dictionary on a corpus: which features are in use, what is left unexplained and where, which are double.

- *Silent* features fire on no text of the corpus. Few texts leave many silent that are sound: where the dictionary's
  training frequencies f are known, sum (1 - f)^m of them would be on m texts of the training mix. *Dead* ones never
  fired in training; without these frequencies nobody can tell dead from silent.
- *Always-on* features fire on more than half of the texts: they tell texts apart no better than a constant.
- Fraction of variance unexplained, FVU = sum |x - x_hat|^2 / sum |x - mean|^2: 0 = perfect, 1 = no better than the
  mean. By label both sums run over the label's texts, the mean is the whole corpus's, so that labels share one scale.
- *Duplicates*: decoder directions with a cosine of .95 or more, one concept stored twice.
- *Alignment*: cosine of a feature's encoder and decoder directions; what it reads against what it writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.coactivation import firing_counts
from lib.sae.codes import Codes
from lib.sae.database import FeatureDatabase
from lib.sae.diagnostics.duplicates import Duplicates, duplicates
from lib.sae.evaluation import ALWAYS_ON

_RESAMPLES = 1_000
_ROWS = 2_048
_BLOCK = 2**22  # reconstructed numbers held at once


@dataclass(frozen=True, eq=False)
class Unexplained(Result):
    """Fraction of variance unexplained, over all texts and by label."""

    total: float
    """FVU over all texts, >= 0."""
    low: float
    """Lower end of its 95 % interval (bootstrap over texts)."""
    high: float
    """Upper end of it."""
    names: tuple[str, ...]
    """Labels, the highest FVU first."""
    texts: NDArray[np.int64]
    """Texts of each label, shape (labels,)."""
    by_label: NDArray[np.float64]
    """FVU of each label, shape (labels,)."""
    label_low: NDArray[np.float64]
    """Lower end of each interval; NaN for a label of one text."""
    label_high: NDArray[np.float64]
    """Upper end of each interval; NaN for a label of one text."""
    active: NDArray[np.float64]
    """Mean number of features that fire on a text of each label, shape (labels,)."""
    seed: int
    """Seed of the bootstrap."""


@dataclass(frozen=True, eq=False)
class Health(Result):
    """How a dictionary does on a corpus."""

    counts: NDArray[np.int64]
    """Texts on which each feature fires, shape (n,)."""
    texts: int
    """Texts of the corpus."""
    mean_active: float
    """Mean number of features that fire on a text."""
    bin_edges: NDArray[np.int64]
    """Edges of the histogram's bins, doubling: 1, 2, 4, ... texts; a bin holds its lower edge, not its upper one."""
    histogram: NDArray[np.int64]
    """Features that fire, by the number of texts on which they do, shape (bins,)."""
    silent: int
    """Features that fire on no text."""
    expected_silent: float
    """Features that would, were these texts a draw from the training mix; NaN where frequencies are not known."""
    dead: int
    """Features that never fired on the training texts; -1 where that is not known."""
    always_on: NDArray[np.int64]
    """Features that fire on more than `most_share` of the texts, the most frequent first."""
    most_share: float
    """Share of the texts above which a feature counts as always on."""
    unexplained: Unexplained
    """What the dictionary leaves unexplained."""
    duplicates: Duplicates
    """Directions that are (nearly) the same."""
    alignment: NDArray[np.float32]
    """Cosine of each feature's encoder and decoder directions, shape (n,), in [-1, 1]; NaN for one of length 0."""
    stability: NDArray[np.float32]
    """Decoder cosine of each feature with its match in a second training, shape (n,); all NaN where not known."""


def known_from_training(
    sae: SparseAutoencoder, database: FeatureDatabase | None
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Frequencies on the training texts, and stability, each (n,) or None, of a database that lies beside `sae`.

    Statistics of another corpus than the one that it was trained on say nothing of dead features, and are left away.
    """
    if database is None:
        return None, None
    trained_on = sae.about.trained_on.get("name")
    own = trained_on is not None and database.corpus == trained_on
    return (database.numbers("frequency") if own else None), database.numbers("stability")


def health(
    vectors: NDArray[np.floating],
    codes: Codes,
    sae: SparseAutoencoder,
    *,
    labels: Sequence[str | None] | None = None,
    frequency: NDArray[np.floating] | None = None,
    stability: NDArray[np.floating] | None = None,
    most_share: float = ALWAYS_ON,
    known: tuple[Unexplained, Duplicates] | None = None,
    seed: int = 0,
) -> Health:
    """Measure `sae` on the texts with `vectors` (m, d) and `codes`.

    `frequency` (n,) is each feature's share of the training texts, `stability` (n,) its cosine with its match in a
    second training; NaN or None where not known. `known` is what `unexplained` and `duplicates` made of these before.

    Raises:
        InputError: fewer than two texts, arrays that do not go together, texts that are all the same.
    """
    sae.check_width(vectors)
    if len(vectors) != len(codes) or codes.width != sae.features or (labels and len(labels) != len(codes)):
        raise InputError(
            f"{len(vectors):,} vectors do not go with codes of {len(codes):,} texts over {codes.width:,} features and "
            f"{len(labels or ()):,} labels."
        )
    counts = firing_counts(codes)
    fires = counts > 0
    edges = 2 ** np.arange(len(codes).bit_length() + 1)  # equal steps of the logarithm: 0.3 in log10
    always = np.flatnonzero(counts > most_share * len(codes))
    trained = _known(frequency, codes.width)
    left, double = known or (unexplained(vectors, codes, sae, labels, seed=seed), duplicates(sae))
    return Health(
        counts=counts,
        texts=len(codes),
        mean_active=float(codes.active.mean()) if len(codes) else float("nan"),
        bin_edges=edges,
        histogram=np.histogram(counts[fires], edges)[0].astype(np.int64),
        silent=int((~fires).sum()),
        expected_silent=float("nan") if trained is None else float(((1 - trained) ** len(codes)).sum()),
        dead=-1 if trained is None else int((trained == 0).sum()),
        always_on=always[np.argsort(-counts[always], kind="stable")],
        most_share=most_share,
        unexplained=left,
        duplicates=double,
        alignment=alignment(sae),
        stability=_column(stability, codes.width),
    )


def unexplained(
    vectors: NDArray[np.floating],
    codes: Codes,
    sae: SparseAutoencoder,
    labels: Sequence[str | None] | None = None,
    *,
    seed: int = 0,
) -> Unexplained:
    """Fraction of variance unexplained of `vectors` (m, d), over all and by label.

    Raises:
        InputError: fewer than two texts, or texts that are all the same.
    """
    if len(vectors) < 2:
        raise InputError(f"The variance left unexplained needs at least 2 texts, got {len(vectors)}: add texts.")
    error, spread = _squares(vectors, codes, sae)
    if spread.sum() <= 1e-12 * len(spread):
        raise InputError("All texts have the same embedding: there is no variance to explain.")
    generator = np.random.default_rng(seed)
    total, low, high = _ratio(error, spread, generator)
    names = sorted({label for label in labels or () if label is not None})
    of = np.array([label if label is not None else "" for label in labels or ()], dtype=object)
    rows = [np.flatnonzero((of == name) & np.array([label is not None for label in labels or ()])) for name in names]
    found = [_ratio(error[here], spread[here], generator) for here in rows]
    order = sorted(range(len(names)), key=lambda one: (-found[one][0], names[one]))
    column = np.array([found[one] for one in order], dtype=np.float64).reshape(len(names), 3)
    return Unexplained(
        total=total,
        low=low,
        high=high,
        names=tuple(names[one] for one in order),
        texts=np.array([len(rows[one]) for one in order], dtype=np.int64),
        by_label=column[:, 0],
        label_low=column[:, 1],
        label_high=column[:, 2],
        active=np.array([codes.active[rows[one]].mean() for one in order], dtype=np.float64),
        seed=seed,
    )


def alignment(sae: SparseAutoencoder) -> NDArray[np.float32]:
    """Cosine of each feature's encoder and decoder directions, shape (n,); NaN for one of length 0."""
    reads, writes = sae.encoder_weights.T, sae.decoder_weights
    lengths = np.linalg.norm(reads, axis=1) * np.linalg.norm(writes, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.vecdot(reads, writes) / lengths
    return np.asarray(np.where(lengths > 0, np.clip(found, -1, 1), np.nan), dtype=np.float32)


def _squares(
    vectors: NDArray[np.floating], codes: Codes, sae: SparseAutoencoder
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """|x - x_hat|^2 and |x - mean|^2 of each text, shape (m,) each."""
    m, rows = len(vectors), max(1, min(_ROWS, _BLOCK // sae.dimensions))
    mean = sum(np.asarray(vectors[at : at + rows]).sum(axis=0, dtype=np.float64) for at in range(0, m, rows)) / m
    error, spread = np.empty(m), np.empty(m)
    for start in range(0, m, rows):
        span = slice(start, min(start + rows, m))
        block = np.asarray(vectors[span], dtype=np.float64)
        left = block - sae.decode(codes.select(np.arange(span.start, span.stop)))
        away = block - mean
        error[span], spread[span] = np.vecdot(left, left), np.vecdot(away, away)
    return error, spread


def _ratio(
    error: NDArray[np.float64], spread: NDArray[np.float64], generator: np.random.Generator
) -> tuple[float, float, float]:
    """Sum error / sum spread, and the ends of its 95 % bootstrap interval (NaN for one text)."""
    whole = float(error.sum() / max(spread.sum(), 1e-300))
    if len(error) < 2:
        return whole, float("nan"), float("nan")
    found = np.empty(_RESAMPLES)
    step = max(1, 2**22 // len(error))
    for start in range(0, _RESAMPLES, step):
        drawn = generator.integers(len(error), size=(min(step, _RESAMPLES - start), len(error)))
        found[start : start + step] = error[drawn].sum(axis=1) / np.maximum(spread[drawn].sum(axis=1), 1e-300)
    low, high = np.quantile(found, [0.025, 0.975])
    return whole, float(low), float(high)


def _known(frequency: NDArray[np.floating] | None, n: int) -> NDArray[np.float64] | None:
    """Training frequencies, if every feature has one."""
    column = _column(frequency, n).astype(np.float64)
    return None if np.isnan(column).any() else column


def _column(values: NDArray[np.floating] | None, n: int) -> NDArray[np.float32]:
    if values is None:
        return np.full(n, np.nan, dtype=np.float32)
    column = np.asarray(values, dtype=np.float32)
    if column.shape != (n,):
        raise InputError(f"A column about {n:,} features should have as many rows, got {column.shape}.")
    return column
