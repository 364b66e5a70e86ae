"""A corpus as a file that its recipient can keep, and upload again."""

import json
from collections.abc import Iterator
from typing import Any

from lib.corpora import Corpus
from lib.results import to_json


def corpus_jsonl(corpus: Corpus) -> bytes:
    """JSON Lines: one object a text with `id`, `text`, `label` and `embedding` where it has them, and its columns.

    A column that has one of those names gets a number behind it.
    """
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(corpus)).encode("utf-8", "surrogatepass")


def _rows(corpus: Corpus) -> Iterator[dict[str, Any]]:
    taken = {"id", "text", "label", "embedding"}
    columns: dict[str, list[Any]] = {}
    for name in corpus.columns.columns:
        free, at = str(name), 2
        while free in taken:
            free, at = f"{name} {at}", at + 1
        taken.add(free)
        values = corpus.columns[name]
        columns[free] = [
            None if missing else to_json(value) for value, missing in zip(values, values.isna(), strict=True)
        ]
    for row, (given, text) in enumerate(zip(corpus.ids, corpus.texts, strict=True)):
        made: dict[str, Any] = {"id": given, "text": text}
        if corpus.labels is not None:
            made["label"] = corpus.labels[row]
        if corpus.embeddings is not None:
            made["embedding"] = corpus.embeddings[row].tolist()
        yield made | {name: values[row] for name, values in columns.items()}
