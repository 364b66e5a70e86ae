"""Writers: which layer's attention or feed-forward part writes a feature into a text's vector.

The pre-activation of a feature at the end, (x - b_dec) . w + b_enc, is told in two ways.

*Direct*: the stream of an encoder is a sum of what its parts put out. With the scale of every norm held as it is for
this text, the pre-activation is exactly a sum of one term a part and a constant (biases). The same terms of other
texts of the corpus stand beside it: much of a term is written for any text.

*By leaving out*: the part's output is put to zero (or to its mean over the corpus), the rest of the encoder runs anew,
norms included, and the pre-activation is compared with what it was. This holds whatever later parts make of the
output, and so does not sum to anything. See `lib.sae.circuits.agreement` for how the two are compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.errors import InputError, Stopped
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.agreement import Agreement, agreement
from lib.sae.fit import check_fit
from lib.sae.tokens import check_features

if TYPE_CHECKING:
    from lib.encoders import Encoder
    from lib.encoders.blocks import BlockTap, Terms

Replacement = Literal["zero", "mean"]
Progress = Callable[[int, int], None]
BACKGROUND = 64
"""Texts of the corpus beside which a text's terms stand."""


@dataclass(frozen=True, eq=False)
class Background(Result):
    """The direct terms of one feature in some texts of a corpus."""

    feature: int
    """Which feature."""
    direct: NDArray[np.float64]
    """Terms of each of b texts and p parts, shape (b, p), in units of the pre-activation."""
    constants: NDArray[np.float64]
    """What depends on biases and norms alone, shape (b,)."""
    mean_outputs: NDArray[np.float64]
    """Each part's output, the mean over all tokens of these texts, shape (p, width of the stream)."""
    texts: int
    """Different texts, b."""
    of: int
    """Different texts in the corpus."""
    seed: int
    """Which texts were drawn."""


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


def background(
    encoder: "Encoder",
    sae: SparseAutoencoder,
    texts: Sequence[str],
    *,
    feature: int,
    most: int = BACKGROUND,
    role: Role = "document",
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Background:
    """The direct terms of `feature` in at most `most` different texts, drawn at random by `seed`.

    Raises:
        InputError: an SAE of another encoder; no such feature; no text; an encoder whose parts cannot be told.
        Stopped: `should_stop` said so.
    """
    from lib.encoders import BATCH_TOKENS

    tap, w = _tap(encoder, sae, feature, role)
    known = sorted(distinct(texts).texts)
    if not known:
        raise InputError("Terms are compared with those of the corpus, which has no text: give at least one.")
    drawn = np.sort(np.random.default_rng(seed).permutation(len(known))[:most])
    todo = distinct([known[place] for place in drawn])
    found: list[Terms] = []
    done = 0
    for batch in encoder.batches(todo, role, batch_tokens=BATCH_TOKENS):
        if should_stop and should_stop():
            raise Stopped(f"Stopped after {done:,} of {len(drawn):,} texts.")
        if (batch.lengths > 0).all():
            found.append(tap.terms(batch, w, check=not found))
        done += len(batch.items)
        if progress:
            progress(done, len(drawn))
    if not found:
        raise InputError("No text of the corpus has a token that the encoder knows: choose another corpus.")
    direct = np.concatenate([terms.parts for terms in found])
    return Background(
        feature=feature,
        direct=direct,
        constants=np.concatenate([terms.constants for terms in found]) + _constant(sae, feature),
        mean_outputs=np.sum([terms.outputs for terms in found], axis=0) / sum(terms.tokens for terms in found),
        texts=len(direct),
        of=len(known),
        seed=seed,
    )


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
    _check_background(beside, feature, replacement)
    tap, w = _tap(encoder, sae, feature, role)
    batch = next(encoder.batches(distinct([text]), role, batch_tokens=1))
    if not batch.lengths[0]:
        raise InputError("This text has no token that the encoder knows: choose another text.")
    terms = tap.terms(batch, w)
    values = beside.mean_outputs if beside is not None and replacement == "mean" else None
    vectors = np.concatenate([terms.vectors, tap.replaced(batch, values)[1:]])  # whole, then without parts 1, 2, ...
    own, codes = _constant(sae, feature), sae.encode(vectors).matrix
    pre, activations = vectors @ w + own, codes[:, [feature]].toarray()[:, 0].astype(np.float64)
    direct, lower = terms.parts[0], _lower(pre)
    others = np.setdiff1d(np.flatnonzero(codes[[0]].toarray()[0]), [feature])
    lower_others = _lower(sae.pre_activations(vectors)[:, others].astype(np.float64))  # (p, others)
    constant = float(terms.constants[0]) + own
    return Writers(
        feature=feature,
        text=text,
        parts=tuple(part.name for part in tap.parts),
        layers=np.array([part.layer for part in tap.parts]),
        kinds=tuple(part.kind for part in tap.parts),
        direct=direct,
        left_out=lower,
        left_out_activation=_lower(activations),
        **_spread("others", lower_others.T),
        others_count=len(others),
        pre_activation=float(pre[0]),
        activation=float(activations[0]),
        constant=constant,
        dictionary_constant=own,
        rest=float(pre[0] - direct.sum() - constant),
        replacement=replacement,
        **_spread("usual", np.empty((0, len(direct))) if beside is None else beside.direct),
        usual_constant=None if beside is None else float(beside.constants.mean()),
        usual_texts=0 if beside is None else beside.texts,
        agreement=agreement(direct[1:], lower[1:], first=1),
        truncated=bool(batch.truncated[0]),
    )


def _lower(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the rows after the first lie below it; NaN for part 0, which is not left out."""
    below: NDArray[np.float64] = values[:1] - values
    below[0] = np.nan
    return below


def _spread(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """The fields of a baseline, shape (b, p): its mean, 5 % and 95 % quantiles over b; None where b is 0."""
    if not len(values):
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return {name: values.mean(axis=0), f"{name}_low": low, f"{name}_high": high}


def _tap(
    encoder: "Encoder", sae: SparseAutoencoder, feature: int, role: Role
) -> tuple["BlockTap", NDArray[np.float64]]:
    """The encoder's parts, and the feature's encoder weights, shape (d,)."""
    from lib.encoders.blocks import BlockTap

    check_fit(sae, encoder.checkpoint)
    check_features(sae, [feature])
    return BlockTap(encoder, role), sae.encoder_weights[:, feature].astype(np.float64)


def _constant(sae: SparseAutoencoder, feature: int) -> float:
    """b_enc - b_dec . w."""
    w = sae.encoder_weights[:, feature].astype(np.float64)
    return float(sae.encoder_bias[feature] - sae.decoder_bias.astype(np.float64) @ w)


def _check_background(beside: Background | None, feature: int, replacement: str) -> None:
    if replacement not in ("zero", "mean"):
        raise InputError(f"A part is replaced by zero or by its mean, got {replacement!r}: choose one of the two.")
    if beside is None and replacement == "mean":
        raise InputError("Parts are replaced by their means over a corpus, and no corpus was given: name one.")
    if beside is not None and beside.feature != feature:
        raise InputError(
            f"Expected the terms of feature {feature:,} in the corpus, got those of feature {beside.feature:,}: "
            "measure them anew."
        )
