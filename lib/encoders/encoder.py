"""Encoder: text to vectors, hidden states and attention maps, with one set of weights that never changes."""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import Distinct, by_length, distinct, windows
from lib.encoders.checkpoint import Checkpoint
from lib.encoders.hidden import AttentionBatch, HiddenBatch, attention_batches, hidden_batches
from lib.encoders.precision import Precision
from lib.encoders.prompts import Role
from lib.encoders.token_states import TokenBatch, token_batches
from lib.encoders.tokens import TextTokenizer
from lib.errors import InputError, Stopped
from lib.progress import Progress

if TYPE_CHECKING:
    from tokenizers import Encoding
    from torch import Tensor, nn

    from lib.encoders.openvino import CompiledTransformer

BATCH_TOKENS = 2048
"""Tokens in a batch, padding included; more is slower on a processor (states leave its caches) and costs memory."""
_TASKS: dict[Role, str] = {"query": "retrieval.query", "document": "retrieval.passage"}
"""What Jina v3's own code calls the two roles."""


@dataclass(frozen=True)
class Encoded:
    """The vectors of some texts."""

    vectors: NDArray[np.float32]
    """One row a text, in the order given, shape (n, d)."""
    truncated: int
    """Texts that were cut at the encoder's maximum length."""
    truncated_mask: NDArray[np.bool_]
    """Which ones, shape (n,)."""
    encoded: int
    """Distinct texts, each of which was encoded once."""


@dataclass(frozen=True)
class Batch:
    """Texts that go through the encoder together."""

    items: NDArray[np.int64]
    """Their places among the distinct texts, shape (b,)."""
    features: dict[str, Any]
    """What the first module takes."""
    encodings: "list[Encoding]"
    """Their tokens; empty where the encoder tokenises by itself."""
    truncated: NDArray[np.bool_]
    """Whether each was cut, shape (b,)."""
    lengths: NDArray[np.int64]
    """Tokens in each, shape (b,); ones where they are not known."""


class Encoder:
    """An open encoder. Threads may share it: one forward pass runs at a time."""

    def __init__(self, checkpoint: Checkpoint, modules: "list[nn.Module]", *, precision: Precision = "float32") -> None:
        """Take over loaded modules; `open_encoder` is the way to get here."""
        import torch
        from transformers import PreTrainedTokenizerFast

        self.checkpoint = checkpoint
        self.precision = precision
        self.compiled: CompiledTransformer | None = None
        graphics = torch.cuda.is_available() and precision != "openvino"
        self.device = torch.device("cuda" if graphics else "cpu")
        self.modules: list[Any] = [module.to(self.device) for module in modules]
        self.lock = threading.RLock()
        tokenizer = getattr(modules[0], "tokenizer", None)
        fast = isinstance(tokenizer, PreTrainedTokenizerFast) and not checkpoint.own_code
        self.tokenizer = TextTokenizer(tokenizer) if fast and not self.modules[0].processing_kwargs else None

    def under(self, checkpoint: Checkpoint) -> "Encoder":
        """The same open weights with the prompts of `checkpoint`, which must be the same but for them.

        Raises:
            ValueError: it has other weights or settings.
        """
        if checkpoint.content != self.checkpoint.content:
            raise ValueError(f"{checkpoint.source} is not the checkpoint that was opened, {self.checkpoint.source}")
        shared = copy.copy(self)
        shared.checkpoint = checkpoint
        return shared

    def encode(
        self,
        texts: Sequence[str],
        *,
        role: Role = "document",
        batch_tokens: int = BATCH_TOKENS,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Encoded:
        """Encode `texts` as queries or as documents, each with its prompt in front.

        The result is that of sentence-transformers' `encode` with the same prompt. A text without any token (possible
        only where there are no special tokens) becomes the zero vector.

        Args:
            texts: any number, empty ones and repetitions included; the latter are encoded once.
            role: "query" or "document".
            batch_tokens: tokens in a batch, padding included.
            progress: told the distinct texts done and all of them, first with 0 and then after every batch.
            should_stop: asked before every batch.

        Raises:
            InputError: a text is no string, the role is unknown, or the vectors are not finite.
            Stopped: `should_stop` said so.
        """
        todo = distinct(texts)
        vectors = np.zeros((len(todo.texts), self.checkpoint.dimensions), dtype=np.float32)
        truncated = np.zeros(len(todo.texts), dtype=bool)
        done = 0
        if progress:
            progress(0, len(todo.texts))
        for batch in self.batches(todo, role, batch_tokens=batch_tokens):
            if should_stop and should_stop():
                raise Stopped(f"Stopped after {done:,} of {len(todo.texts):,} texts.")
            vectors[batch.items] = self._vectors(batch.features, role)
            vectors[batch.items[batch.lengths == 0]] = 0
            truncated[batch.items] = batch.truncated
            done += len(batch.items)
            if progress:
                progress(done, len(todo.texts))
        mask = truncated[todo.place]
        return Encoded(vectors[todo.place], int(mask.sum()), mask, len(todo.texts))

    def hidden_states(
        self, texts: Sequence[str], *, role: Role = "document", batch_tokens: int = BATCH_TOKENS
    ) -> Iterator[HiddenBatch]:
        """The states after the embedding layer and after each layer, pooled as the encoder pools, batch by batch.

        Raises:
            InputError: the encoder has no layers; a text is no string; the role is unknown.
        """
        return hidden_batches(self, texts, role, batch_tokens)

    def attentions(self, texts: Sequence[str], *, role: Role = "document") -> Iterator[AttentionBatch]:
        """The attention maps of all layers and heads, a few texts at a time.

        Raises:
            InputError: the encoder has no attention; a text is so long that its maps would not fit in memory.
        """
        return attention_batches(self, texts, role)

    def token_states(
        self,
        texts: Sequence[str],
        *,
        role: Role = "document",
        batch_tokens: int = BATCH_TOKENS,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[TokenBatch]:
        """The vectors of every token of `texts`, of length 1, as they enter pooling, batch by batch.

        For a static encoder they are its table's rows, the same wherever a token stands.

        Raises:
            InputError: the encoder runs code of its own; a text is no string; the role is unknown; from the iterator,
                vectors that are not finite.
            Stopped: from the iterator, `should_stop` said so.
        """
        return token_batches(self, texts, role, batch_tokens=batch_tokens, progress=progress, should_stop=should_stop)

    def batches(self, todo: Distinct, role: Role, *, batch_tokens: int) -> Iterator[Batch]:
        """Tokenise and group the distinct texts, the longest first, a window of them at a time."""
        prompt = self.checkpoint.prompts.of(role)
        for window in windows(len(todo.texts)):
            texts = list(todo.texts[window])
            items = np.arange(window.start, window.stop)
            if self.tokenizer is None:
                yield from self._batches_by_module(texts, items, prompt, role, batch_tokens)
                continue
            tokenised = self.tokenizer([prompt + text for text in texts] if prompt else texts)
            extra = {"prompt_length": self.tokenizer.prompt_length(prompt)} if prompt else {}
            for group in by_length(tokenised.lengths, batch_tokens=batch_tokens):
                encodings = [tokenised.encodings[i] for i in group]
                features = {**self.tokenizer.features(encodings), "modality": "text", **extra}
                yield Batch(items[group], features, encodings, tokenised.truncated[group], tokenised.lengths[group])

    def _batches_by_module(
        self, texts: list[str], items: NDArray[np.int64], prompt: str, role: Role, batch_tokens: int
    ) -> Iterator[Batch]:
        """For static encoders and those with code of their own: the first module tokenises, lengths are guessed."""
        guessed = np.array([1 + (len(prompt) + len(text)) // 4 for text in texts], dtype=np.int64)
        for group in by_length(guessed, batch_tokens=batch_tokens * (16 if self.checkpoint.kind == "static" else 1)):
            chosen = [texts[i] for i in group]
            with self.lock:
                features = self._preprocess(chosen, prompt, role)
            yield Batch(items[group], features, [], np.zeros(len(group), dtype=bool), np.ones(len(group), np.int64))

    def _preprocess(self, texts: list[str], prompt: str, role: Role) -> dict[str, Any]:
        first = self.modules[0]
        if hasattr(first, "preprocess"):
            return dict(first.preprocess(texts, prompt=prompt or None))
        return dict(first.tokenize([prompt + text for text in texts]))  # older code of a checkpoint's own

    def _vectors(self, features: dict[str, Any], role: Role) -> NDArray[np.float32]:
        import torch

        with self.lock, torch.inference_mode():
            self.switch_adapter(role)
            features = self.first(features, role)
            for module in self.modules[1:]:
                features = module(features)
            vectors = features["sentence_embedding"][:, : self.checkpoint.dimensions].float()
            if not torch.isfinite(vectors).all():
                raise InputError(
                    f"{self.checkpoint.source} gave vectors that are not finite; its weights are damaged or do not "
                    f"work in {self.precision}."
                )
            array: NDArray[np.float32] = vectors.cpu().numpy()
            return array

    def first(self, features: dict[str, Any], role: Role) -> dict[str, Any]:
        """Run the first module on this encoder's device; what it gives comes back in float32."""
        moved = {key: value.to(self.device) if hasattr(value, "to") else value for key, value in features.items()}
        kwargs = {"task": _TASKS[role]} if hasattr(self.modules[0], "_lora_adaptations") else {}
        out: dict[str, Any] = self.compiled(moved) if self.compiled else self.modules[0](moved, **kwargs)
        for name in ("token_embeddings", "sentence_embedding"):
            if name in out:
                out[name] = out[name].float()
        return out

    def switch_adapter(self, role: Role) -> None:
        """Switch on the adapter of a role, for checkpoints with one for each. Call it under the lock."""
        if self.checkpoint.task_adapters:
            self.modules[0].model.set_adapter(role)

    def pooled(self, states: "Tensor", features: dict[str, Any]) -> "Tensor":
        """Token states, shape (b, t, d), through this encoder's pooling alone, shape (b, d) or a multiple of d."""
        pooling = next(module for module in self.modules[1:] if hasattr(module, "pooling_mode"))
        kept: dict[str, Any] = {key: features[key] for key in ("attention_mask", "prompt_length") if key in features}
        kept["token_embeddings"] = states.float()
        out: Tensor = pooling(kept)["sentence_embedding"]
        return out

    @property
    def pools_last_layer(self) -> bool:
        """Whether pooling follows right upon the layers, so that a layer's pooled state can stand for the last's."""
        return hasattr(self.modules[1], "pooling_mode")

    def after_pooling(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pooled states, shape (b, D), through the modules after pooling: vectors, shape (b, d)."""
        import torch

        with self.lock, torch.inference_mode():
            features: dict[str, Any] = {"sentence_embedding": torch.from_numpy(pooled.copy()).to(self.device)}
            for module in self.modules[2:]:
                features = module(features)
            vectors: NDArray[np.float32] = features["sentence_embedding"].float().cpu().numpy()
        return vectors[:, : self.checkpoint.dimensions]
