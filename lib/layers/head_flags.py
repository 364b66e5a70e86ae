"""Flags: which heads look at one token only, which at all alike, and which add nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.layers.attention import HeadEntropy
from lib.results import Result

COLLAPSED, UNIFORM, SILENT = 0.1, 0.95, 0.05
_TAKES_ALL = 0.5
"""Mean attention from which on a target is said to be where a head looks: more than all others together."""


@dataclass(frozen=True)
class HeadFlags(Result):
    """Heads that stand out, by thresholds that a reader sets. A flag is a question, not a verdict."""

    collapsed: NDArray[np.bool_]
    """Heads with a mean normalised entropy below `collapsed_below`: one token takes all. Shape (layers, heads)."""
    uniform: NDArray[np.bool_]
    """Heads above `uniform_above`: no token is told from another, shape (layers, heads)."""
    silent: NDArray[np.bool_]
    """Heads whose `output_share` is below `silent_below`: next to nothing is added, shape (layers, heads); none where
    outputs were not measured."""
    target: tuple[tuple[str | None, ...], ...]
    """For each layer and head the target that takes at least half of its attention; None where no one target does."""
    collapsed_below: float
    """Threshold in use, in [0, 1]."""
    uniform_above: float
    """Threshold in use, in [0, 1]."""
    silent_below: float
    """Threshold in use, a share of what the layer's heads add together, >= 0."""

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Heads with any flag, shape (layers, heads)."""
        return self.collapsed | self.uniform | self.silent


@dataclass(frozen=True)
class HeadReport(Result):
    """What leaves the program: the numbers, and the flags by the thresholds in use."""

    heads: HeadEntropy
    """What each head does."""
    flags: HeadFlags
    """Which stand out."""


def flag_heads(
    result: HeadEntropy, *, collapsed: float = COLLAPSED, uniform: float = UNIFORM, silent: float = SILENT
) -> HeadFlags:
    """Flag the heads of `result`.

    Args:
        result: what was measured.
        collapsed: entropy below which a head counts as collapsed.
        uniform: entropy above which a head counts as near uniform.
        silent: share of the layer's output below which a head counts as adding nothing.

    Raises:
        InputError: thresholds outside of [0, 1], or crossed.
    """
    if not 0 <= collapsed <= uniform <= 1 or not 0 <= silent <= 1:
        raise InputError(
            "Thresholds lie in [0, 1], that of collapsed heads not above that of uniform ones; got collapsed "
            f"{collapsed:g}, uniform {uniform:g}, silent {silent:g}."
        )
    share = result.output_share
    return HeadFlags(
        collapsed=result.entropy < collapsed,
        uniform=result.entropy > uniform,
        silent=np.zeros(result.shape, bool) if share is None else share < silent,
        target=_where_heads_look(result),
        collapsed_below=collapsed,
        uniform_above=uniform,
        silent_below=silent,
    )


def _where_heads_look(result: HeadEntropy) -> tuple[tuple[str | None, ...], ...]:
    masses = np.nan_to_num(result.masses, nan=0.0)  # (layers, heads, targets)
    best, mass = masses.argmax(axis=-1), masses.max(axis=-1)
    return tuple(
        tuple(result.targets[i] if m >= _TAKES_ALL else None for i, m in zip(places, values, strict=True))
        for places, values in zip(best, mass, strict=True)
    )
