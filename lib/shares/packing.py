"""Bundles as arrays: texts are bytes with their ends beside them, so that nothing is unpacked or evaluated.

A file is as long as what it becomes: there is nothing that could unpack to more.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora import Corpus, QuerySet
from lib.shares.bundle import VERSION, Bundle, kind_of
from lib.tensors import BrokenFileError

Arrays = dict[str, NDArray[Any]]
_MISSING = -1  # the length of a text that is not there
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def pack(bundle: Bundle) -> Arrays:
    """The arrays of a bundle, name to array; `Bundle.about` says the rest."""
    arrays: Arrays = {}
    if bundle.corpus is not None:
        corpus = bundle.corpus
        _put(arrays, "corpus.texts", corpus.texts)
        _put(arrays, "corpus.ids", corpus.ids)
        if corpus.labels is not None:
            _put(arrays, "corpus.labels", corpus.labels)
        for at, name in enumerate(corpus.columns.columns):
            _put_column(arrays, f"corpus.column.{at}", corpus.columns[name])
        if corpus.embeddings is not None:
            arrays["corpus.embeddings"] = np.asarray(corpus.embeddings, dtype=np.float32)
    if bundle.queries is not None:
        queries = bundle.queries
        for name in ("queries", "query_ids", "documents", "document_ids"):
            _put(arrays, f"queries.{name}", getattr(queries, name))
        if queries.topics is not None:
            _put(arrays, "queries.topics", queries.topics)
        for name in ("judged_query", "judged_document", "relevance"):
            arrays[f"queries.{name}"] = np.asarray(getattr(queries, name), dtype=np.int64)
    return arrays


def unpack(arrays: Mapping[str, NDArray[Any]], about: str) -> Bundle:
    """The bundle of `pack`'s arrays; its content is compared with the keys in `about`.

    Raises:
        BrokenFileError: the arrays are not those that were packed.
    """
    try:
        said = json.loads(about)
        if said["version"] != VERSION:
            raise BrokenFileError(f"version {said['version']!r}")
        made = Bundle(
            _corpus(arrays, said["corpus"]) if "corpus" in said else None,
            _queries(arrays, said["queries"]) if "queries" in said else None,
        )
    except _BROKEN as fault:
        raise BrokenFileError(f"no bundle: {fault}") from fault
    if made.about != about:
        raise BrokenFileError("content differs")
    return made


def _corpus(arrays: Mapping[str, NDArray[Any]], said: Mapping[str, Any]) -> Corpus:
    columns = {
        str(name): _column(arrays, f"corpus.column.{at}", str(kind)) for at, (name, kind) in enumerate(said["columns"])
    }
    texts = _whole(_texts(arrays, "corpus.texts"))
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(texts)), columns=pd.Index(list(columns), dtype=object))
    return Corpus(
        name=str(said["name"]),
        texts=texts,
        ids=_whole(_texts(arrays, "corpus.ids")),
        labels=_texts(arrays, "corpus.labels") if said["labels"] else None,
        columns=frame,
        embeddings=np.array(arrays["corpus.embeddings"], dtype=np.float32) if said["embeddings"] else None,
        blank=int(said["blank"]),
        duplicates=int(said["duplicates"]),
        notices=tuple(str(notice) for notice in said["notices"]),
    )


def _queries(arrays: Mapping[str, NDArray[Any]], said: Mapping[str, Any]) -> QuerySet:
    def rows(name: str) -> NDArray[np.int64]:
        return np.array(arrays[f"queries.{name}"], dtype=np.int64)

    return QuerySet(
        name=str(said["name"]),
        queries=_whole(_texts(arrays, "queries.queries")),
        query_ids=_whole(_texts(arrays, "queries.query_ids")),
        documents=_whole(_texts(arrays, "queries.documents")),
        document_ids=_whole(_texts(arrays, "queries.document_ids")),
        judged_query=rows("judged_query"),
        judged_document=rows("judged_document"),
        relevance=rows("relevance"),
        topics=_texts(arrays, "queries.topics") if said["topics"] else None,
        notices=tuple(str(notice) for notice in said["notices"]),
    )


def _put(arrays: Arrays, name: str, texts: Sequence[str | None]) -> None:
    data = [None if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
    arrays[f"{name}.bytes"] = np.frombuffer(b"".join(text or b"" for text in data), dtype=np.uint8)
    arrays[f"{name}.lengths"] = np.array([_MISSING if text is None else len(text) for text in data], dtype=np.int64)


def _texts(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str | None, ...]:
    data = arrays[f"{name}.bytes"].tobytes()
    lengths = arrays[f"{name}.lengths"]
    if lengths.ndim != 1 or lengths.dtype != np.int64 or (lengths < _MISSING).any():
        raise ValueError(f"lengths of {name}")
    ends = np.cumsum(np.maximum(lengths, 0)).tolist()
    if (ends[-1] if ends else 0) != len(data):
        raise ValueError(f"{name} has {len(data)} bytes")
    starts = [0, *ends][:-1]
    return tuple(
        None if length == _MISSING else data[start:end].decode("utf-8", "surrogatepass")
        for start, end, length in zip(starts, ends, lengths.tolist(), strict=True)
    )


def _whole(texts: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(text for text in texts if text is not None)  # one that is missing shows as one too few


def _put_column(arrays: Arrays, name: str, column: pd.Series) -> None:
    kind = kind_of(column)
    if kind == "text":
        values = zip(column, column.isna(), strict=True)
        _put(arrays, name, [None if missing else str(value) for value, missing in values])
    elif kind == "maybe":
        arrays[name] = column.fillna(False).to_numpy(dtype=bool)
        arrays[f"{name}.missing"] = column.isna().to_numpy(dtype=bool)
    else:
        arrays[name] = column.to_numpy()


def _column(arrays: Mapping[str, NDArray[Any]], name: str, kind: str) -> pd.Series:
    if kind == "text":
        return pd.Series(list(_texts(arrays, name)), dtype="str")
    if kind == "maybe":
        return pd.Series(np.array(arrays[name], dtype=bool), dtype="boolean").mask(arrays[f"{name}.missing"])
    dtype = {"whole": "int64", "number": "float64", "truth": "bool"}[kind]
    return pd.Series(np.array(arrays[name]).astype(dtype, casting="equiv"))
