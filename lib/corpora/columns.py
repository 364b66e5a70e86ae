"""Which column holds the texts, the labels, the ids and the vectors: guessed by name, then by content."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.corpora.messages import fault, is_blank, listed, shown
from lib.corpora.table import Table
from lib.corpora.values import is_number_text
from lib.corpora.vectors import is_vector, parse_vector

TEXT_NAMES = (
    "text", "texts", "document", "documents", "sentence", "sentences", "content", "contents", "body", "passage",
    "passages", "paragraph", "utterance", "question", "query", "abstract", "summary", "review", "comment", "message",
    "description", "title",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "topic", "category", "class", "intent", "target", "subject", "genre", "domain", "group",
)  # fmt: skip
ID_NAMES = ("id", "_id", "ids", "doc_id", "docid", "document_id", "text_id", "uuid", "guid", "key", "index")
VECTOR_NAMES = ("embedding", "embeddings", "vector", "vectors", "emb", "features")
MAX_LABELS = 50
_LOOKED_AT = 1_000  # rows from which content is guessed
_LONG_VECTOR = 32  # a list as long as this is taken for an embedding whatever its column is called


@dataclass(frozen=True)
class ColumnChoice:
    """The columns that a corpus is made of."""

    text: str
    """Column of the texts."""
    label: str | None = None
    """Column of the labels, or None."""
    id: str | None = None
    """Column of the ids, or None: rows are numbered."""
    vector: str | None = None
    """Column of precomputed embeddings, or None."""
    reason: str = field(default="", compare=False)
    """How they were guessed, a sentence; empty where they were given."""


def guess_columns(table: Table) -> ColumnChoice:
    """Guess which columns hold what; the first name of each list that fits wins, then content decides.

    Raises:
        InputError: no column holds text.
    """
    names = [str(column) for column in table.frame.columns]
    samples = {name: [v for v in table.frame[name].iloc[:_LOOKED_AT] if not is_blank(v)] for name in names}
    text, why = _text_column(table, names, samples)
    rest = [name for name in names if name != text]
    vector = _vector_column(rest, samples)
    rest = [name for name in rest if name != vector]
    id_column = next((name for name in _by_name(rest, ID_NAMES) if _is_id(table, name)), None)
    rest = [name for name in rest if name != id_column]
    label, why_label = _label_column(table, rest, samples)
    parts = [f"texts from {shown(text)} ({why})"]
    if label is not None:
        parts.append(f"labels from {shown(label)} ({why_label})")
    if id_column is not None:
        parts.append(f"ids from {shown(id_column)}")
    if vector is not None:
        parts.append(f"embeddings from {shown(vector)}")
    return ColumnChoice(text=text, label=label, id=id_column, vector=vector, reason=f"Guessed: {', '.join(parts)}.")


def _by_name(names: list[str], wanted: tuple[str, ...]) -> list[str]:
    plain = {name: name.strip().lower().replace(" ", "_").replace("-", "_") for name in names}
    return [name for want in wanted for name in names if plain[name] == want]


def _text_column(table: Table, names: list[str], samples: dict[str, list[Any]]) -> tuple[str, str]:
    texts = [name for name in names if _is_text(samples[name])]
    if not texts:
        # the sample may be blank or odd where later rows are not
        texts = [name for name in names if any(isinstance(v, str) and v.strip() for v in table.frame[name])]
        texts = [name for name in texts if not _is_vectors(samples[name])]
        texts = [name for name in texts if not all(is_number_text(v) for v in table.frame[name] if not is_blank(v))]
    if not texts:
        raise fault(
            table.name, f"no column holds text (columns: {listed(names)}): expected one with the texts to embed."
        )
    named = _by_name(texts, TEXT_NAMES)
    if named:
        return named[0], "by its name"
    return max(texts, key=lambda name: _mean_length(samples[name])), "the longest text"


def _is_text(values: list[Any]) -> bool:
    """Mostly text (the odd number is an error to be named, not a reason to overlook the column)."""
    strings = [v for v in values if isinstance(v, str)]
    return (
        2 * len(strings) > len(values)
        and not _is_vectors(values)
        and not all(is_number_text(value) for value in strings)
    )


def _mean_length(values: list[Any]) -> float:
    return float(np.mean([len(v) for v in values if isinstance(v, str)] or [0]))


def _vector_column(names: list[str], samples: dict[str, list[Any]]) -> str | None:
    found = [name for name in names if _is_vectors(samples[name])]
    named = _by_name(found, VECTOR_NAMES)
    if named:
        return named[0]
    return next((name for name in found if len(parse_vector(samples[name][0])) >= _LONG_VECTOR), None)


def _is_vectors(values: list[Any]) -> bool:
    few = [parse_vector(value) for value in values[:5]]
    return bool(few) and all(is_vector(value) for value in few)


def _is_id(table: Table, name: str) -> bool:
    values = list(table.frame[name])
    if any(is_blank(v) or not isinstance(v, str | int) or isinstance(v, bool) for v in values):
        return False
    return len({str(v) for v in values}) == len(values)


def _repeats(values: list[Any]) -> bool:
    """Whether labels group texts: a long column of values that are all different does not."""
    return len(values) <= MAX_LABELS or len({str(v) for v in values}) < len(values)


def _label_column(table: Table, names: list[str], samples: dict[str, list[Any]]) -> tuple[str | None, str]:
    fits = [name for name in names if all(isinstance(v, str | int | float) for v in samples[name]) and samples[name]]
    named = [name for name in _by_name(fits, LABEL_NAMES) if _repeats(samples[name])]
    if named:
        return named[0], "by its name"
    for name in fits:
        values = [v for v in table.frame[name] if not is_blank(v)]
        if all(isinstance(v, str) for v in values) and not all(is_number_text(v) for v in values):
            distinct = len(set(values))
            if 2 <= distinct <= MAX_LABELS and len(values) >= 2 * distinct:
                return name, f"{distinct} different values"
    return None, ""
