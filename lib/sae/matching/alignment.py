"""Alignment: the space of one encoder mapped onto another's, so that directions of both can be compared.

The map is fitted on the embeddings of one corpus by both encoders: none within one space, a rotation where widths are
equal (orthogonal Procrustes: Schoenemann 1966, lengths and angles stay), a ridge regression where they differ, from the
narrower space into the wider one. Directions are mapped without the offset. How well it does is measured on texts that
were held out; the map that is used is then fitted on all.
"""

from dataclasses import dataclass
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
    """Share of the variance of held-out embeddings that the mapped ones explain: 1 all, 0 none; NaN for the identity.
    For a rotation, after the best common stretch."""
    cosine: float
    """Mean cosine of centred held-out embeddings with the mapped ones; NaN for the identity."""
    texts: int
    """Different texts it was fitted on; 0 for the identity."""
    held_out: int
    """Different texts that r2 and cosine were measured on, by a map fitted without them."""
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
    a, b = _different(np.asarray(ours, dtype=np.float32), np.asarray(theirs, dtype=np.float32))
    if len(a) < FEWEST_TEXTS:
        raise InputError(
            f"Two spaces are aligned on {FEWEST_TEXTS} or more different texts, this corpus has {len(a)}: add texts."
        )
    mapped: Literal["ours", "theirs"] = "ours" if a.shape[1] < b.shape[1] else "theirs"
    source, target = (a, b) if mapped == "ours" else (b, a)
    kind: Kind = "procrustes" if source.shape[1] == target.shape[1] else "ridge"
    order = np.random.default_rng(seed).permutation(len(a))
    out, kept = np.split(order, [max(4, round(_HELD_OUT * len(a)))])
    penalty = _best_penalty(source[kept], target[kept]) if kind == "ridge" else 0.0
    r2, cosine = _quality(source, target, kept, out, penalty if kind == "ridge" else None)
    fitted, rank = _fit(source, target, penalty if kind == "ridge" else None)
    return Alignment(
        kind=kind,
        mapped=mapped,
        map=fitted.astype(np.float32),
        r2=r2,
        cosine=cosine,
        texts=len(a),
        held_out=len(out),
        rank=rank,
        ridge=penalty,
        seed=seed,
    )


def chance_map(
    alignment: Alignment, ours: NDArray[np.floating], theirs: NDArray[np.floating], generator: np.random.Generator
) -> Alignment:
    """The same kind of map fitted on texts of one side that were shuffled against the other's."""
    from dataclasses import replace

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


def _quality(
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    kept: NDArray[np.int64],
    out: NDArray[np.int64],
    penalty: float | None,
) -> tuple[float, float]:
    """R2 and mean cosine on the texts `out` of a map fitted on those `kept`."""
    fitted, _ = _fit(source[kept], target[kept], penalty)
    known = (source[kept] - source[kept].mean(axis=0)) @ fitted
    y = target[kept] - target[kept].mean(axis=0)
    stretch = 1.0 if penalty is not None else float((known * y).sum() / max(float((known**2).sum()), 1e-30))
    guessed = stretch * ((source[out] - source[kept].mean(axis=0)) @ fitted)
    wanted = target[out] - target[kept].mean(axis=0)
    unexplained = ((wanted - guessed) ** 2).sum() / max(float((wanted**2).sum()), 1e-30)
    return float(1 - unexplained), float((_unit(guessed) * _unit(wanted)).sum(axis=1).mean())


def _best_penalty(source: NDArray[np.float32], target: NDArray[np.float32]) -> float:
    """The penalty with the highest R2 on every fourth text, fitted on the others."""
    rows = np.arange(len(source))
    out, kept = rows[::4], rows[rows % 4 > 0]
    scores = [_quality(source, target, kept, out, penalty)[0] for penalty in _RIDGES]
    return _RIDGES[int(np.argmax(scores))]


def _different(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first = {one.tobytes() + other.tobytes(): row for row, (one, other) in enumerate(zip(a, b, strict=True))}
    rows = sorted(first.values())
    return a[rows], b[rows]


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
