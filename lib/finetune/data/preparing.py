"""Preparing: from a query set or a file of examples to what a training takes, by its settings."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lib.corpora import QuerySet
from lib.finetune.data.dataset import check_examples
from lib.finetune.data.embedding import Embed
from lib.finetune.data.examples import RELEVANT_FROM, Examples, TrainingData, folded
from lib.finetune.data.mining import add_negatives
from lib.finetune.data.splitting import relevant_of, split
from lib.finetune.training.settings import TrainingSettings
from lib.progress import Progress

UNRELATED = f"pairs with a score below {RELEVANT_FROM:g}, which only the cosine loss can use"
"""Why a pair is left out."""


def prepare(
    source: QuerySet | Examples,
    settings: TrainingSettings,
    *,
    embed: Embed | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingData:
    """Hold queries out, leave out what the loss cannot use, add negatives, and see whether the loss can be trained.

    Args:
        source: where the pairs come from.
        settings: loss, validation, negatives and seed are used.
        embed: how the encoder embeds before training; needed where it mines negatives.
        progress: told queries done, and of how many, while BM25 mines.
        should_stop: asked while mining.

    Raises:
        InputError: as `split`, `add_negatives` and `check_examples`.
        Stopped: `should_stop` said so.
    """
    data = suited(split(source, share=settings.validation, seed=settings.seed), settings)
    data = add_negatives(data, settings, embed=embed, progress=progress, should_stop=should_stop)
    check_examples(data.train, settings)
    return data


def suited(data: TrainingData, settings: TrainingSettings) -> TrainingData:
    """`data` without pairs that do not belong together, which a loss without scores would draw together.

    They become negatives of their query where it has another pair, unless another row calls the same text its answer.
    """
    train = data.train
    unrelated = np.flatnonzero(~train.related)
    if settings.loss == "cosine" or not len(unrelated):
        return data
    judged: dict[int, list[str]] = {}
    relevant = relevant_of(train)
    for row in unrelated.tolist():
        group, text = int(train.groups[row]), train.positives[row]
        if folded(text) not in relevant.get(group, ()):
            judged.setdefault(group, []).append(text)
    kept = train.select(np.flatnonzero(train.related))
    extended = [
        _once((*own, *judged.get(group, ()))) for own, group in zip(kept.negatives, kept.groups.tolist(), strict=True)
    ]
    kept = replace(kept, negatives=tuple(extended), scores=None)
    left_out = {**data.left_out, UNRELATED: len(unrelated)}
    counts = {**data.counts, "examples": len(kept), "queries": kept.queries}
    return replace(data, train=kept, left_out=left_out, counts=counts)


def _once(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The first of each text."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(folded(text), text)
    return tuple(first.values())
