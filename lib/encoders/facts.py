"""Facts: what is reported of an encoder, as JSON values."""

from typing import Any

from lib.encoders.checkpoint import Checkpoint
from lib.results import to_json

_SHOWN = (
    "source", "kind", "architecture", "family", "pooling", "pooling_guessed", "dimensions", "max_tokens", "layers",
    "heads", "normalised", "licence", "parameters", "size_bytes", "notices", "fingerprint",
)  # fmt: skip


def facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """What is reported of an encoder."""
    prompts = checkpoint.prompts
    return {name: to_json(getattr(checkpoint, name)) for name in _SHOWN} | {
        "prompts": {"query": prompts.query, "document": prompts.document, "source": prompts.source}
    }
