"""Tap: what a loss is given and what it makes of it, caught while it computes; nothing is computed twice."""

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from lib.finetune.monitor.pairs import innermost, kind_of, pair_similarities


class Tap:
    """Listens to one model and to whatever loss is computed with it, between `open` and `close`.

    A loss is known by what it is called with: a list of batches of features. From then to its end each embedding that
    the model returns belongs to it; what the model embeds at other times (an evaluation, the second pass of a cached
    loss, a checkpointed recomputation) does not.
    """

    def __init__(self, model: nn.Module) -> None:
        """Hook into `model`; into losses as they come."""
        self.seconds = 0.0
        """Spent in here since it was last set to 0."""
        self.samples = 0
        """Examples seen since `open` was first called after `take`."""
        self.loss_name: str | None = None
        self.kind: str | None = None
        self._losses: dict[int, nn.Module] = {}
        self._hooks: list[Any] = [model.register_forward_hook(self._embedded)]
        self._entry: Any = None
        self._batch: _Batch | None = None
        self._measured: list[Tensor] = []

    def open(self) -> None:
        """Wait for the loss of the next (micro-)batch."""
        if self._entry is None:
            self._entry = register_module_forward_pre_hook(self._enters)

    def close(self) -> None:
        """Wait no longer."""
        if self._entry is not None:
            self._entry.remove()
            self._entry = None
        self._batch = None

    def take(self) -> Tensor | None:
        """Loss and three similarities, the mean over the batches since the last call, shape (4,); None without any.

        A similarity that some of the batches do not have is the mean of the others.
        """
        found, self._measured = self._measured, []
        if not found:
            return None
        all_of = torch.stack(found)
        return torch.cat([all_of[:, :1].mean(dim=0), all_of[:, 1:].nanmean(dim=0)])

    def remove(self) -> None:
        """Listen no more."""
        self.close()
        for hook in self._hooks:
            hook.remove()

    def _enters(self, module: nn.Module, given: tuple[Any, ...]) -> None:
        """Before any module runs: the first that is called with a list of features is the loss, wrappers included."""
        if not (given and isinstance(given[0], list | tuple) and given[0] and isinstance(given[0][0], Mapping)):
            return
        started = time.perf_counter()
        self.close()
        labels = given[1] if len(given) > 1 and isinstance(given[1], Tensor) else None
        self._batch = _Batch(module, list(given[0]), labels)
        if id(module) not in self._losses:
            self._losses[id(module)] = module
            self._hooks.append(module.register_forward_hook(self._computed))
            self.loss_name = type(innermost(module)).__name__
            self.kind = kind_of(module, len(given[0]), labels)
        self.seconds += time.perf_counter() - started

    def _embedded(self, _module: nn.Module, _given: tuple[Any, ...], output: Any) -> None:
        if self._batch is not None and isinstance(output, Mapping):
            self._batch.add(output.get("sentence_embedding"))

    def _computed(self, module: nn.Module, _given: tuple[Any, ...], output: Any) -> None:
        batch = self._batch
        if batch is None or batch.loss is not module:
            return
        started = time.perf_counter()
        self._batch = None
        value = sum(output.values()) if isinstance(output, Mapping) else output
        if isinstance(value, Tensor) and value.numel() == 1:
            self._measured.append(torch.cat([value.detach().float().view(1), batch.similarities()]))
            self.samples += batch.examples or 0
        self.seconds += time.perf_counter() - started


class _Batch:
    """The embeddings of one batch as its loss asks for them, column after column."""

    def __init__(self, loss: nn.Module, features: list[Mapping[str, Any]], labels: Tensor | None) -> None:
        self.loss, self.labels = loss, labels
        self.columns = len(features)
        self.examples = _rows(features[0])
        self._embeddings: list[Tensor] = []
        self._seen = 0

    def add(self, embeddings: object) -> None:
        """Keep what belongs to the first pass; a Matryoshka loss asks for the same texts again, cut shorter."""
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2:
            return
        self.examples = self.examples or len(embeddings)
        if self._seen < self.columns * self.examples:
            self._embeddings.append(embeddings.detach())
            self._seen += len(embeddings)

    def similarities(self) -> Tensor:
        """See `pair_similarities`; NaN where the texts do not add up to whole columns."""
        if not self._embeddings or self._seen != self.columns * (self.examples or 0):
            device = self._embeddings[0].device if self._embeddings else None
            return torch.full((3,), torch.nan, device=device)
        kind = kind_of(self.loss, self.columns, self.labels)
        return pair_similarities(torch.cat(self._embeddings), self.columns, self.labels, kind=kind)


def _rows(features: Mapping[str, Any]) -> int | None:
    """How many texts a batch of features holds, if it says."""
    if isinstance(lengths := features.get("cu_seq_lens_q"), Tensor):
        return len(lengths) - 1
    for name in ("input_ids", "attention_mask"):
        if isinstance(found := features.get(name), Tensor) and found.ndim == 2:
            return len(found)
    offsets = features.get("offsets")
    return len(offsets) if isinstance(offsets, Tensor) else None
