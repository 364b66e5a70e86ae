"""Writers: which layer's attention or feed-forward part writes a feature into a text's vector.

The pre-activation of a feature at the end, (x - b_dec) . w + b_enc, is told in two ways.

*Direct*: the stream of an encoder is a sum of what its parts put out. With the scale of every norm held as it is for
this text, the pre-activation is exactly a sum of one term a part and a constant (biases). The same terms of other
texts of the corpus stand beside it: much of a term is written for any text.

*By leaving out*: the part's output is put to zero (or to its mean over the corpus), the rest of the encoder runs anew,
norms included, and the pre-activation is compared with what it was. This holds whatever later parts make of the
output, and so does not sum to anything. See `lib.sae.circuits.agreement` for how the two are compared.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.encoders.prompts import Role
from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.agreement import Agreement, agreement
from lib.sae.circuits.background import Background
from lib.sae.circuits.feature_tap import FeatureTap, lower

if TYPE_CHECKING:
    from lib.encoders import Encoder

Replacement = Literal["zero", "mean"]


@dataclass(frozen=True, eq=False)
class Writers(Result):
    """What p parts of an encoder add to one feature's pre-activation in one text. Part 0 is the embedding layer."""

    feature: int
    """Which feature."""
    text: str
    """The text."""
    parts: tuple[str, ...]
    """Their names in the order of the stream: "embedding", "layer 1 attention", "layer 1 feed-forward", ..."""
    layers: NDArray[np.int64]
    """The layer of each part, shape (p,); 0 for the embedding layer."""
    kinds: tuple[str, ...]
    """Of each part: "embedding", "attention" or "feed-forward"."""
    direct: NDArray[np.float64]
    """Terms, shape (p,), in units of the pre-activation: above 0 the part writes the feature, below 0 against it."""
    left_out: NDArray[np.float64]
    """How much lower the pre-activation is without the part, shape (p,); above 0 the part raises it. NaN for part 0:
    without embeddings there is no text."""
    left_out_activation: NDArray[np.float64]
    """How much lower the activation is without the part, shape (p,): 0 where the feature fires neither way."""
    others: NDArray[np.float64] | None
    """Mean of `left_out` over the other features that fire on the text, shape (p,); None where none does."""
    others_low: NDArray[np.float64] | None
    """Below it lie 5 % of them, shape (p,)."""
    others_high: NDArray[np.float64] | None
    """Above it lie 5 % of them, shape (p,)."""
    others_count: int
    """How many they are."""
    pre_activation: float
    """At the end, for this text: the sum of `direct`, `constant` and `rest`."""
    activation: float
    """At the end: the pre-activation where the dictionary's rule keeps it, 0 where it does not."""
    constant: float
    """Biases: those of norms and projections on the way to the vector, and of the dictionary."""
    dictionary_constant: float
    """The dictionary's share of `constant`: b_enc - b_dec . w."""
    rest: float
    """What the terms leave over: rounding."""
    replacement: Replacement
    """What takes the place of a part that is left out: zeros, or its mean output over the corpus."""
    usual: NDArray[np.float64] | None
    """Mean of each part's term over other texts of the corpus, shape (p,); None where none were given."""
    usual_low: NDArray[np.float64] | None
    """Below it lie 5 % of them, shape (p,)."""
    usual_high: NDArray[np.float64] | None
    """Above it lie 5 % of them, shape (p,)."""
    usual_constant: float | None
    """Mean of the constant over them."""
    usual_texts: int
    """How many they are."""
    agreement: Agreement
    """How the two ways compare, part 0 aside."""
    truncated: bool
    """Whether the text was cut at the encoder's maximum length."""


def writers(
    encoder: "Encoder",
    sae: SparseAutoencoder,
    text: str,
    *,
    feature: int,
    beside: Background | None = None,
    replacement: Replacement = "zero",
    role: Role = "document",
) -> Writers:
    """What each part of the encoder adds to `feature` in `text`, directly and by leaving it out.

    Raises:
        InputError: an SAE of another encoder; no such feature; a text without any token; an encoder whose parts cannot
            be told; a background of another feature, or none where parts are to be replaced by their means.
    """
    check_replacement(beside, feature, replacement)
    tap = FeatureTap(encoder, sae, feature, role=role)
    batch = tap.batch(text)
    terms = tap.terms([batch])
    values = beside.mean_outputs if beside is not None and replacement == "mean" else None
    vectors = tap.left_out(batch, values)  # whole, then without parts 1, 2, ...
    pre, codes = tap.pre_activations(vectors), sae.encode(vectors).matrix
    activations = codes[:, [feature]].toarray()[:, 0].astype(np.float64)
    direct, left_out = terms.direct[0], lower(pre)
    others = np.setdiff1d(np.flatnonzero(codes[[0]].toarray()[0]), [feature])
    of_others = lower(sae.pre_activations(vectors)[:, others].astype(np.float64))  # (p, others)
    constant = float(terms.constants[0])
    return Writers(
        feature=feature,
        text=text,
        parts=tuple(part.name for part in tap.parts),
        layers=np.array([part.layer for part in tap.parts]),
        kinds=tuple(part.kind for part in tap.parts),
        direct=direct,
        left_out=left_out,
        left_out_activation=lower(activations),
        **_spread("others", of_others.T),
        others_count=len(others),
        pre_activation=float(pre[0]),
        activation=float(activations[0]),
        constant=constant,
        dictionary_constant=tap.constant,
        rest=float(pre[0] - direct.sum() - constant),
        replacement=replacement,
        **_spread("usual", np.empty((0, len(direct))) if beside is None else beside.direct),
        usual_constant=None if beside is None else float(beside.constants.mean()),
        usual_texts=0 if beside is None else beside.texts,
        agreement=agreement(direct[1:], left_out[1:], first=1),
        truncated=bool(batch.truncated[0]),
    )


def _spread(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """The fields of a baseline, shape (b, p): its mean, 5 % and 95 % quantiles over b; None where b is 0."""
    if not len(values):
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return {name: values.mean(axis=0), f"{name}_low": low, f"{name}_high": high}


def check_replacement(beside: Background | None, feature: int, replacement: str) -> None:
    """Refuse what cannot take the place of a part.

    Raises:
        InputError: neither "zero" nor "mean"; no background to take means from; one of another feature.
    """
    if replacement not in ("zero", "mean"):
        raise InputError(f"A part is replaced by zero or by its mean, got {replacement!r}: choose one of the two.")
    if beside is None and replacement == "mean":
        raise InputError("Parts are replaced by their means over a corpus, and no corpus was given: name one.")
    if beside is not None and beside.feature != feature:
        raise InputError(
            f"Expected the terms of feature {feature:,} in the corpus, got those of feature {beside.feature:,}: "
            "measure them anew."
        )
