"""Folding: weights of other projects, rewritten so that every feature's direction has length 1 and inputs come as is.

An SAE of another project answers, with c = 1 where it takes b_dec from its input and else 0,

    a = rule((s (x - m) - c b_dec) W_enc + b_enc),    x_hat = (a W_dec + b_dec) / s + m.

With l_i the length of row i of W_dec / s, the same function is

    W_enc' = s l W_enc,      b_enc' = l (b_enc + (1 - c) b_dec W_enc),
    W_dec' = W_dec / (s l),  b_dec' = b_dec / s + m

and thresholds times l. TopK ranks what l was not yet multiplied with, so its ranking is by 1 / l.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.autoencoder import About, Rule, SparseAutoencoder

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Parts:
    """Weights as another project holds them."""

    encoder: NDArray[np.float32]
    """Shape (d, n)."""
    encoder_bias: NDArray[np.float32]
    """Shape (n,)."""
    decoder: NDArray[np.float32]
    """Shape (n, d), rows of any length."""
    decoder_bias: NDArray[np.float32]
    """Shape (d,)."""

    def check(self, called: str) -> None:
        """Refuse shapes that do not fit together; `called` names the file in messages.

        Raises:
            InputError: they do not.
        """
        if self.encoder.ndim != 2 or not self.encoder.size:
            raise InputError(f"{called} should hold an encoder of two dimensions, got {self.encoder.shape}.")
        d, n = self.encoder.shape
        for name, expected in (("encoder_bias", (n,)), ("decoder", (n, d)), ("decoder_bias", (d,))):
            held = getattr(self, name)
            if held.shape != expected:
                raise InputError(
                    f"{called} holds a {name.replace('_', ' ')} of shape {held.shape}; its encoder asks for {expected}."
                )


@dataclass(frozen=True)
class Sparsity:
    """Which pre-activations another project keeps."""

    rule: Rule
    k: int | None = None
    thresholds: NDArray[np.float32] | float | None = None
    """On what it ranks: pre-activations, times the rows' lengths where `by_norm`."""
    by_norm: bool = False
    """Whether it multiplies pre-activations with the rows' lengths before it keeps some of them."""


def fold(
    parts: Parts,
    sparsity: Sparsity,
    about: About,
    *,
    centred: bool = True,
    scale: float = 1.0,
    mean: NDArray[np.float32] | None = None,
    prefixes: tuple[int, ...] = (),
) -> SparseAutoencoder:
    """The same function with unit decoder rows.

    `centred` is whether b_dec is taken from the input, `scale` what inputs are multiplied with first, `mean` what is
    taken from them and given back. A row of zeros stays: its feature fires and adds nothing.

    Raises:
        InputError: what `SparseAutoencoder` refuses.
    """
    encoder = parts.encoder.astype(np.float64)
    decoder = parts.decoder.astype(np.float64) / scale
    shift = 0.0 if mean is None else mean.astype(np.float64)
    bias = parts.decoder_bias.astype(np.float64) / scale + shift  # b_dec'
    offset = parts.encoder_bias.astype(np.float64)
    if not centred:
        offset = offset + parts.decoder_bias.astype(np.float64) @ encoder
    lengths = np.linalg.norm(decoder, axis=1)
    lengths[lengths == 0] = 1
    if np.abs(lengths - 1).max() <= _ROUNDING:
        lengths = np.ones_like(lengths)
    thresholds = sparsity.thresholds
    if thresholds is not None:
        thresholds = np.asarray(thresholds, dtype=np.float64) * (1 / scale if sparsity.by_norm else lengths)
        thresholds = np.broadcast_to(thresholds, lengths.shape)
    ranked = sparsity.rule == "topk" and not sparsity.by_norm and bool((lengths != lengths[0]).any())
    return SparseAutoencoder(
        _single(encoder * (scale * lengths)),
        _single(offset * lengths),
        _single(decoder / lengths[:, None]),
        _single(bias),
        sparsity.rule,
        k=sparsity.k,
        thresholds=None if thresholds is None else _single(thresholds),
        ranking=_single(1 / lengths) if ranked else None,
        prefixes=prefixes,
        about=about,
    )


def _single(array: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(array, dtype=np.float32)
