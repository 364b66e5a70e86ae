"""The sparse autoencoder: a dictionary of unit directions, few of which add up to an embedding.

    a = rule((x - b_dec) W_enc + b_enc),    x_hat = a W_dec + b_dec

x is the encoder's pooled output as it leaves the model. The rules: *TopK* keeps each text's k largest pre-activations
(Gao et al. 2024, arXiv:2406.04093); *BatchTopK* keeps on average k of them, those above one threshold that training
has learnt (Bussmann et al. 2024, arXiv:2412.06410); *JumpReLU* has a threshold for each feature (Rajamanoharan et al.
2024, arXiv:2407.14435). No rule keeps anything below zero. Nothing here needs torch.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.codes import Codes

Rule = Literal["topk", "batchtopk", "jumprelu"]

_BLOCK = 2**23  # pre-activations held at once


@dataclass(frozen=True)
class About(Result):
    """Where a sparse autoencoder comes from, and what was measured of it."""

    name: str = "sparse autoencoder"
    """What it is called on screen."""
    origin: str = "embedscope"
    """Whose file format it was read from: embedscope, saelens, sparsify or dictionary_learning."""
    encoder: str | None = None
    """The encoder whose vectors it takes apart, as it was named in training; None where the files do not say."""
    fingerprint: str | None = None
    """That encoder's `Checkpoint.fingerprint`; None where the files do not say."""
    trained_on: dict[str, Any] = field(default_factory=dict)
    """The training corpus: name, key (hash), texts, held_out, sources."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Every setting of its training, seed included."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Held-out figures: fvu, mean_active, dead_share, and ndcg (a list of one dictionary a query set)."""
    licence: str | None = None
    """Licence of the weights."""


@dataclass(frozen=True, eq=False)
class SparseAutoencoder:
    """A trained dictionary of n features over d dimensions. Every array is float32 and read-only."""

    encoder_weights: NDArray[np.float32]
    """W_enc, shape (d, n)."""
    encoder_bias: NDArray[np.float32]
    """b_enc, shape (n,)."""
    decoder_weights: NDArray[np.float32]
    """W_dec, shape (n, d): one unit direction a feature."""
    decoder_bias: NDArray[np.float32]
    """b_dec, shape (d,)."""
    rule: Rule
    """Which pre-activations are kept."""
    k: int | None = None
    """Features kept a text: exactly (at most: none below zero) with TopK, on average in training with BatchTopK."""
    thresholds: NDArray[np.float32] | None = None
    """Pre-activation above which a feature fires, shape (n,); None with TopK."""
    prefixes: tuple[int, ...] = ()
    """Matryoshka: the first so many features were trained to reconstruct by themselves as well; () for none."""
    ranking: NDArray[np.float32] | None = None
    """TopK only: what pre-activations are multiplied with before they are ranked, shape (n,); None for 1. Set where
    an SAE from elsewhere ranked before its decoder rows were made unit directions."""
    about: About = field(default_factory=About)
    """Where it comes from."""

    def __post_init__(self) -> None:
        arrays = ("encoder_weights", "encoder_bias", "decoder_weights", "decoder_bias", "thresholds", "ranking")
        for name in arrays:
            held = getattr(self, name)
            if held is not None:
                array = np.ascontiguousarray(held, dtype=np.float32)
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        self._check()

    @property
    def features(self) -> int:
        """Features in the dictionary, n."""
        return len(self.decoder_weights)

    @property
    def dimensions(self) -> int:
        """Length of the vectors that it takes apart, d."""
        return int(self.decoder_weights.shape[1])

    @cached_property
    def key(self) -> str:
        """SHA-256 of weights and rule: equal keys give equal codes."""
        digest = hashlib.sha256(f"sae 1 {self.rule} {self.k} {self.prefixes}".encode())
        for array in (
            self.encoder_weights,
            self.encoder_bias,
            self.decoder_weights,
            self.decoder_bias,
            self.thresholds,
            self.ranking,
        ):
            digest.update(b"none" if array is None else str(array.shape).encode() + array.tobytes())
        return digest.hexdigest()

    def pre_activations(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """(x - b_dec) W_enc + b_enc, shape (m, n), for vectors of shape (m, d).

        Raises:
            InputError: vectors of another width.
        """
        self.check_width(vectors)
        centred: NDArray[np.float32] = np.asarray(vectors, dtype=np.float32) - self.decoder_bias
        found: NDArray[np.float32] = centred @ self.encoder_weights + self.encoder_bias
        return found

    def encode(self, vectors: NDArray[np.floating], *, progress: Progress | None = None) -> Codes:
        """Which features fire for each of `vectors`, shape (m, d), and how strongly.

        With TopK, equal pre-activations at the edge go to the feature with the lower number.

        Raises:
            InputError: vectors of another width, or with NaN or infinite numbers in them.
        """
        self.check_width(vectors)
        m, rows = len(vectors), max(1, _BLOCK // self.features)
        counts, features, activations = [np.zeros(1, dtype=np.int64)], [], []
        for start in range(0, m, rows):
            block = np.asarray(vectors[start : start + rows], dtype=np.float32)
            if not np.isfinite(block).all():
                raise InputError("The embeddings hold NaN or infinite numbers: nothing can be taken apart.")
            kept, found, values = self._kept(self.pre_activations(block))
            counts.append(kept)
            features.append(found)
            activations.append(values)
            if progress:
                progress(min(start + rows, m), m)
        return Codes(
            starts=np.cumsum(np.concatenate(counts)),
            features=np.concatenate([np.empty(0, dtype=np.int32), *features]),
            activations=np.concatenate([np.empty(0, dtype=np.float32), *activations]),
            width=self.features,
        )

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """Sums of activations times directions, a W_dec + b_dec, shape (m, d).

        Raises:
            InputError: codes of another dictionary's width.
        """
        if codes.width != self.features:
            raise InputError(f"These codes are of {codes.width:,} features; this dictionary has {self.features:,}.")
        found: NDArray[np.float32] = np.asarray(codes.matrix @ self.decoder_weights) + self.decoder_bias
        return found

    def reconstruct(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """decode(encode(x)), shape (m, d)."""
        return self.decode(self.encode(vectors))

    def check_width(self, vectors: NDArray[np.floating]) -> None:
        """Refuse vectors that are not of shape (m, d).

        Raises:
            InputError: they are not.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise InputError(
                f"This SAE takes vectors of {self.dimensions} dimensions apart, got {vectors.shape[-1]}: choose the "
                f"encoder that it was trained for{f', {self.about.encoder}' if self.about.encoder else ''}."
            )

    def _kept(self, pre: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """How many fire in each row of `pre` (m, n), which, and how strongly; features ascend within a row."""
        if self.thresholds is None:
            mask = _top(pre if self.ranking is None else pre * self.ranking, self.k or 0) & (pre > 0)
        else:
            mask = pre > np.maximum(self.thresholds, 0)
        rows, found = np.nonzero(mask)
        return np.bincount(rows, minlength=len(pre)).astype(np.int64), found.astype(np.int32), pre[rows, found]

    def _check(self) -> None:
        d, n = self.encoder_weights.shape
        shapes = {
            "encoder_bias": (n,),
            "decoder_weights": (n, d),
            "decoder_bias": (d,),
            "thresholds": (n,),
            "ranking": (n,),
        }
        for name, expected in shapes.items():
            held = getattr(self, name)
            if held is not None and held.shape != expected:
                raise InputError(f"{name} of this SAE should have the shape {expected}, got {held.shape}.")
        if self.rule == "topk" and not 0 < (self.k or 0) <= n:
            raise InputError(f"A TopK SAE of {n:,} features keeps 1 to {n:,} of them, got k = {self.k}.")
        if (self.rule == "topk") != (self.thresholds is None):
            has = "has none of" if self.rule == "topk" else "needs"
            raise InputError(f"A {self.rule} SAE {has} the thresholds that training learns: fetch or write it anew.")


def _top(pre: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Mask of each row's k largest, shape (m, n); among equals the first."""
    n = pre.shape[1]
    if k >= n:
        return np.ones(pre.shape, dtype=bool)
    edge = -np.partition(-pre, k - 1, axis=1)[:, k - 1 : k]
    mask = pre >= edge
    for row in np.flatnonzero(mask.sum(axis=1) > k):
        tied = np.flatnonzero(pre[row] == edge[row])
        mask[row, tied[k - int((pre[row] > edge[row]).sum()) :]] = False
    return mask
