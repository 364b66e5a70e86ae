"""Alignment: the space of one encoder mapped onto another's, so that directions of both can be compared.

The map is fitted on the embeddings of one corpus by both encoders: none within one space, a rotation where widths are
equal (orthogonal Procrustes: Schoenemann 1966, lengths and angles stay), a ridge regression where they differ, from the
narrower space into the wider one. Directions are mapped without the offset. How well it does is measured on texts that
were held out; the map that is used is then fitted on all.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result

Kind = Literal["identity", "procrustes", "ridge"]

FEWEST_TEXTS = 20
"""Texts that an alignment is fitted on at least."""
_HELD_OUT = 0.2
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
_RANK = 1e-6
_SHARED = 0.25  # R2 of two checkpoints' embeddings as they are, at least: a mean cosine of about one half


@dataclass(frozen=True, eq=False)
class Alignment(Result):
    """How directions of two spaces are brought into one."""

    kind: Kind
    """"identity": one space. "procrustes": a rotation. "ridge": a linear map."""
    mapped: Literal["ours", "theirs"]
    """Whose directions are mapped; the other's stay."""
    map: NDArray[np.float32] | None
    """Shape (from, to): a direction v becomes v @ map; None for the identity."""
    r2: float
    """Share of the variance of held-out embeddings that the mapped ones explain: 1 all, 0 or less none; NaN where it
    was not measured, as between two dictionaries of one encoder. For a rotation and for the identity of two encoders,
    after the best common stretch."""
    cosine: float
    """Mean cosine of centred held-out embeddings with the mapped ones; NaN as r2."""
    texts: int
    """Different texts it was fitted on; 0 for the identity."""
    held_out: int
    """Different texts that r2 and cosine were measured on, by a map fitted without them; 0 where they were not."""
    rank: int
    """Dimensions that the corpus determines: where it is below the width, the rest of a rotation is arbitrary."""
    ridge: float
    """Penalty in units of the mean variance of a dimension, chosen on texts set apart; 0 but for ridge."""
    seed: int
    """Of the draw of held-out texts."""

    def apply(self, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Unit directions of both, shapes (n, d) and (m, e), in one space."""
        if self.map is None:
            return ours, theirs
        if self.mapped == "ours":
            return _unit(ours @ self.map), theirs
        return ours, _unit(theirs @ self.map)


def identity() -> Alignment:
    """The alignment within one space."""
    nan = float("nan")
    return Alignment("identity", "theirs", None, nan, nan, 0, 0, 0, 0.0, 0)


def fitting(ours: NDArray[np.floating], theirs: NDArray[np.floating], *, seed: int = 0) -> Alignment:
    """The identity where two encoders share a space, as a checkpoint and its fine-tune do; else the map of `align`.

    They share one where widths are equal and their embeddings of held-out texts, as they are, explain each other as
    well as after the rotation that was fitted, and at least a quarter of the variance.

    Raises:
        InputError: as of `align`.
    """
    made = align(ours, theirs, seed=seed)
    if made.kind != "procrustes":
        return made
    source, target, kept, out = _split(ours, theirs, seed)
    r2, cosine = _quality((source, target), (kept, out), None, stretched=True)
    return (
        replace(identity(), r2=r2, cosine=cosine, held_out=len(out), seed=seed) if r2 >= max(made.r2, _SHARED) else made
    )


def align(ours: NDArray[np.floating], theirs: NDArray[np.floating], *, seed: int = 0) -> Alignment:
    """Fit the map between the embeddings of the same texts by two encoders, shapes (t, d) and (t, e).

    Texts whose embeddings are equal count once.

    Raises:
        InputError: not the same texts, or fewer than 20 different ones.
    """
    if len(ours) != len(theirs):
        raise InputError(
            f"An alignment needs the same texts from both encoders, got {len(ours):,} and {len(theirs):,} embeddings."
        )
    source, target, kept, out = _split(ours, theirs, seed)
    kind: Kind = "procrustes" if source.shape[1] == target.shape[1] else "ridge"
    penalty = _best_penalty(source[kept], target[kept]) if kind == "ridge" else None
    tried, _ = _fit(source[kept], target[kept], penalty)
    r2, cosine = _quality((source, target), (kept, out), tried, stretched=kind == "procrustes")
    fitted, rank = _fit(source, target, penalty)
    return Alignment(
        kind=kind,
        mapped=_mapped(ours, theirs),
        map=fitted.astype(np.float32),
        r2=r2,
        cosine=cosine,
        texts=len(source),
        held_out=len(out),
        rank=rank,
        ridge=penalty or 0.0,
        seed=seed,
    )


def chance_map(
    alignment: Alignment, ours: NDArray[np.floating], theirs: NDArray[np.floating], generator: np.random.Generator
) -> Alignment:
    """The same kind of map fitted on texts of one side that were shuffled against the other's."""
    order = generator.permutation(len(ours))
    source, target = (ours[order], theirs) if alignment.mapped == "ours" else (theirs[order], ours)
    fitted, _ = _fit(source, target, alignment.ridge if alignment.kind == "ridge" else None)
    return replace(alignment, map=fitted.astype(np.float32))


def _fit(
    source: NDArray[np.floating], target: NDArray[np.floating], penalty: float | None
) -> tuple[NDArray[np.float64], int]:
    """The map from `source` to `target`, both centred, and its rank; a rotation where there is no penalty."""
    x, y = (side.astype(np.float64) - side.mean(axis=0, dtype=np.float64) for side in (source, target))
    if penalty is not None:
        gram = x.T @ x
        width = len(gram)
        made = np.linalg.solve(gram + (penalty + 1e-9) * np.trace(gram) / width * np.eye(width), x.T @ y)
        return made, int(np.linalg.matrix_rank(gram, hermitian=True, rtol=_RANK))
    left, values, right = np.linalg.svd(x.T @ y)
    return left @ right, int((values > _RANK * values[0]).sum())


def _mapped(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> Literal["ours", "theirs"]:
    """Whose directions are mapped: the narrower ones."""
    return "ours" if ours.shape[1] < theirs.shape[1] else "theirs"


def _split(
    ours: NDArray[np.floating], theirs: NDArray[np.floating], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Different texts in the space that is mapped and in the one that stays; rows to fit on, rows held out."""
    a, b = np.asarray(ours, dtype=np.float32), np.asarray(theirs, dtype=np.float32)
    rows = different(a, b)
    if len(rows) < FEWEST_TEXTS:
        raise InputError(
            f"Two spaces are aligned on {FEWEST_TEXTS} or more different texts, this corpus has {len(rows)}: add texts."
        )
    source, target = (a[rows], b[rows]) if _mapped(a, b) == "ours" else (b[rows], a[rows])
    order = np.random.default_rng(seed).permutation(len(rows))
    out, kept = np.split(order, [max(4, round(_HELD_OUT * len(rows)))])
    return source, target, kept, out


def _quality(
    sides: tuple[NDArray[np.float32], NDArray[np.float32]],
    texts: tuple[NDArray[np.int64], NDArray[np.int64]],
    fitted: NDArray[np.float64] | None,
    *,
    stretched: bool,
) -> tuple[float, float]:
    """R2 and mean cosine of a map, None for none, on texts held out of those it was fitted on."""
    (source, target), (kept, out) = sides, texts
    x, y = source - source[kept].mean(axis=0), target - target[kept].mean(axis=0)
    mapped = x if fitted is None else x @ fitted
    stretch = float((mapped[kept] * y[kept]).sum() / max(float((mapped[kept] ** 2).sum()), 1e-30)) if stretched else 1.0
    guessed, wanted = stretch * mapped[out], y[out]
    unexplained = ((wanted - guessed) ** 2).sum() / max(float((wanted**2).sum()), 1e-30)
    return float(1 - unexplained), float((_unit(guessed) * _unit(wanted)).sum(axis=1).mean())


def _best_penalty(source: NDArray[np.float32], target: NDArray[np.float32]) -> float:
    """The penalty with the highest R2 on every fourth text, fitted on the others."""
    rows = np.arange(len(source))
    out, kept = rows[::4], rows[rows % 4 > 0]
    scores = []
    for penalty in _RIDGES:
        fitted, _ = _fit(source[kept], target[kept], penalty)
        scores.append(_quality((source, target), (kept, out), fitted, stretched=False)[0])
    return _RIDGES[int(np.argmax(scores))]


def different(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rows of texts, the last of those whose embeddings by both encoders are equal, ascending."""
    last = {one.tobytes() + other.tobytes(): row for row, (one, other) in enumerate(zip(a, b, strict=True))}
    return np.array(sorted(last.values()), dtype=np.int64)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
