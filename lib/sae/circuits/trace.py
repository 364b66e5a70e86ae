"""Trace: how strongly one feature is active on one text after each layer, and which others stand beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Kind, Lens
from lib.sae.circuits.states import States
from lib.sae.circuits.verdict import Verdict, judge
from lib.sae.codes import Codes
from lib.sae.tokens import check_features

COACTIVE = 5
"""Other features shown at each depth, the strongest first."""


@dataclass(frozen=True, eq=False)
class Trace(Result):
    """One feature on one text, depth by depth: the embedding layer (0) and the layers 1 to L; the last is the output.

    A depth's activations are those that the dictionary gives to its reading by the lens.
    """

    feature: int
    """The feature that was followed."""
    text: str
    """The text."""
    lens: Kind
    """"raw" or "tuned"."""
    depths: tuple[str, ...]
    """Names of the depths, "embedding", "layer 1" to "layer L"."""
    activations: NDArray[np.float32]
    """The feature's activation at each depth, shape (L + 1,), 0 where it does not fire."""
    pre_activations: NDArray[np.float32]
    """Before the rule that keeps few of them, shape (L + 1,); may be below 0."""
    growth: NDArray[np.float32]
    """Activation at each depth less that at the depth before, shape (L,)."""
    steps: NDArray[np.bool_]
    """Which of them are growth steps, shape (L,): rises of at least 5 % of the peak."""
    coactive: NDArray[np.int32]
    """The strongest other features at each depth, the strongest first, shape (L + 1, 5); -1 where fewer fire."""
    coactive_activations: NDArray[np.float32]
    """Their activations, shape (L + 1, 5); 0 where there is none."""
    active: NDArray[np.int32]
    """Features that fire at each depth, shape (L + 1,)."""
    totals: NDArray[np.float32]
    """Their activations together, shape (L + 1,)."""
    fvu: NDArray[np.float64]
    """|r - r_hat|^2 / |r - b_dec|^2 of this text's reading r at each depth, shape (L + 1,): 0 = the dictionary takes
    it apart in full, 1 and above = no better than the decoder's bias alone; NaN where r is that bias."""
    peak: int
    """The depth where the activation is highest, the first of equals: 0 = embedding; 0 for a silent feature."""
    total_gain: float
    """The growth steps together."""
    growth_steps: int
    """How many there are."""
    verdict: Verdict
    """What the curve says: "structural", "from the start", "late-binding", "transient", "mixed" or "silent"."""
    rule: str
    """The rule that led to it, in words."""
    lengths: NDArray[np.float32] | None
    """Length of each depth's guess before it is set to 1, shape (L + 1,); None where the lens sets none."""
    as_guessed: Verdict | None
    """The verdict on the same curve with guesses left as short as the map makes them; None where the lens sets no
    length. Where it is another one, the verdict hangs on the lens."""


def trace(sae: SparseAutoencoder, lens: Lens, states: States, *, text: str, feature: int, row: int = 0) -> Trace:
    """Follow `feature` through the depths of one text.

    Args:
        sae: the dictionary.
        lens: how the states are read.
        states: of one text, or of several.
        text: the text, to be told with the result.
        feature: any feature of the dictionary, whether it fires on the text or not.
        row: which of the texts in `states`.

    Raises:
        InputError: a feature that the dictionary does not have; states of an encoder that does not fit.
    """
    check_features(sae, [feature])
    one = States(states.depths, states.rows[[row]], states.pooled[:, [row]], states.vectors[:, [row]])
    readings = lens.apply(one)[:, 0]  # (L + 1, d)
    codes = sae.encode(readings)
    activations = _activations(codes, feature)
    lengths, as_guessed = _without_lengths_set(sae, lens, one, feature)
    coactive, strengths = _strongest(codes, feature)
    judged = judge(activations)
    return Trace(
        feature=feature,
        text=text,
        lens=lens.kind,
        depths=lens.depths,
        activations=activations,
        pre_activations=sae.pre_activations(readings)[:, feature].copy(),
        growth=np.diff(activations),
        steps=judged.steps,
        coactive=coactive,
        coactive_activations=strengths,
        active=codes.active.astype(np.int32),
        totals=np.array([codes.of(depth)[1].sum() for depth in range(len(codes))], dtype=np.float32),
        fvu=_unexplained(sae, codes, readings),
        peak=judged.peak,
        total_gain=judged.total_gain,
        growth_steps=int(judged.steps.sum()),
        verdict=judged.verdict,
        rule=judged.rule,
        lengths=lengths,
        as_guessed=as_guessed,
    )


def _without_lengths_set(
    sae: SparseAutoencoder, lens: Lens, one: States, feature: int
) -> tuple[NDArray[np.float32] | None, Verdict | None]:
    """How long the guesses are, and what would be said of them as they are; None twice where no length is set."""
    if not lens.unit:
        return None, None
    guesses = lens.guesses(one)[:, 0]  # (L + 1, d)
    return np.linalg.norm(guesses, axis=1), judge(_activations(sae.encode(guesses), feature)).verdict


def _activations(codes: Codes, feature: int) -> NDArray[np.float32]:
    return np.array([_activation(codes, depth, feature) for depth in range(len(codes))], dtype=np.float32)


def _activation(codes: Codes, depth: int, feature: int) -> float:
    features, activations = codes.of(depth)
    at = int(np.searchsorted(features, feature))
    return float(activations[at]) if at < len(features) and features[at] == feature else 0.0


def _strongest(codes: Codes, feature: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The strongest features but `feature` at each depth and their activations, shape (depths, 5) each."""
    found = np.full((len(codes), COACTIVE), -1, dtype=np.int32)
    strengths = np.zeros((len(codes), COACTIVE), dtype=np.float32)
    for depth in range(len(codes)):
        features, activations = codes.of(depth)
        others = np.flatnonzero(features != feature)
        first = others[np.lexsort((features[others], -activations[others]))][:COACTIVE]
        found[depth, : len(first)] = features[first]
        strengths[depth, : len(first)] = activations[first]
    return found, strengths


def _unexplained(sae: SparseAutoencoder, codes: Codes, readings: NDArray[np.float32]) -> NDArray[np.float64]:
    error = np.sum((readings.astype(np.float64) - sae.decode(codes)) ** 2, axis=1)
    whole = np.sum((readings.astype(np.float64) - sae.decoder_bias) ** 2, axis=1)
    made: NDArray[np.float64] = np.divide(error, whole, out=np.full(len(codes), np.nan), where=whole > 0)
    return made
