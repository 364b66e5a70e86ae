"""A corpus: texts with ids, optional labels, other columns and optional precomputed embeddings."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 4_096  # texts hashed at once


@dataclass(frozen=True, eq=False)
class Corpus:
    """n texts in the order in which they came, none of them blank."""

    name: str
    """What it is called on screen; not part of `key`."""
    texts: tuple[str, ...] = field(repr=False)
    """The n texts."""
    ids: tuple[str, ...] = field(repr=False)
    """n different ids; row numbers from 1 where the source has none."""
    labels: tuple[str | None, ...] | None = field(default=None, repr=False)
    """n labels, None where a text has none; None where no text has one."""
    columns: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """The other columns, n rows in the same order: numbers, truth values or text."""
    embeddings: NDArray[np.float32] | None = field(default=None, repr=False)
    """Precomputed embeddings, shape (n, d), or None: then an encoder makes them."""
    blank: int = 0
    """Rows dropped because their text was missing or white space."""
    duplicates: int = 0
    """Texts that stand earlier in the corpus already; they are kept."""
    notices: tuple[str, ...] = ()
    """Sentences that its reader should see."""

    def __post_init__(self) -> None:
        n = len(self.texts)
        if not len(self.columns.columns):
            object.__setattr__(self, "columns", pd.DataFrame(index=pd.RangeIndex(n)))
        for what, held in (
            ("ids", self.ids),
            ("labels", self.labels),
            ("columns", self.columns),
            ("embeddings", self.embeddings),
        ):
            if held is not None and len(held) != n:
                raise ValueError(f"{what} should be as many as the {n} texts, got {len(held)}")
        if len(set(self.ids)) != n:
            raise ValueError("ids should all be different")

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything but the name and the notices, as 64 hexadecimal digits.

        Every item is written with its length before it, so that no two corpora share a byte stream.
        """
        digest = hashlib.sha256(b"embedscope corpus 1")
        hash_texts(digest, self.texts)
        hash_texts(digest, self.ids)
        hash_texts(digest, self.labels if self.labels is not None else ())
        hash_texts(digest, [str(column) for column in self.columns.columns])
        for column in self.columns.columns:
            _hash_column(digest, self.columns[column])
        if self.embeddings is not None:
            digest.update(np.asarray(self.embeddings.shape, dtype="<i8").tobytes())
            digest.update(np.ascontiguousarray(self.embeddings, dtype="<f4").data)
        return digest.hexdigest()

    def subset(self, indices: Iterable[int] | NDArray[Any]) -> "Corpus":
        """The texts at `indices` (whole numbers, or n truth values), with all that belongs to them.

        Raises:
            IndexError: an index that the corpus does not have.
            ValueError: an index twice, since ids are unique.
        """
        given = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices))
        at = np.flatnonzero(given) if given.dtype == bool and len(given) == len(self) else given.astype(np.int64)
        rows = at.tolist()
        texts = tuple(self.texts[i] for i in rows)
        labels = None if self.labels is None else tuple(self.labels[i] for i in rows)
        return Corpus(
            name=self.name,
            texts=texts,
            ids=tuple(self.ids[i] for i in rows),
            labels=labels if labels is not None and any(label is not None for label in labels) else None,
            columns=self.columns.iloc[rows].reset_index(drop=True),
            embeddings=None if self.embeddings is None else self.embeddings[at],
            duplicates=len(texts) - len(set(texts)),
        )


def hash_texts(digest: "_Hash", texts: Sequence[str | None]) -> None:
    """Add texts to `digest`, each with its length before it; None differs from every text."""
    digest.update(len(texts).to_bytes(8, "little"))
    for start in range(0, len(texts), _BLOCK):
        block = [
            None if text is None else text.encode("utf-8", "surrogatepass") for text in texts[start : start + _BLOCK]
        ]
        digest.update(np.array([-1 if text is None else len(text) for text in block], dtype="<i8").tobytes())
        for text in block:
            digest.update(text or b"")


def _hash_column(digest: "_Hash", column: pd.Series) -> None:
    if column.dtype.kind in "iuf":
        numbers = column.to_numpy(dtype="<f8" if column.dtype.kind == "f" else "<i8")
        if numbers.dtype.kind == "f":
            numbers = np.where(np.isnan(numbers), np.nan, numbers)  # one bit pattern for every NaN
        digest.update(numbers.dtype.str.encode())
        digest.update(np.ascontiguousarray(numbers).data)
        return
    digest.update(b"text")
    hash_texts(digest, [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)])
