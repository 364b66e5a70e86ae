"""Batches: in which order examples are seen, so that it can be drawn again from the seed and the pass alone."""

from collections.abc import Iterator
from typing import Any

import torch
from sentence_transformers.base.sampler import DefaultBatchSampler


class Shuffled(DefaultBatchSampler):
    """Each pass in an order of its own, drawn from the seed and the number of the pass.

    sentence-transformers' default draws each pass from a generator that goes on from pass to pass, which a resumed
    training has not seen; its sampler without duplicates draws as this one does.
    """

    def __init__(self, dataset: Any, batch_size: int, drop_last: bool, **settings: Any) -> None:
        super().__init__(dataset, batch_size, drop_last, **settings)
        self._rows = len(dataset)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(self._rows, generator=generator).tolist()
        for start in range(0, self._rows, self.batch_size):
            yield order[start : start + self.batch_size]

    def __len__(self) -> int:
        return -(-self._rows // self.batch_size)
