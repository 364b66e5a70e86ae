"""Build-up: how the layers of an encoder arrive at its vectors.

Texts pass through the encoder once. At every depth (the embedding layer, each layer, the output) their pooled states
are brought to length 1, and what is measured of them is: mean cosine over all pairs, within and between labels; linear
CKA with the output; the components that hold 90, 95 and 99 % of the variance. All of these are exact, from sums that
do not grow with the number of texts. Neighbour overlap, TwoNN and the CKA of every two depths need the states
themselves and are taken on a uniform sample of different texts. Mean cosine of hidden states: Ethayarajh 2019,
arXiv:1909.00512. Compare encoders on the same texts only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Encoder, Role
from lib.encoders.batches import distinct
from lib.errors import InputError
from lib.geometry import Moments
from lib.geometry.similarity import Groups, label_codes, within_and_between
from lib.geometry.vectors import sample_rows
from lib.layers.dimension import depth_dimensions
from lib.layers.similarity import cka_between, cka_with_output, neighbour_overlap, varies
from lib.layers.states import depth_names
from lib.layers.stream import stream
from lib.layers.sums import StateSums, tally
from lib.progress import Progress
from lib.results import Result

MOST_LABELS = 2_000
"""Labels beyond which the means within and between them are not taken: each needs a sum at every depth."""


@dataclass(frozen=True)
class BuildUp(Result):
    """The states of some texts at every depth of an encoder; depths = layers + 2."""

    names: tuple[str, ...]
    """Of the depths: "embedding", "layer 1", ..., "output"."""
    mean_cosine: NDArray[np.float64]
    """Mean cosine over all pairs of texts, shape (depths,), in [-1 / (n - 1), 1]. Exact."""
    within: NDArray[np.float64]
    """The same over pairs of texts with the same label; NaN without such pairs, or with too many labels."""
    between: NDArray[np.float64]
    """The same over pairs of texts with different labels; NaN likewise."""
    cka_output: NDArray[np.float64]
    """Linear CKA with the output, shape (depths,), in [0, 1]; NaN where all states (or outputs) are the same. Exact."""
    cka_chance: NDArray[np.float64]
    """Mean CKA with the output were texts paired at random: the baseline; NaN likewise."""
    overlap: NDArray[np.float64]
    """Share of the k nearest neighbours that are among the output's, shape (depths,), in [0, 1]; NaN likewise."""
    overlap_chance: float
    """The same with random neighbours, k / (sample - 1); NaN with fewer than two different texts."""
    cka_between: NDArray[np.float64]
    """Linear CKA of every two depths over the sample, shape (depths, depths), in [0, 1]; NaN where nothing varies."""
    components_90: NDArray[np.int64]
    """Principal components that hold 90 % of the variance, shape (depths,); 0 where nothing varies. Exact."""
    components_95: NDArray[np.int64]
    """The same for 95 %."""
    components_99: NDArray[np.int64]
    """The same for 99 %."""
    participation_ratio: NDArray[np.float64]
    """(sum of eigenvalues)^2 / sum of squared eigenvalues, shape (depths,); 0 where nothing varies. Exact."""
    two_nn: NDArray[np.float64]
    """TwoNN estimate over the sample, shape (depths,); NaN with fewer than ten different states."""
    two_nn_interval: NDArray[np.float64]
    """Its 95 % interval, shape (depths, 2)."""
    dimensions: NDArray[np.int64]
    """Dimensions of a state, shape (depths,)."""
    k: int
    """Neighbours looked at, after lowering to a quarter of the others in the sample."""
    sample: int
    """Different texts behind overlap, TwoNN and `cka_between`."""
    items: int
    """Texts measured, n, repetitions counted."""
    different: int
    """Different texts among them."""
    drawn: int
    """Texts drawn to be measured: all of them, or a sample."""
    given: int
    """Texts given."""
    left_out: int
    """Texts drawn but left out because they have no token, or a state of zero length at some depth: drawn - items."""
    labels: int
    """Different labels among the texts chosen."""
    labelled: int
    """Texts chosen that have a label."""
    role: str
    """"query" or "document": as what they were encoded."""
    seed: int
    """Seed of both samples."""


def layer_build_up(
    encoder: Encoder,
    texts: Sequence[str],
    labels: Sequence[str | None] | None = None,
    *,
    most_texts: int | None = None,
    sample: int = 1_000,
    k: int = 10,
    role: Role = "document",
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    seed: int = 0,
) -> BuildUp:
    """Measure the states of `texts` at every depth of `encoder`; `labels`, one a text, may hold None.

    A text that occurs several times counts as often, but runs once. Memory: d x d numbers and the sample's states for
    each depth, whatever the number of texts.

    Args:
        encoder: one with layers.
        texts: two or more.
        labels: for the means within and between them.
        most_texts: measure a uniform sample of so many where there are more; None for all.
        sample: different texts whose states are kept for neighbours.
        k: neighbours; lowered to a quarter of the others in the sample.
        role: "query" or "document".
        batch_tokens: tokens in a batch.
        progress: told the different texts done and all of them, first with 0 and then after every batch.
        should_stop: asked before every batch.
        seed: of both samples.

    Raises:
        InputError: fewer than two texts (with a token), labels of another number, sizes that make no sense, or an
            encoder without layers.
        Stopped: `should_stop` said so.
    """
    _check(texts, most_texts=most_texts, sample=sample, k=k)
    names, codes = label_codes(labels, len(texts)) if labels is not None else ((), np.full(len(texts), -1))
    rows = sample_rows(len(texts), most_texts or len(texts), seed=seed)
    codes = codes[rows]
    summed = len(names) if len(names) <= MOST_LABELS else 0
    todo = distinct([texts[row] for row in rows])
    passed = stream(
        encoder,
        todo.texts,
        counted=tally(todo.place, codes if summed else np.full(len(rows), -1), summed),
        drawn=sample_rows(len(todo.texts), sample, seed=seed),
        role=role,
        batch_tokens=batch_tokens,
        progress=progress,
        should_stop=should_stop,
    )
    sums = passed.sums
    within, between = _by_label(sums)
    cka, chance = cka_with_output(sums)
    varying = [varies(moments) for moments in sums.moments]
    near = neighbour_overlap(passed.sample, varying, k=k, seed=seed)
    dimension = depth_dimensions(sums.moments, passed.sample, near.nearest, seed=seed)
    return BuildUp(
        names=depth_names(len(sums.moments) - 2),
        mean_cosine=np.array([_mean_cosine(moments) for moments in sums.moments]),
        within=within,
        between=between,
        cka_output=cka,
        cka_chance=chance,
        overlap=near.overlap,
        overlap_chance=near.chance,
        cka_between=cka_between(passed.sample, varying),
        components_90=dimension.components_90,
        components_95=dimension.components_95,
        components_99=dimension.components_99,
        participation_ratio=dimension.participation_ratio,
        two_nn=dimension.two_nn,
        two_nn_interval=dimension.two_nn_interval,
        dimensions=np.array([len(moments.total) for moments in sums.moments]),
        k=near.k,
        sample=len(passed.sample[0]),
        items=sums.n,
        different=len(todo.texts) - passed.left_out,
        drawn=len(rows),
        given=len(texts),
        left_out=len(rows) - sums.n,
        labels=len(np.unique(codes[codes >= 0])),
        labelled=int((codes >= 0).sum()),
        role=role,
        seed=seed,
    )


def _check(texts: Sequence[str], *, most_texts: int | None, sample: int, k: int) -> None:
    if len(texts) < 2:
        raise InputError(f"The build-up needs at least 2 texts, got {len(texts)}: add texts.")
    if most_texts is not None and most_texts < 2:
        raise InputError(f"The build-up measures at least 2 texts, got most_texts={most_texts}.")
    if sample < 2 or k < 1:
        raise InputError(f"The build-up needs a sample of at least 2 texts and k of at least 1, got {sample} and {k}.")


def _mean_cosine(moments: Moments) -> float:
    """(|sum u|^2 - n) / (n (n - 1))."""
    n = moments.n
    mean = (moments.total @ moments.total - n) / (n * (n - 1))
    return float(np.clip(mean, -1 / (n - 1), 1))  # rounding may step over the ends


def _by_label(sums: StateSums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean cosine within and between labels at each depth, NaN where there is no such pair."""
    names = tuple(map(str, range(len(sums.label_counts))))
    no_codes = np.empty(0, dtype=np.int64)
    means = [within_and_between(Groups(names, no_codes, depth, sums.label_counts)) for depth in sums.by_label]
    within, between = np.array(means, dtype=np.float64).T
    return within, between
