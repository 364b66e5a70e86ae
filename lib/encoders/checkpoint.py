"""Checkpoint: everything about an encoder that can be told without running it, and without importing torch."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from lib.encoders.fingerprint import text_hash
from lib.encoders.prompts import Prompts, edited_prompts

Kind = Literal["transformer", "static"]


@dataclass(frozen=True)
class Checkpoint:
    """One saved state of an encoder: its files, and the settings with which it is run."""

    source: str
    """What was asked for: `PACKAGED`, a hub id or a folder."""
    path: Path
    """Folder of its files; of the base's files where there is an adapter."""
    kind: Kind
    """"transformer", or "static" for one that adds up token vectors and has neither layers nor attention."""
    architecture: str
    """Model type, as its config names it."""
    family: str | None
    """Name of its family in the registry; None where it is unknown."""
    pooling: str
    """How token states become one vector; several ways joined by "+" are concatenated."""
    pooling_guessed: bool
    """Whether no file told the pooling and the registry did not know it either."""
    include_prompt: bool
    """Whether the tokens of the prompt take part in pooling."""
    dimensions: int
    """Length of a vector."""
    max_tokens: int | None
    """Tokens beyond which a text is cut; None for no limit."""
    prompts: Prompts
    """What is put before queries and documents."""
    layers: int | None
    """Blocks, without the embedding layer; None for a static encoder."""
    heads: int | None
    """Attention heads a block; None for a static encoder."""
    normalised: bool
    """Whether vectors leave with length 1."""
    adapter: Path | None
    """Folder of a LoRA adapter that is merged when the encoder is opened."""
    licence: str | None
    """As the checkpoint or the registry names it."""
    parameters: int
    """Numbers in its weights."""
    size_bytes: int
    """Bytes of its weights on disk."""
    notices: tuple[str, ...]
    """Sentences that a user should see beside the encoder's name."""
    content: str
    """Hex SHA-256 of weights, configs, tokenizer and modules, without prompts."""
    module_folder: Path | None = None
    """Folder whose `modules.json` says what follows the transformer; None for a plain checkpoint."""
    own_code: bool = False
    """Whether it runs with Python code of its own, which the policy has allowed."""
    bidirectional: bool = False
    """Whether a decoder's causal mask is lifted."""
    task_adapters: tuple[tuple[str, Path], ...] = ()
    """For each role the LoRA adapter that is switched on while texts of that role are encoded."""

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over all that its vectors depend on; the folder it lies in is not among that."""
        return text_hash([self.content, self.prompts.query, self.prompts.document])

    def with_prompts(self, *, query: str | None = None, document: str | None = None) -> "Checkpoint":
        """The same checkpoint with other prompts; None leaves one as it is.

        Raises:
            InputError: a prompt longer than any encoder could use.
        """
        prompts = edited_prompts(self.prompts, query=query, document=document)
        return self if prompts is self.prompts else dataclasses.replace(self, prompts=prompts)
