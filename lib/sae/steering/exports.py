"""A recipe as a vector to add in production: the file, and the few lines that use it."""

import io
import json
from typing import Any

import numpy as np

from lib.errors import InputError
from lib.results import to_json
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.database import FeatureDatabase
from lib.sae.steering.recipes import Push

SUFFIXES = (".npy", ".safetensors")
NAME = "steering"
"""Name of the file, and of the tensor in it."""


def vector_bytes(push: Push, suffix: str, *, about: dict[str, Any] | None = None) -> bytes:
    """The file of the push, shape (d,) float32: .npy, or .safetensors, which carries what it is `about` as metadata.

    Raises:
        InputError: another suffix.
    """
    if suffix not in SUFFIXES:
        raise InputError(f"A steering vector is written as {' or '.join(SUFFIXES)}, got {suffix or 'no suffix'!r}.")
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, push.vector, allow_pickle=False)
        return buffer.getvalue()
    from safetensors.numpy import save

    made: bytes = save({NAME: push.vector}, metadata={"recipe": json.dumps(about or {}, allow_nan=False)})
    return made


def usage(push: Push, suffix: str, *, file: str | None = None) -> str:
    """The lines that steer `vectors`, an array of shape (m, d), with the `file` (default: in the working folder).

    An empty push leaves every bit as it is, so its lines bring nothing to length 1.
    """
    reading = {
        ".npy": "import numpy as np",
        ".safetensors": "import numpy as np; from safetensors.numpy import load_file",
    }[suffix]
    path = json.dumps(file or f"{NAME}{suffix}", ensure_ascii=False)
    opened = {".npy": f"np.load({path})", ".safetensors": f'load_file({path})["{NAME}"]'}[suffix]
    lines = [reading, f"vectors = vectors + {opened}"]
    if push.normalised and push.vector.any():
        lines.append("vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)")
    return "\n".join(lines)


def recipe_facts(
    push: Push, sae: SparseAutoencoder, database: FeatureDatabase | None = None, *, corpus: str | None = None
) -> dict[str, Any]:
    """Everything that a recipe is made of, as JSON values: features with labels, units and where those are from."""
    parts = zip(push.features, push.deltas, push.units, push.sources, push.unit_texts, strict=True)
    made: dict[str, Any] = to_json(
        {
            "recipe": ",".join(f"{f}:{delta:+g}" for f, delta in zip(push.features, push.deltas, strict=True)),
            "features": [
                {
                    "feature": feature,
                    "label": database.label(feature) if database is not None else None,
                    "delta": delta,
                    "unit": unit,
                    "unit_from": source,
                    "unit_texts": texts,
                }
                for feature, delta, unit, source, texts in parts
            ],
            "length": push.length,
            "renormalise": push.normalised,
            "dimensions": len(push.vector),
            "corpus": corpus,
            "sae": {"name": sae.about.name, "key": sae.key},
            "encoder": {"source": sae.about.encoder, "fingerprint": sae.about.fingerprint},
        }
    )
    return made
