"""Similarity within and across labels: which groups does the encoder hold apart?

Mean cosines of whole groups are closed forms of their sums S of unit vectors, exact at any size:

    within a:  (|S_a|^2 - n_a) / (n_a (n_a - 1))          between a and b:  S_a . S_b / (n_a n_b)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import check, unit_blocks, unit_rows
from lib.results import Result

MOST_LABELS = 2_000
"""Labels that `label_similarity` compares at most: their square then takes 32 MB."""


@dataclass(frozen=True)
class LabelSimilarity(Result):
    """Mean cosine within and between the labels of a corpus."""

    names: tuple[str, ...]
    """Labels, sorted by name."""
    counts: NDArray[np.int64]
    """Texts of each label, shape (labels,)."""
    means: NDArray[np.float64]
    """Mean cosine, shape (labels, labels), in [-1, 1]; the diagonal is over pairs of different texts (NaN for one)."""
    mean_within: float | None
    """Mean cosine over every pair of texts with the same label; None if no label has two."""
    mean_between: float | None
    """Mean cosine over every pair of texts with different labels; None with one label."""
    unlabelled: int
    """Texts left out because they have no label."""
    items: int
    """Labelled texts."""


@dataclass(frozen=True)
class TextSimilarity(Result):
    """Cosines between chosen texts, ordered by label."""

    rows: NDArray[np.int64]
    """Rows of the texts in the corpus, shape (m,)."""
    names: tuple[str, ...]
    """Label of each, "" for none."""
    cosines: NDArray[np.float32]
    """Cosine of each two, shape (m, m), in [-1, 1]."""
    items: int
    """Texts that could be chosen."""
    seed: int
    """Seed of the choice."""


@dataclass(frozen=True)
class Groups:
    """The labels of a corpus and the sum of unit embeddings of each, shared by whatever looks at labels."""

    names: tuple[str, ...]
    """Labels, sorted by name."""
    codes: NDArray[np.int64]
    """Number of each text's label in `names`, -1 for none, shape (n,)."""
    sums: NDArray[np.float64]
    """Sum of the unit embeddings of each label, shape (labels, d)."""
    counts: NDArray[np.int64]
    """Texts of each label, shape (labels,)."""


def label_groups(embeddings: NDArray[np.floating], labels: Sequence[str | None]) -> Groups:
    """The groups that `labels` (n,) make of `embeddings` (n, d); none where no text has a label.

    Raises:
        InputError: labels of another number, or an embedding of zero length.
    """
    n, _ = check(embeddings, minimum=1, what="Labels")
    names, codes = label_codes(labels, n)
    sums, counts = label_sums(embeddings, codes, len(names))
    return Groups(names, codes, sums, counts)


def label_codes(labels: Sequence[str | None], n: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Sorted distinct labels, and for each of the n texts the number of its own, -1 for none.

    Raises:
        InputError: there is not one label a text.
    """
    if len(labels) != n:
        raise InputError(f"Expected one label for each of {n} embeddings, got {len(labels)}.")
    names = tuple(sorted({label for label in labels if label is not None}))
    number = {name: code for code, name in enumerate(names)}
    return names, np.array([-1 if label is None else number[label] for label in labels], dtype=np.int64)


def label_sums(
    embeddings: NDArray[np.floating], codes: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sum of unit embeddings of each label, shape (count, d), and how many there are, shape (count,)."""
    sums = np.zeros((count, embeddings.shape[1]))
    for span, rows in unit_blocks(embeddings):
        order = np.argsort(codes[span], kind="stable")
        present, starts = np.unique(codes[span][order], return_index=True)
        parts = np.add.reduceat(rows[order], starts, axis=0, dtype=np.float64)  # (labels in this block, d)
        sums[present[present >= 0]] += parts[present >= 0]
    return sums, np.bincount(codes[codes >= 0], minlength=count)


def label_similarity(
    embeddings: NDArray[np.floating], labels: Sequence[str | None], *, groups: Groups | None = None
) -> LabelSimilarity:
    """Mean cosines within and between `labels` (n,) of `embeddings` (n, d). Exact.

    `groups` of the labels are used where they were already made.

    Raises:
        InputError: no text has a label, more than MOST_LABELS different ones, labels of another number, or an
            embedding of zero length.
    """
    groups = groups or label_groups(embeddings, labels)
    if not groups.names:
        raise InputError("Similarity of labels needs labels, and no text has one: choose a label column.")
    if len(groups.names) > MOST_LABELS:
        raise InputError(
            f"At most {MOST_LABELS:,} different labels can be compared with each other, got {len(groups.names):,}: "
            "choose another column."
        )
    counts = groups.counts
    means = groups.sums @ groups.sums.T / np.outer(counts, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (np.square(groups.sums).sum(axis=1) - counts) / (counts * (counts - 1.0))
    means[np.diag_indices(len(counts))] = np.where(counts > 1, own, np.nan)
    within, between = within_and_between(groups)
    return LabelSimilarity(
        names=groups.names,
        counts=counts,
        means=np.clip(means, -1, 1),
        mean_within=within,
        mean_between=between,
        unlabelled=int((groups.codes < 0).sum()),
        items=int(counts.sum()),
    )


def within_and_between(groups: Groups) -> tuple[float | None, float | None]:
    """Mean cosine over every pair of texts with the same label and with different ones; None where there is no pair."""
    counts = groups.counts.astype(np.float64)
    squares = np.vecdot(groups.sums, groups.sums)  # |S_a|^2 (labels,): pairs of one label, and each text with itself
    total = groups.sums.sum(axis=0)
    same, different = (counts * (counts - 1)).sum(), np.square(counts.sum()) - np.square(counts).sum()
    # A label with one text has no pair: thousands of them would only add the rounding of |S_a|^2 - 1.
    within = (squares - counts)[counts > 1].sum() / same if same else None
    between = (total @ total - squares.sum()) / different if different else None
    return _cosine(within), _cosine(between)


def _cosine(value: float | None) -> float | None:
    return None if value is None else float(np.clip(value, -1, 1))  # rounding may step over the ends


def text_similarity(
    embeddings: NDArray[np.floating],
    labels: Sequence[str | None] | None = None,
    *,
    rows: Sequence[int] | None = None,
    at_most: int = 150,
    seed: int = 0,
) -> TextSimilarity:
    """Cosines between `rows`, or else between at most `at_most` texts drawn evenly from the labels.

    Raises:
        InputError: no embeddings, labels of another number, or an embedding of zero length.
    """
    n, _ = check(embeddings, minimum=1, what="Similarity of texts")
    codes = label_codes(labels, n)[1] if labels is not None else np.full(n, -1)
    chosen = np.array(rows, dtype=np.int64) if rows is not None else _even_draw(codes, at_most, seed)
    chosen = chosen[np.lexsort((chosen, np.where(codes[chosen] < 0, np.iinfo(np.int64).max, codes[chosen])))]
    vectors = unit_rows(embeddings, chosen)
    names = tuple(labels[row] or "" for row in chosen) if labels is not None else ("",) * len(chosen)
    return TextSimilarity(chosen, names, np.clip(vectors @ vectors.T, -1, 1), n, seed)


def _even_draw(codes: NDArray[np.int64], at_most: int, seed: int) -> NDArray[np.int64]:
    """Up to `at_most` rows, as many from each label as from the next while they last."""
    order = np.random.default_rng(seed).permutation(len(codes))
    by_label = np.argsort(codes[order], kind="stable")
    sizes = np.unique(codes, return_counts=True)[1]
    turn = np.empty(len(codes), dtype=np.int64)  # 0 for the first text drawn of its label, 1 for the second ...
    turn[by_label] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.argsort(turn, kind="stable")][:at_most]
