"""One feature at the parts of an encoder: the terms of its pre-activation, and what leaving a part out does to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.fit import check_fit
from lib.sae.tokens import check_features

if TYPE_CHECKING:
    from lib.encoders import Encoder
    from lib.encoders.blocks import Part, Terms
    from lib.encoders.encoder import Batch


@dataclass(frozen=True, eq=False)
class FeatureTerms:
    """The pre-activations of a feature in b texts, each as a sum."""

    direct: NDArray[np.float64]
    """Terms of p parts, shape (b, p)."""
    constants: NDArray[np.float64]
    """What depends on biases and norms alone, shape (b,)."""
    pre_activations: NDArray[np.float64]
    """Shape (b,): the sum of terms and constant, but for rounding."""
    mean_outputs: NDArray[np.float64]
    """Each part's output, the mean over all tokens of these texts, shape (p, width of the stream)."""


class Watch:
    """Tells how far work of several kinds is, in passes of a text through the encoder, and stops it."""

    def __init__(self, total: int, progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        """Begin at 0 of `total`."""
        self._done, self._total, self._progress, self._should_stop = 0, total, progress, should_stop
        self.advance(0)

    def advance(self, passes: int) -> None:
        """So many more are done.

        Raises:
            Stopped: the user has said so.
        """
        self._done += passes
        if self._progress:
            self._progress(self._done, self._total)
        if self._done < self._total and self._should_stop and self._should_stop():
            raise Stopped(f"Stopped after {self._done:,} of {self._total:,} passes through the encoder.")


class FeatureTap:
    """An encoder's parts as one feature of a dictionary reads them."""

    def __init__(self, encoder: "Encoder", sae: SparseAutoencoder, feature: int, *, role: Role = "document") -> None:
        """Find the parts.

        Raises:
            InputError: an SAE of another encoder; no such feature; an encoder whose parts cannot be told.
        """
        from lib.encoders.blocks import BlockTap

        check_fit(sae, encoder.checkpoint)
        check_features(sae, [feature])
        self._encoder, self._role, self._tap = encoder, role, BlockTap(encoder, role)
        self.weights: NDArray[np.float64] = sae.encoder_weights[:, feature].astype(np.float64)
        """The feature's encoder weights w, shape (d,)."""
        self.constant = float(sae.encoder_bias[feature] - sae.decoder_bias.astype(np.float64) @ self.weights)
        """b_enc - b_dec . w."""

    @property
    def parts(self) -> "tuple[Part, ...]":
        """In the order of the stream, the embedding layer first."""
        return self._tap.parts

    def batch(self, text: str) -> "Batch":
        """One text, ready to pass.

        Raises:
            InputError: it has no token.
        """
        batch = next(self._encoder.batches(distinct([text]), self._role, batch_tokens=1))
        if not batch.lengths[0]:
            raise InputError("This text has no token that the encoder knows: choose another text.")
        return batch

    def pre_activations(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of vectors, shape (b, d)."""
        found: NDArray[np.float64] = vectors @ self.weights + self.constant
        return found

    def terms(self, batches: "Sequence[Batch]", watch: Watch | None = None) -> FeatureTerms:
        """The terms of the texts of at least one batch, in their order; in the first it is tested that they add up."""
        found: list[Terms] = []
        for batch in batches:
            found.append(self._tap.terms(batch, self.weights, check=not found))
            if watch:
                watch.advance(len(batch.items))
        return FeatureTerms(
            direct=np.concatenate([terms.parts for terms in found]),
            constants=np.concatenate([terms.constants for terms in found]) + self.constant,
            pre_activations=self.pre_activations(np.concatenate([terms.vectors for terms in found])),
            mean_outputs=np.sum([terms.outputs for terms in found], axis=0) / sum(terms.tokens for terms in found),
        )

    def terms_of(self, texts: Sequence[str], watch: Watch | None = None) -> FeatureTerms:
        """The terms of different texts, in an order of the encoder's.

        Texts without any token are left out, together with what shares their batch.

        Raises:
            InputError: none of them has one.
        """
        from lib.encoders import BATCH_TOKENS

        batches = self._encoder.batches(distinct(texts), self._role, batch_tokens=BATCH_TOKENS)
        known = [batch for batch in batches if (batch.lengths > 0).all()]
        if not known:
            raise InputError("No text of the corpus has a token that the encoder knows: choose another corpus.")
        return self.terms(known, watch)

    def left_out(self, batch: "Batch", values: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
        """The vectors of one text, shape (p, d): whole in row 0, in row i with `values[i]`, or zeros, for part i."""
        return self._tap.replaced(batch, values)

    def lost_of(
        self, texts: Sequence[str], values: NDArray[np.floating] | None = None, watch: Watch | None = None
    ) -> NDArray[np.float64]:
        """How much lower the pre-activation of each text is without each part, shape (b, p); NaN for part 0."""
        rows = []
        for text in texts:
            rows.append(lower(self.pre_activations(self.left_out(self.batch(text), values))))
            if watch:
                watch.advance(len(self.parts))
        return np.array(rows)


def lower(pre_activations: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the rows after the first, which is the whole, lie below it; NaN for part 0, which is not left out."""
    below: NDArray[np.float64] = pre_activations[:1] - pre_activations
    below[0] = np.nan
    return below


def draw(texts: Sequence[str], most: int, seed: int) -> list[str]:
    """At most `most` of `texts`, at random, in their order."""
    places = np.sort(np.random.default_rng(seed).permutation(len(texts))[:most])
    return [texts[place] for place in places.tolist()]
