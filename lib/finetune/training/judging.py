"""Judging: how the queries held out are answered before training, while it runs, and by what came of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.encoders.prompts import Role
from lib.finetune.data import embedder
from lib.finetune.training.folder import BEFORE
from lib.finetune.training.model import Tunable
from lib.finetune.validation import Compared, Validation, compare_validations, measure, sampled
from lib.runs.run import read_json, write_json

_BATCH = 32


class Judging:
    """Measures a model, as it is when asked, on a fixed part of the queries held out."""

    def __init__(
        self,
        queries: QuerySet,
        tunable: Tunable,
        *,
        widths: Sequence[int] = (),
        seed: int,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """`widths` are the cuts of Matryoshka, at which it is measured, too, before training and at its end."""
        self.queries = sampled(queries, seed=seed)
        """What is asked, over the documents that are searched."""
        self._embed = embedder(tunable.model, tunable.checkpoint.prompts, batch=_BATCH, should_stop=should_stop)
        self._widths, self._seed = tuple(widths), seed
        self._found: dict[int, Validation] = {}
        self._cut_before: dict[int, Validation] = {}

    def __call__(self, step: int) -> dict[str, float]:
        """Mean of each metric of the model as it is now, after `step` steps.

        Raises:
            Stopped: the user ended the training meanwhile.
        """
        self._found[step] = measure(self.queries, self._embed)
        return self._found[step].means

    def first(self, out: Path) -> dict[str, float]:
        """Mean of each metric before training: now, or as an earlier process of the same training found it.

        Raises:
            Stopped: the user ended the training meanwhile.
        """
        kept = read_json(out / BEFORE)
        if kept is not None:
            self._found[0] = Validation.from_dict(kept["whole"])
            self._cut_before = {int(width): Validation.from_dict(cut) for width, cut in kept["widths"].items()}
            return self._found[0].means
        self(0)
        self._cut_before = self._cut()
        cut: dict[str, Any] = {str(width): found.to_dict() for width, found in self._cut_before.items()}
        write_json(out / BEFORE, {"whole": self._found[0].to_dict(), "widths": cut})
        return self._found[0].means

    def compared(self, step: int) -> tuple[Compared, dict[int, Compared]]:
        """After `step` steps, whose weights the model has now, against before training: whole, and cut to each width.

        Raises:
            Stopped: the user ended the training meanwhile.
        """
        if step not in self._found:
            self(step)
        cut = {
            width: compare_validations(self._cut_before[width], found, seed=self._seed)
            for width, found in self._cut().items()
        }
        return compare_validations(self._found[0], self._found[step], seed=self._seed), cut

    def _cut(self) -> dict[int, Validation]:
        """The model as it is now with its vectors cut to each width, embedded once for all."""
        if not self._widths:
            return {}
        asked = self._embed(self.queries.queries, "query")
        documents = self._embed(self.queries.documents, "document")

        def embed(_: Sequence[str], role: Role) -> NDArray[np.float32]:
            return asked if role == "query" else documents

        return {width: measure(self.queries, embed, width=width) for width in self._widths}
