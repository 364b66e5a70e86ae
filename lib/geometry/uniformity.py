"""Uniformity and alignment on the sphere (Wang and Isola 2020, arXiv:2005.10242). Lower is better for both.

    uniformity = log mean_{x != y} exp(-2 |u_x - u_y|^2)        alignment = mean_{same label} |u_x - u_y|^2

Alignment has a closed form, 2 - 2 (mean cosine within labels); uniformity is over every pair where they are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry.similarity import Groups, label_groups, within_and_between
from lib.geometry.vectors import Pairs, check, pairs
from lib.results import Result

_TEMPERATURE = 2.0  # t in exp(-t |u - v|^2), the paper's choice


@dataclass(frozen=True)
class Uniformity(Result):
    """How evenly the embeddings cover the sphere, and how tightly each label holds together."""

    uniformity: float
    """log mean exp(-2 |u - v|^2) over pairs, in [-8, 0]; lower is more even, 0 = all the same."""
    uniform_sphere: float
    """What directions uniform on the sphere in d dimensions have: the best that many texts can reach."""
    standard_error: float
    """Of `uniformity`, from the sample of pairs; 0 where every pair was taken."""
    alignment: float | None
    """Mean squared distance of two texts with the same label, in [0, 4]; None without two texts of one label."""
    across: float | None
    """Mean squared distance of two texts with different labels: the baseline of `alignment`."""
    pairs: int
    """Pairs behind `uniformity`."""
    every_pair: bool
    """Whether those are all pairs."""
    items: int
    """Embeddings measured, n."""
    seed: int
    """Seed of the sample of pairs."""


def uniformity(
    embeddings: NDArray[np.floating],
    labels: Sequence[str | None] | None = None,
    *,
    max_pairs: int = 200_000,
    groups: Groups | None = None,
    sample: Pairs | None = None,
    seed: int = 0,
) -> Uniformity:
    """Measure `embeddings`, shape (n, d), n >= 2; `labels` (n,) give the positive pairs, None = unlabelled.

    `groups` of the labels and `sample` of pairs are used where they were already made.

    Raises:
        InputError: fewer than two embeddings, one of zero length, or labels of another number.
    """
    n, d = check(embeddings, minimum=2, what="Uniformity")
    drawn = sample or pairs(embeddings, max_pairs=max_pairs, seed=seed)
    potential = np.exp(-2 * _TEMPERATURE * (1 - drawn.cosines.astype(np.float64)))
    if groups is None and labels is not None:
        groups = label_groups(embeddings, labels)
    within, across = within_and_between(groups) if groups is not None else (None, None)
    return Uniformity(
        uniformity=float(np.log(potential.mean())),
        uniform_sphere=_uniform_sphere(d),
        standard_error=0.0 if drawn.every_pair else float(potential.std() / potential.mean() / np.sqrt(len(potential))),
        alignment=None if within is None else 2 - 2 * within,
        across=None if across is None else 2 - 2 * across,
        pairs=len(potential),
        every_pair=drawn.every_pair,
        items=n,
        seed=drawn.seed,
    )


def _uniform_sphere(d: int) -> float:
    """E exp(kappa cosine) = 0F1(d / 2; kappa^2 / 4) on the unit sphere in R^d."""
    from scipy.special import hyp0f1

    kappa = 2 * _TEMPERATURE
    return float(-kappa + np.log(hyp0f1(d / 2, kappa**2 / 4)))
