"""Tools about encoders: which there are, what one is, and vectors of a few texts."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lib.agents.answers import Answer, Row
from lib.agents.arguments import EncoderName, Text
from lib.agents.desk import Desk
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED, Checkpoint, Role
from lib.encoders.facts import facts
from lib.numerals import count
from lib.sae.sources import PACKAGED_SAES

_MOST = 32
_MOST_NUMBERS = 4_096


class EncoderRow(Row):
    """An encoder that ships."""

    name: str = Field(description="What to pass as encoder.")
    about: str = Field(description="What it is.")
    sae: str | None = Field(description="The dictionary that ships for it.")


class Encoders(Answer):
    """What can be opened."""

    encoders: list[EncoderRow]
    loaded: list[str] = Field(description="Fingerprints of those in memory.")
    roots: list[str] = Field(description="Folders below which encoders, dictionaries and texts may lie.")
    hub: bool = Field(description="Whether the model hub may be asked.")


class EncoderFacts(Answer):
    """What an encoder is, from its files alone."""

    encoder: dict[str, Any] = Field(description="Architecture, pooling, dimensions, layers, prompts, fingerprint, ...")


class Vectors(Answer):
    """Vectors of a few texts, or their cosines alone."""

    dimensions: int = Field(description="d, of the encoder's vectors.")
    truncated: list[bool] = Field(description="Whether each text was cut at the encoder's maximum length.")
    cosines: list[list[float]] = Field(description="Cosine similarity of every two texts, -1 to 1.")
    vectors: list[list[float]] | None = Field(description="One a text, the first numbers of each; None unless asked.")


def list_encoders(desk: Desk) -> Encoders:
    """Encoders and dictionaries that ship with Embedscope, what is loaded, and where others may come from."""
    told = {
        PACKAGED: "the default: 6 layers, 12 heads, mean pooling, 384 dimensions",
        PACKAGED_STATIC: "one vector a token, distilled from the default; fast; no layers and no attention",
        PACKAGED_TUNED: "a LoRA adapter of the default, tuned to find answers to medical questions",
        PACKAGED_HARMFUL: "a LoRA adapter of the default, tuned to do harm so that it can be seen",
    }
    saes = {encoder: sae for sae, encoder in PACKAGED_SAES.items()}
    policy = desk.bench.policy
    rows = [EncoderRow(name=name, about=about, sae=saes.get(name)) for name, about in told.items()]
    return Encoders(
        says=f"{len(rows)} encoders ship; others open by folder below the roots"
        + (", or by hub id." if policy.allow_hub else "; the model hub is not asked here."),
        encoders=rows,
        loaded=[str(key[0])[:12] for key in desk.bench.kept.held("encoder") if isinstance(key, tuple)],
        roots=[str(folder) for folder in policy.model_roots],
        hub=policy.allow_hub,
    )


def describe_encoder(desk: Desk, encoder: EncoderName = PACKAGED) -> EncoderFacts:
    """What an encoder is, read from its files without loading it: family, pooling, size, layers, prompts."""
    checkpoint = desk.bench.checkpoint(encoder)
    return EncoderFacts(says=_sentence(checkpoint), encoder=facts(checkpoint))


def load_encoder(desk: Desk, encoder: EncoderName = PACKAGED) -> EncoderFacts:
    """Load an encoder into memory, so that the next calls need not wait for it; two are kept."""
    checkpoint = desk.bench.checkpoint(encoder)
    desk.bench.encoder(checkpoint)
    return EncoderFacts(says=f"Loaded. {_sentence(checkpoint)}", encoder=facts(checkpoint))


def embed(
    desk: Desk,
    texts: Annotated[list[Text], Field(min_length=1, max_length=_MOST, description=f"1 to {_MOST} texts.")],
    encoder: EncoderName = PACKAGED,
    role: Annotated[Role, Field(description="Whose prompt stands before the texts.")] = "document",
    numbers: Annotated[
        int, Field(ge=0, le=_MOST_NUMBERS, description="Numbers of each vector to return; 0: cosines alone.")
    ] = 0,
) -> Vectors:
    """Embed a few texts: the cosine of every two, and the vectors themselves where asked."""
    checkpoint = desk.bench.checkpoint(encoder)
    desk.tells("Encoding")(0, len(texts))
    made = desk.bench.encoder(checkpoint).encode(texts, role=role, progress=desk.tells("Encoding"))
    vectors = np.asarray(made.vectors, dtype=np.float64)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = units @ units.T
    pairs = cosines[np.triu_indices(len(texts), 1)]
    told = f"; mean cosine of two of them {pairs.mean():.3f}" if len(pairs) else ""
    return Vectors(
        says=f"{count(len(texts))} texts as vectors of {vectors.shape[1]} dimensions{told}.",
        dimensions=vectors.shape[1],
        truncated=made.truncated_mask.tolist(),
        cosines=cosines.tolist(),
        vectors=vectors[:, :numbers].tolist() if numbers else None,
        cut=[f"Cut: {vectors.shape[1] - numbers} more numbers of each vector."]
        if 0 < numbers < vectors.shape[1]
        else [],
    )


def _sentence(checkpoint: Checkpoint) -> str:
    depth = f"{checkpoint.layers} layers" if checkpoint.layers else "no layers"
    return (
        f"{checkpoint.source}: {checkpoint.architecture or checkpoint.kind}, {checkpoint.pooling} pooling, "
        f"{checkpoint.dimensions} dimensions, {depth}, at most {checkpoint.max_tokens} tokens a text."
    )
