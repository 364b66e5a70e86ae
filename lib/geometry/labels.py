"""Do the labels show in the space? Silhouette and neighbour purity, for each label.

Silhouette (Rousseeuw 1987) with cosine distance 1 - cosine has a closed form: the mean distance of a text to a
group is 1 minus its product with the group's mean unit vector, so that it is exact at any size. Purity: the
share of a text's k nearest neighbours that carry its label, beside what a random neighbour would give.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.neighbours import Neighbours, neighbours
from lib.geometry.similarity import Groups, label_groups
from lib.geometry.vectors import SAME, blocks, check, unit_blocks
from lib.results import Result


@dataclass(frozen=True)
class LabelFit(Result):
    """How well each label keeps together and apart."""

    names: tuple[str, ...]
    """Labels, sorted by name."""
    counts: NDArray[np.int64]
    """Texts of each label."""
    silhouette: float
    """Mean over labelled texts, in [-1, 1]; 1 = tight and far apart, 0 = overlapping, < 0 = nearer another label."""
    silhouette_by_label: NDArray[np.float64]
    """The same for each label; a label with one text counts as 0, as scikit-learn does."""
    purity: float
    """Mean share of the k nearest labelled neighbours with the same label, in [0, 1]."""
    purity_by_label: NDArray[np.float64]
    """The same for each label; NaN where the sample of texts holds none of it."""
    chance_by_label: NDArray[np.float64]
    """Purity that random neighbours would give: (n_label - 1) / (n - 1)."""
    k: int
    """Neighbours looked at, after lowering."""
    asked: int
    """Texts behind the purity: all labelled ones, or a sample."""
    items: int
    """Labelled texts."""
    unlabelled: int
    """Texts left out because they have no label."""


def label_fit(
    embeddings: NDArray[np.floating],
    labels: Sequence[str | None],
    *,
    k: int = 10,
    groups: Groups | None = None,
    nearest: Neighbours | None = None,
    seed: int = 0,
) -> LabelFit:
    """Measure how well `labels` (n,) fit `embeddings` (n, d). Unlabelled texts take no part.

    `groups` of the labels are used where they were already made, `nearest` where no text is unlabelled and it holds
    at least k neighbours.

    Raises:
        InputError: fewer than two labels, labels of another number, or an embedding of zero length.
    """
    n, _ = check(embeddings, minimum=2, what="The fit of labels")
    groups = groups or label_groups(embeddings, labels)
    names, codes, counts = groups.names, groups.codes, groups.counts
    if len(names) < 2:
        raise InputError(f"The fit of labels needs at least two different labels, got {len(names)}: choose others.")
    if k < 1:
        raise InputError(f"The fit of labels needs k of at least 1, got {k}.")
    labelled = np.flatnonzero(codes >= 0)
    k = min(k, len(labelled) - 1)
    if nearest is None or len(labelled) < n or nearest.items < n or nearest.indices.shape[1] < k:
        nearest = neighbours(embeddings, k, among=labelled, seed=seed)
    own = codes[nearest.rows]  # (asked,)
    same = (codes[nearest.indices[:, :k]] == own[:, None]).mean(axis=1)
    widths = silhouettes(embeddings, groups)[labelled]
    return LabelFit(
        names=names,
        counts=counts,
        silhouette=float(widths.mean()),
        silhouette_by_label=_means(widths, codes[labelled], len(names)),
        purity=float(same.mean()),
        purity_by_label=_means(same, own, len(names)),
        chance_by_label=(counts - 1) / (len(labelled) - 1),
        k=k,
        asked=len(nearest.rows),
        items=len(labelled),
        unlabelled=n - len(labelled),
    )


def silhouettes(embeddings: NDArray[np.floating], groups: Groups) -> NDArray[np.float64]:
    """Silhouette width of each text, shape (n,); 0 for unlabelled texts and those alone in their label."""
    widths = np.empty(len(groups.codes))
    means = (groups.sums / groups.counts[:, None]).astype(np.float32)  # (labels, d)
    for span, rows in unit_blocks(embeddings):
        own = groups.codes[span]
        size = groups.counts[own].astype(np.float64)
        within, nearest = _to_own_and_to_nearest(rows, own, means)
        within *= size / np.maximum(size - 1, 1)  # the text itself, at distance 0, is not counted
        wider = np.maximum(within, nearest)
        told = (own >= 0) & (size > 1) & (wider > SAME)  # below, all that is left of the distances is rounding
        widths[span] = np.where(told, (nearest - within) / np.where(told, wider, 1), 0)
    return widths


def _to_own_and_to_nearest(
    rows: NDArray[np.float32], own: NDArray[np.int64], means: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of each row to the mean of its `own` label (0 for none) and to the nearest other, both shape (rows,).

    The labels are taken in blocks: their number does not bound what fits into memory.
    """
    within, nearest = np.zeros(len(rows)), np.full(len(rows), np.inf)
    for part in blocks(len(means)):
        distances = 1 - (rows @ means[part].T).astype(np.float64)  # (rows, labels in this block)
        here = np.flatnonzero((own >= part.start) & (own < part.stop))
        column = own[here] - part.start
        within[here] = distances[here, column]
        distances[here, column] = np.inf
        np.minimum(nearest, distances.min(axis=1), out=nearest)
    return within, nearest


def _means(values: NDArray[np.float64], codes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    sizes = np.bincount(codes, minlength=count)
    with np.errstate(invalid="ignore"):
        return np.bincount(codes, weights=values, minlength=count) / sizes
