"""A bundle: what a share link hands on, a corpus, a query set or both."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from lib.corpora import Corpus, QuerySet

VERSION = 1
"""Raised when bundles that were written before can no longer be read."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Texts as their owner sees them: what was chosen of an upload, not the file itself."""

    corpus: Corpus | None = None
    """The corpus, with labels, columns and embeddings of its own where it has them."""
    queries: QuerySet | None = None
    """The query set."""

    def __post_init__(self) -> None:
        if self.corpus is None and self.queries is None:
            raise ValueError("a bundle holds a corpus, a query set or both, got neither")

    @cached_property
    def about(self) -> str:
        """All that the arrays of a bundle's file do not say: names, counts, content keys; canonical JSON."""
        said: dict[str, Any] = {"version": VERSION}
        if self.corpus is not None:
            said["corpus"] = _of_corpus(self.corpus)
        if self.queries is not None:
            said["queries"] = {
                "key": self.queries.key,
                "name": self.queries.name,
                "notices": list(self.queries.notices),
                "topics": self.queries.topics is not None,
            }
        return json.dumps(said, sort_keys=True)

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that is in it, names and notices too, as 64 hexadecimal digits."""
        return key_of(self.about)

    @property
    def holds(self) -> tuple[str, ...]:
        """Its parts by name: `corpus`, `queries`."""
        return tuple(what for what, held in (("corpus", self.corpus), ("queries", self.queries)) if held is not None)


def key_of(about: str) -> str:
    """The content key of a bundle by what is said about it, which has the keys of its parts."""
    return hashlib.sha256(about.encode()).hexdigest()


def kind_of(column: pd.Series) -> str:
    """How a column of a corpus is written: `whole`, `number`, `truth`, `maybe` (truth values, some missing), `text`."""
    kinds = {"int64": "whole", "float64": "number", "bool": "truth", "boolean": "maybe"}
    return kinds.get(str(column.dtype), "text")


def _of_corpus(corpus: Corpus) -> dict[str, Any]:
    return {
        "key": corpus.key,
        "name": corpus.name,
        "notices": list(corpus.notices),
        "blank": corpus.blank,
        "duplicates": corpus.duplicates,
        "labels": corpus.labels is not None,
        "columns": [[str(name), kind_of(corpus.columns[name])] for name in corpus.columns.columns],
        "embeddings": corpus.embeddings is not None,
    }
