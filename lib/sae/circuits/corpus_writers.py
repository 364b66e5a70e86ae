"""Corpus writers: which parts of an encoder write a feature in general, over the texts of a corpus on which it fires.

Both measures of `lib.sae.circuits.writers` are averaged over texts on which the feature fires, and over texts on which
it does not: what a part writes for any text, or what leaving it out does to any, does not make the feature. The
differences of the direct terms, the constant's included, are exactly the difference of the pre-activations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.encoders.prompts import Role
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.agreement import Agreement, agreement
from lib.sae.circuits.background import Background
from lib.sae.circuits.feature_tap import FeatureTap
from lib.sae.circuits.firing_texts import Sample, kinds_of, sides
from lib.sae.circuits.mean_terms import Mean, difference_of, mean_of
from lib.sae.circuits.writers import Replacement, check_replacement

if TYPE_CHECKING:
    from lib.encoders import Encoder

MOST = 64
"""Texts of either kind whose direct terms are averaged, unless told otherwise."""
MOST_LEFT_OUT = 24
"""Those of them in which every part is left out, which takes a pass a part, unless told otherwise."""


@dataclass(frozen=True, eq=False)
class CorpusWriters(Result):
    """What p parts of an encoder add to one feature over a corpus. Part 0 is the embedding layer.

    All means are in units of the pre-activation; `low` and `high` are the ends of 95 % intervals (Student's t), NaN
    where only one text was looked at. Fields of silent texts are None where the feature fires on all.
    """

    feature: int
    """Which feature."""
    parts: tuple[str, ...]
    """Their names in the order of the stream: "embedding", "layer 1 attention", "layer 1 feed-forward", ..."""
    layers: NDArray[np.int64]
    """The layer of each part, shape (p,); 0 for the embedding layer."""
    kinds: tuple[str, ...]
    """Of each part: "embedding", "attention" or "feed-forward"."""
    direct: NDArray[np.float64]
    """Mean term of each part over texts on which the feature fires, shape (p,)."""
    direct_low: NDArray[np.float64]
    """Shape (p,)."""
    direct_high: NDArray[np.float64]
    """Shape (p,)."""
    silent: NDArray[np.float64] | None
    """The same over texts on which it does not fire, shape (p,)."""
    silent_low: NDArray[np.float64] | None
    """Shape (p,)."""
    silent_high: NDArray[np.float64] | None
    """Shape (p,)."""
    difference: NDArray[np.float64] | None
    """`direct` less `silent`, shape (p,): above 0 the part sets the feature's texts apart."""
    difference_low: NDArray[np.float64] | None
    """Shape (p,), Welch's."""
    difference_high: NDArray[np.float64] | None
    """Shape (p,), Welch's."""
    strongest: NDArray[np.float64]
    """Share of the texts on which it fires in which the part's term is the largest, shape (p,), 0 to 1."""
    left_out: NDArray[np.float64]
    """How much lower the pre-activation is without the part, mean over texts on which it fires, shape (p,); NaN for
    part 0."""
    left_out_low: NDArray[np.float64]
    """Shape (p,)."""
    left_out_high: NDArray[np.float64]
    """Shape (p,)."""
    left_out_silent: NDArray[np.float64] | None
    """The same over texts on which it does not fire, shape (p,)."""
    left_out_silent_low: NDArray[np.float64] | None
    """Shape (p,)."""
    left_out_silent_high: NDArray[np.float64] | None
    """Shape (p,)."""
    left_out_difference: NDArray[np.float64] | None
    """`left_out` less `left_out_silent`, shape (p,): above 0 the feature's texts lose more than others."""
    left_out_difference_low: NDArray[np.float64] | None
    """Shape (p,), Welch's."""
    left_out_difference_high: NDArray[np.float64] | None
    """Shape (p,), Welch's."""
    pre_activation: float
    """Mean over texts on which it fires: the sum of `direct` and `constant`."""
    constant: float
    """Mean of what biases add."""
    pre_activation_silent: float | None
    """The same over texts on which it does not fire: the sum of `silent` and `constant_silent`."""
    constant_silent: float | None
    """Mean of what biases add there."""
    half: int | None
    """The fewest parts whose differences make up half of that of the pre-activations; None where there is none above
    0."""
    firing: int
    """Different texts on which the feature fires that `direct` is the mean of."""
    of_firing: int
    """Different texts on which it fires."""
    silents: int
    """Different texts on which it does not fire that `silent` is the mean of."""
    of_silent: int
    """Different texts on which it does not fire."""
    left_out_texts: int
    """Texts that `left_out` is the mean of, drawn from the `firing`."""
    left_out_silents: int
    """Texts that `left_out_silent` is the mean of, drawn from the `silents`."""
    replacement: Replacement
    """What takes the place of a part that is left out: zeros, or its mean output over the corpus."""
    seed: int
    """Which texts were drawn."""

    @cached_property
    def agreement(self) -> Agreement:
        """How the differences of the two ways compare, part 0 aside; the means where there are no differences."""
        direct, left_out = self.shown("direct"), self.shown("left_out")
        sure = direct.sure & left_out.sure if self.firing > 1 and self.left_out_texts > 1 else None
        return agreement(direct.mean[1:], left_out.mean[1:], sure=None if sure is None else sure[1:], first=1)

    def shown(self, what: Literal["direct", "left_out"]) -> Mean:
        """What the parts do to the feature's texts beyond others: the difference, or the mean where there are none."""
        name = {"direct": "difference", "left_out": "left_out_difference"}[what]
        name = what if getattr(self, name) is None else name
        return Mean(*(getattr(self, f"{name}{end}") for end in ("", "_low", "_high")))

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, the agreement among them."""
        return super().to_dict() | {"agreement": self.agreement.to_dict()}


def corpus_writers(
    encoder: "Encoder",
    sae: SparseAutoencoder,
    texts: Sequence[str],
    *,
    feature: int,
    fires: NDArray[np.bool_],
    beside: Background | None = None,
    replacement: Replacement = "zero",
    most: int = MOST,
    most_left_out: int = MOST_LEFT_OUT,
    role: Role = "document",
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> CorpusWriters:
    """What each part adds to `feature` over the texts on which it fires, beside those on which it does not.

    Args:
        encoder: one with layers.
        sae: its dictionary.
        texts: the corpus; repetitions count once.
        feature: a feature of the dictionary.
        fires: whether it fires on each text, shape (n,).
        beside: gives the mean outputs that take a part's place; needed where `replacement` is "mean".
        replacement: what takes the place of a part that is left out.
        most: texts of either kind whose direct terms are averaged, at least 1.
        most_left_out: those of them in which every part is left out, at least 1.
        role: whose prompt stands before texts.
        seed: which texts are drawn.
        progress: told the passes of a text through the encoder done and all of them.
        should_stop: asked between batches.

    Raises:
        InputError: it fires on no text; an SAE of another encoder; no such feature; an encoder whose parts cannot be
            told; settings out of range; see also `writers`.
        Stopped: `should_stop` said so.
    """
    check_replacement(beside, feature, replacement)
    tap = FeatureTap(encoder, sae, feature, role=role)
    kinds = kinds_of(texts, fires, feature)
    values = beside.mean_outputs if beside is not None and replacement == "mean" else None
    sample = Sample(most, most_left_out, seed)
    own, other = sides(tap, kinds, sample, values=values, progress=progress, should_stop=should_stop)
    direct = own.terms.direct
    difference = None if other is None else difference_of(direct, other.terms.direct)
    pre_activation = float(own.terms.pre_activations.mean())
    silent_pre = None if other is None else float(other.terms.pre_activations.mean())
    return CorpusWriters(
        feature=feature,
        parts=tuple(part.name for part in tap.parts),
        layers=np.array([part.layer for part in tap.parts]),
        kinds=tuple(part.kind for part in tap.parts),
        **_named("direct", mean_of(direct)),
        **_named("silent", None if other is None else mean_of(other.terms.direct)),
        **_named("difference", difference),
        strongest=np.bincount(direct.argmax(axis=1), minlength=len(tap.parts)) / len(direct),
        **_named("left_out", mean_of(own.left_out)),
        **_named("left_out_silent", None if other is None else mean_of(other.left_out)),
        **_named("left_out_difference", None if other is None else difference_of(own.left_out, other.left_out)),
        pre_activation=pre_activation,
        constant=float(own.terms.constants.mean()),
        pre_activation_silent=silent_pre,
        constant_silent=None if other is None else float(other.terms.constants.mean()),
        half=None if difference is None or silent_pre is None else _half(difference.mean, pre_activation - silent_pre),
        firing=len(direct),
        of_firing=own.of,
        silents=0 if other is None else len(other.terms.direct),
        of_silent=0 if other is None else other.of,
        left_out_texts=len(own.left_out),
        left_out_silents=0 if other is None else len(other.left_out),
        replacement=replacement,
        seed=seed,
    )


def _half(differences: NDArray[np.float64], whole: float) -> int | None:
    """The fewest of `differences` that add up to half of `whole`."""
    if whole <= 0:
        return None
    summed = np.cumsum(np.sort(differences)[::-1])
    enough = np.flatnonzero(summed >= whole / 2)
    return int(enough[0]) + 1 if len(enough) else None


def _named(name: str, found: Mean | None) -> dict[str, Any]:
    """The fields of a mean and its interval."""
    mean, low, high = (None, None, None) if found is None else found
    return {name: mean, f"{name}_low": low, f"{name}_high": high}
