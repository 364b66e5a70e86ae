"""Background: the direct terms of a feature in some texts of a corpus, beside which those of one text stand.

Much of what a part adds to a pre-activation it adds for any text: without these terms a tall one says nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.feature_tap import FeatureTap, Watch, draw

if TYPE_CHECKING:
    from lib.encoders import Encoder

BACKGROUND = 64
"""Texts of the corpus beside which a text's terms stand, unless told otherwise."""
_VERSION = 1
"""Raised when the same texts, encoder and dictionary would give other terms than before."""


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
    tap = FeatureTap(encoder, sae, feature, role=role)
    known = sorted(distinct(texts).texts)
    if not known or most < 1:
        raise InputError(
            f"Terms are compared with those of at least one text of the corpus, got {len(known):,} to draw at most "
            f"{most:,} from: give at least one."
        )
    drawn = draw(known, most, seed)
    terms = tap.terms_of(drawn, Watch(len(drawn), progress, should_stop))
    return Background(
        feature=feature,
        direct=terms.direct,
        constants=terms.constants,
        mean_outputs=terms.mean_outputs,
        texts=len(terms.direct),
        of=len(known),
        seed=seed,
    )


def background_inputs(
    vectors_key: str, sae: SparseAutoencoder, *, feature: int, most: int = BACKGROUND, seed: int = 0
) -> dict[str, Any]:
    """Inputs of `lib.shelf.Shelf` for `background` of a corpus's texts, as documents.

    `vectors_key` is that of the texts' embeddings: it stands for texts, encoder, prompt and precision, not for labels.
    """
    return {
        "vectors": vectors_key,
        "sae": sae.key,
        "feature": feature,
        "most": most,
        "seed": seed,
        "version": _VERSION,
    }
