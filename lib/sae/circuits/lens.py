"""Lens: how the state after a layer is read as if it were the encoder's output.

*Raw*: the pooled state of each depth goes through whatever the encoder does after pooling (a dense layer, normalising)
and is taken apart as it is. Layers before the last lie off the distribution that the dictionary was trained on.
*Tuned* (Belrose et al. 2023, arXiv:2303.08112): a ridge regression, one for each depth, from the pooled state h to the
output x, x ~ h M + c, fitted on a reference corpus. A pre-activation is linear in x, so what the tuned lens shows is
the best linear guess, from that layer alone, of the pre-activation that the output will have. A guess is drawn towards
the mean output, the more the less a layer tells; where the encoder's vectors have length 1, guesses are brought to
length 1 as well, so that features can fire as often as they do at the end (measured: firing agrees better with the
output's then, F1 .48 to .62 over the layers of the packaged encoder against .41 to .59). The last depth is the output
itself in both, exactly.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.layers.states import depth_names, why_no_layers
from lib.results import Result
from lib.sae.circuits.states import States

Kind = Literal["raw", "tuned"]


@dataclass(frozen=True, eq=False)
class Lens(Result):
    """One lens of an encoder with L layers, whose depths are its embedding layer and its layers 1 to L."""

    kind: Kind
    """"raw" or "tuned"."""
    encoder: str
    """`Checkpoint.fingerprint` of the encoder that it belongs to."""
    depths: tuple[str, ...]
    """Names of the depths, "embedding", "layer 1" to "layer L": L + 1 of them, the last one the output itself."""
    maps: NDArray[np.float32] | None = None
    """M of every depth but the last, shape (L, D, d); None with the raw lens."""
    offsets: NDArray[np.float32] | None = None
    """c of every depth but the last, shape (L, d); None with the raw lens."""
    unit: bool = False
    """Whether the tuned lens brings its guesses to length 1, as the encoder does with its vectors."""
    ridge: NDArray[np.float64] | None = None
    """Ridge penalty of each depth, in mean variances of the state's dimensions, shape (L,); None with the raw lens."""
    r2: NDArray[np.float64] | None = None
    """Share of the output's variance that each depth's guess (`guesses`) explains on held-out texts, shape (L + 1,): 1
    at the last depth, 0 = no better than the mean output, below 0 = worse; None where it was not measured."""
    fvu: NDArray[np.float64] | None = None
    """Fraction of the variance of each depth's readings that the dictionary leaves unexplained on held-out texts,
    shape (L + 1,): 0 = takes them apart in full, 1 and above = noise; None where it was not measured."""
    overlap: NDArray[np.float64] | None = None
    """Share of the output's strongest features that are among the reading's strongest as well, shape (L + 1,), mean
    over held-out texts, 0 to 1; None where it was not measured."""
    by_chance: NDArray[np.float64] | None = None
    """The same share with the output of another text, shape (L + 1,): what features that fire everywhere give alone."""
    strongest: int = 0
    """How many strongest features `overlap` compares; 0 where it was not measured."""
    sae: str | None = None
    """`SparseAutoencoder.key` under which `fvu` and `overlap` were measured."""
    corpus: str = ""
    """Name of the reference corpus; "" where there was none."""
    fitted: int = 0
    """Texts that the maps were fitted on."""
    held_out: int = 0
    """Other texts, on which `r2`, `fvu` and `overlap` were measured."""
    seed: int = 0
    """Seed by which texts were drawn and held out."""

    def apply(self, states: States) -> NDArray[np.float32]:
        """Every depth's reading of some texts, shape (L + 1, b, d); the last is their embeddings, exactly.

        Raises:
            InputError: as `guesses`.
        """
        return self.readings(self.guesses(states))

    def guesses(self, states: States) -> NDArray[np.float32]:
        """What a linear map (of the tuned lens) makes of the states, before any length is set; else as `apply`.

        Raises:
            InputError: states of an encoder with other layers or of another width.
        """
        if states.depths != self.depths:
            raise InputError(
                f"This lens reads {len(self.depths) - 1} layers and the states have {len(states.depths) - 1}: take "
                "the lens of the encoder that made them."
            )
        if self.maps is None or self.offsets is None:
            return states.vectors
        given, expected = (states.pooled.shape[2], states.vectors.shape[2]), self.maps.shape[1:]
        if given != expected:
            raise InputError(
                f"This lens maps {expected[0]} dimensions to {expected[1]} and the states go from {given[0]} to "
                f"{given[1]}: take the lens of the encoder that made them."
            )
        made = states.vectors.copy()
        for depth, (slope, offset) in enumerate(zip(self.maps, self.offsets, strict=True)):
            made[depth] = states.pooled[depth] @ slope + offset
        return made

    def readings(self, guesses: NDArray[np.float32]) -> NDArray[np.float32]:
        """Guesses, shape (L + 1, b, d), at the length that the encoder's vectors have; one of 0 stays as it is."""
        if not self.unit:
            return guesses
        lengths = np.linalg.norm(guesses[:-1], axis=2, keepdims=True)
        made = guesses.copy()
        np.divide(guesses[:-1], lengths, out=made[:-1], where=lengths > 0)
        return made


def raw_lens(checkpoint: Checkpoint) -> Lens:
    """The raw lens of an encoder, not measured.

    Raises:
        InputError: the encoder has no layers.
    """
    why = why_no_layers(checkpoint)
    if why is not None:
        raise InputError(f"{why} Choose an encoder with layers.")
    return Lens("raw", checkpoint.fingerprint, depth_names(checkpoint.layers or 0)[:-1])


def check_lens(lens: Lens, checkpoint: Checkpoint) -> None:
    """Refuse a lens of another encoder.

    Raises:
        InputError: another fingerprint.
    """
    if lens.encoder != checkpoint.fingerprint:
        raise InputError(
            f"This lens was fitted on another encoder than {checkpoint.source} (fingerprint {lens.encoder[:12]}, not "
            f"{checkpoint.fingerprint[:12]}): fit one on this encoder."
        )
