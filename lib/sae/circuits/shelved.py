"""What births and states depend on: with it, a shelf finds those that were made before."""

import hashlib
from collections.abc import Sequence
from typing import Any

from lib.embeddings import space_of
from lib.encoders import Checkpoint, Precision, Role
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.births import LEAST, MOST_TEXTS
from lib.sae.circuits.lens import Lens
from lib.store import row_keys

_VERSION = 1
"""Raised when the same texts, encoder, dictionary and lens would give other births or states than before."""


def births_inputs(
    texts: Sequence[str],
    checkpoint: Checkpoint,
    *,
    precision: Precision,
    sae: SparseAutoencoder,
    lens: Lens,
    least: int = LEAST,
    most: int = MOST_TEXTS,
    role: Role = "document",
    seed: int = 0,
) -> dict[str, Any]:
    """Inputs of `lib.shelf.Shelf` for `births` of `texts`. A limit that the texts do not reach counts as none."""
    return {
        "texts": _texts_key(texts),
        "space": space_of(checkpoint, role=role, precision=precision),
        "sae": sae.key,
        "lens": lens_key(lens),
        "least": least,
        "most": most if most < len(texts) else None,
        "seed": seed,
        "version": _VERSION,
    }


def states_inputs(
    text: str, checkpoint: Checkpoint, *, precision: Precision, role: Role = "document"
) -> dict[str, Any]:
    """The same for `pooled_states` of one text."""
    return {
        "text": _texts_key([text]),
        "space": space_of(checkpoint, role=role, precision=precision),
        "version": _VERSION,
    }


def lens_key(lens: Lens) -> str:
    """Content hash of a lens."""
    parts = (lens.maps, lens.offsets)
    content = b"".join(part.tobytes() for part in parts if part is not None)
    return f"{lens.kind}/{lens.unit}/{hashlib.sha256(content).hexdigest()[:16]}"


def _texts_key(texts: Sequence[str]) -> str:
    return hashlib.sha256(row_keys(texts).tobytes()).hexdigest()
