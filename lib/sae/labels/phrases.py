"""Phrases of one to three words, and which texts hold them.

A phrase never reaches over punctuation or a bare number, and neither begins nor ends with a stop word ("terms of
service" is one). Words are lower-cased and not stemmed, since labels are read by people. Characters of scripts without
spaces count as words of their own. All counting is done on arrays: memory goes with the words of the texts given.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SPACELESS = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PIECES = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}])\w)+(?:['’\-](?:(?![{_SPACELESS}])\w)+)*|[^\w\s]")
_LETTER = re.compile(r"[^\W\d_]")
_ONE_SPACELESS = re.compile(rf"[{_SPACELESS}]")
_MOST_CHARACTERS = 2_000  # of each text that are read
_MOST_PHRASES = 60_000  # of each length, the most frequent ones
_BREAK, _MOST_WORDS = 0, 3
_WHOLE_ALPHABET = 3  # shortest word in a script with letters; "x" and "de" say little alone
_CONTRACTED = re.compile(r"['’](?:s|t|re|ve|ll|d|m)$")


@dataclass(frozen=True, eq=False)
class Phrases:
    """The phrases of some texts."""

    names: tuple[str, ...]
    """The p phrases, lower-cased."""
    words: NDArray[np.int64]
    """Words of each, 1 to 3, shape (p,)."""
    holds: "csr_array"
    """1 where a text holds a phrase, shape (texts, p), float32."""

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the texts that hold each phrase, shape (p,)."""
        found: NDArray[np.float64] = np.asarray(self.holds.sum(axis=0)).ravel() / max(self.holds.shape[0], 1)
        return found


def phrases_of(texts: Sequence[str], *, fewest: int = 2) -> Phrases:
    """The phrases that at least `fewest` of the texts hold."""
    from scipy.sparse import csr_array

    words, ids, rows = _read(texts, fewest)
    stops = np.array([word == "" or _is_stop(word) for word in words], dtype=bool)
    names: list[str] = []
    lengths: list[int] = []
    text_parts, phrase_parts = [], []
    for size in range(1, _MOST_WORDS + 1):
        keys, at = _runs(ids, rows, stops, size, len(words))
        if not len(keys):
            continue
        distinct, number = np.unique(keys, return_inverse=True)
        pairs = np.unique(number.astype(np.int64) * len(texts) + at)
        number, at = pairs // len(texts), pairs % len(texts)
        counts = np.bincount(number, minlength=len(distinct))
        kept = np.flatnonzero(counts >= fewest)
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:_MOST_PHRASES]])
        place = np.full(len(distinct), -1)
        place[kept] = len(names) + np.arange(len(kept))
        chosen = place[number] >= 0
        text_parts.append(at[chosen])
        phrase_parts.append(place[number[chosen]])
        names += [_joined(_unpacked(int(key), size, len(words)), words) for key in distinct[kept]]
        lengths += [size] * len(kept)
    at = np.concatenate([np.empty(0, dtype=np.int64), *text_parts])
    number = np.concatenate([np.empty(0, dtype=np.int64), *phrase_parts])
    shape = (len(texts), len(names))
    holds = csr_array((np.ones(len(at), dtype=np.float32), (at, number)), shape=shape)
    return Phrases(tuple(names), np.array(lengths, dtype=np.int64), holds)


@lru_cache(maxsize=50_000)
def word_set(text: str) -> frozenset[str]:
    """The words of a text or label, without stop words, stemmed: what two are compared by."""
    import Stemmer

    stemmer = Stemmer.Stemmer("english")  # one a call: threads may not share it
    return frozenset(
        stemmer.stemWord(piece) for piece in _pieces(text) if _LETTER.search(piece) and not _is_stop(piece)
    )


def _read(texts: Sequence[str], fewest: int) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The words that at least `fewest` texts could hold, and all positions as word numbers; 0 breaks a phrase."""
    numbers: dict[str, int] = {"": _BREAK}
    ids, lengths = [], []
    for text in texts:
        found = [_BREAK, *(_number(piece, numbers) for piece in _pieces(text))]
        ids.append(np.array(found, dtype=np.int64))
        lengths.append(len(found))
    if not ids:
        return [""], np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    flat, rows = np.concatenate(ids), np.repeat(np.arange(len(ids)), lengths)
    counts = np.bincount(flat, minlength=len(numbers))
    kept = counts >= fewest  # a phrase is no more frequent than its rarest word
    kept[_BREAK] = True
    renumbered = np.where(kept, np.cumsum(kept) - 1, _BREAK)
    words = [word for word, number in numbers.items() if kept[number] and (number or not word)]  # in their order
    return words, renumbered[flat], rows


def _pieces(text: str) -> Iterator[str]:
    for piece in _PIECES.findall(text[:_MOST_CHARACTERS].lower()):
        yield _CONTRACTED.sub("", piece) if "'" in piece or "’" in piece else piece


def _number(piece: str, numbers: dict[str, int]) -> int:
    known = numbers.get(piece)
    if known is None:
        known = numbers[piece] = len(numbers) if _LETTER.search(piece) else _BREAK
    return known


def _runs(
    ids: NDArray[np.int64], rows: NDArray[np.int64], stops: NDArray[np.bool_], size: int, base: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every run of `size` words that may be a phrase, as one number, and the text that it is in."""
    end = len(ids) - size + 1
    if end <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    # Each text begins with a break, so that no run reaches from one into the next.
    fits = ~stops[ids[:end]] & ~stops[ids[size - 1 :]]
    keys = np.zeros(end, dtype=np.int64)
    for offset in range(size):
        part = ids[offset : offset + end]
        fits &= part != _BREAK
        keys = keys * base + part
    return keys[fits], rows[:end][fits]


def _unpacked(key: int, size: int, base: int) -> list[int]:
    found = []
    for _ in range(size):
        key, number = divmod(key, base)
        found.append(number)
    return found[::-1]


def _joined(numbers: Sequence[int], words: Sequence[str]) -> str:
    parts = [words[number] for number in numbers]
    text = parts[0]
    for before, part in pairwise(parts):
        text += part if _ONE_SPACELESS.match(before) and _ONE_SPACELESS.match(part) else f" {part}"
    return text


def _is_stop(word: str) -> bool:
    return word in _stop_words() or (len(word) < _WHOLE_ALPHABET and not _ONE_SPACELESS.match(word))


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _MORE_STOPS


_MORE_STOPS = frozenset(
    ["don", "doesn", "didn", "isn", "wasn", "aren", "won", "can't", "don't", "i'm", "it's", "does", "did", "doing"]
)
