"""The table that sentence-transformers' trainer takes, with the columns that a loss wants."""

from typing import TYPE_CHECKING, Any

from lib.errors import InputError
from lib.finetune.data.examples import Examples
from lib.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from datasets import Dataset

LABEL = "score"
"""The column of the scores; every other column is text, `anchor` the queries, the rest documents."""


def to_dataset(examples: Examples, settings: TrainingSettings) -> "Dataset":
    """`examples`, equally many negatives each, as the loss of `settings` takes them.

    - infonce, cached infonce, nt-xent: anchor, positive, and `negative` or `negative_1`, `negative_2`, ...
    - triplet: anchor, positive, negative; a row for each negative.
    - cosine: anchor, document, score; a row for each positive (its score, 1 without) and for each negative (0).

    Raises:
        InputError: what `check_examples` refuses.
    """
    from datasets import Dataset

    check_examples(examples, settings)
    if settings.loss == "cosine":
        return Dataset.from_dict(_scored(examples))
    columns: dict[str, list[Any]] = {"anchor": list(examples.anchors), "positive": list(examples.positives)}
    width = examples.width
    if settings.loss == "triplet":
        columns = {name: [text for text in texts for _ in range(width)] for name, texts in columns.items()}
        columns["negative"] = [text for row in examples.negatives for text in row]
        return Dataset.from_dict(columns)
    for place in range(width):
        name = "negative" if width == 1 else f"negative_{place + 1}"
        columns[name] = [row[place] for row in examples.negatives]
    return Dataset.from_dict(columns)


def check_examples(examples: Examples, settings: TrainingSettings) -> None:
    """Refuse examples that the loss of `settings` cannot learn from.

    Raises:
        InputError: none at all, one query alone where other pairs are its negatives, no negatives for the triplet
            loss, nothing but positives for the cosine loss.
        ValueError: not equally many negatives each, or pairs that do not belong together for a loss without scores.
    """
    if not len(examples):
        raise InputError(f"{examples.name}: there is no pair to train on.")
    if any(len(row) != examples.width for row in examples.negatives):
        raise ValueError("Every example should have equally many negatives: add_negatives sees to it")
    if settings.in_batch and not examples.width and examples.queries < 2:
        raise InputError(
            f"{examples.name}: with one query alone the other pairs of a batch are no negatives: give more queries."
        )
    if settings.loss == "triplet" and not examples.width:
        raise InputError(
            f"{examples.name}: the triplet loss needs a negative for each pair and none is given: have them mined "
            "by BM25 or by the encoder."
        )
    if settings.loss == "cosine":
        if not examples.width and (examples.scores is None or examples.related.all()):
            raise InputError(
                f"{examples.name}: the cosine loss needs pairs that do not belong together, or it draws all texts to "
                "one point: give a column of scores, or negatives, or have them mined."
            )
    elif not examples.related.all():
        raise ValueError("Pairs that do not belong together are for the cosine loss alone")


def _scored(examples: Examples) -> dict[str, list[Any]]:
    scores = [1.0] * len(examples) if examples.scores is None else examples.scores.tolist()
    rows = [
        (anchor, document, score)
        for anchor, positive, own, negatives in zip(
            examples.anchors, examples.positives, scores, examples.negatives, strict=True
        )
        for document, score in ((positive, own), *((text, 0.0) for text in negatives))
    ]
    anchors, documents, labels = zip(*rows, strict=True)
    return {"anchor": list(anchors), "document": list(documents), LABEL: list(labels)}
