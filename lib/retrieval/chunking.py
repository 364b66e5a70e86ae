"""Chunks: what an encoder does not read of long documents, and passages that it does read.

An encoder with a maximum length reads the beginning of a text and drops the rest without a word. Cut into passages of
`size` tokens, each sharing `overlap` tokens with the one before it, everything is read; a document then scores what
its best passage scores (max-pooling, Dai and Callan 2019, arXiv:1905.09217).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import Encoder, Role, room, token_spans
from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.results import Result

SIZE, OVERLAP = 256, 50
"""Tokens in a passage and tokens it shares with the one before, when none are given."""
_WINDOW = 512  # documents tokenised at a time


@dataclass(frozen=True, eq=False)
class CutDocuments(Result):
    """How long documents are, and what an encoder drops of them."""

    tokens: NDArray[np.int64]
    """Tokens of each document's own, whole, shape (n,)."""
    lost: NDArray[np.int64]
    """Of those, how many are never read, shape (n,); 0 where it is read whole."""
    room: int | None
    """Tokens of a document's own that are read: the encoder's maximum less special tokens and prompt; None: no end."""
    max_tokens: int | None
    """The encoder's maximum, special tokens and prompt included."""
    cut: int
    """Documents of which something is lost."""
    lost_share: float
    """Share of all tokens of all documents that is lost, 0 to 1."""
    items: int
    """Documents, n."""


@dataclass(frozen=True, eq=False)
class Chunks(Result):
    """Documents in passages; each passage is a slice of its document, and together they cover it."""

    texts: tuple[str, ...]
    """The c passages, document by document, in order."""
    document: NDArray[np.int64]
    """Row of each passage's document, shape (c,), ascending; every document has one at least."""
    start: NDArray[np.int64]
    """Character at which each begins in its document, shape (c,)."""
    end: NDArray[np.int64]
    """Character before which it ends, shape (c,)."""
    tokens: NDArray[np.int64]
    """Tokens of the document in each, shape (c,); `size` at most."""
    size: int
    """Most tokens in a passage, after lowering it to what the encoder reads."""
    overlap: int
    """Tokens that neighbouring passages share."""
    asked_size: int
    """The size that was asked for."""
    split: int
    """Documents in more than one passage."""
    shortened: int
    """Documents whose passages had to be shorter still: tokenised alone, a passage took more tokens than in its
    document."""
    items: int
    """Documents, n."""


def cut_documents(documents: Sequence[str], encoder: Encoder, *, role: Role = "document") -> CutDocuments:
    """Count the tokens of `documents` and those that the encoder drops.

    Raises:
        InputError: no documents, a prompt that leaves no room, an encoder whose code does not show its tokens.
    """
    if not len(documents):
        raise InputError("There are no documents whose tokens could be counted.")
    limit = room(encoder, role)
    counts = [len(spans) for part in _windows(documents) for spans in token_spans(encoder, part)]
    tokens = np.array(counts, dtype=np.int64)
    lost = np.maximum(tokens - limit, 0) if limit is not None else np.zeros_like(tokens)
    return CutDocuments(
        tokens=tokens,
        lost=lost,
        room=limit,
        max_tokens=encoder.checkpoint.max_tokens if limit is not None else None,
        cut=int((lost > 0).sum()),
        lost_share=float(lost.sum() / tokens.sum()) if tokens.sum() else 0.0,
        items=len(tokens),
    )


def lost_text(
    documents: Sequence[str], encoder: Encoder, *, role: Role = "document", characters: int = 200
) -> list[str]:
    """The beginning of what the encoder does not read of each document; "" where it reads all.

    Raises:
        InputError: as `cut_documents`.
    """
    limit = room(encoder, role)
    made = []
    for text, spans in zip(documents, token_spans(encoder, documents), strict=True):
        cut = limit is not None and len(spans) > limit
        made.append(text[int(spans[limit, 0]) :][:characters] if cut and limit is not None else "")
    return made


def chunk_documents(
    documents: Sequence[str],
    encoder: Encoder,
    *,
    size: int = SIZE,
    overlap: int = OVERLAP,
    role: Role = "document",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Chunks:
    """Cut `documents` into passages of `size` of the encoder's tokens, `overlap` of them shared with the one before.

    `size` is lowered to what the encoder reads. A document of `size` tokens or fewer stays whole. The last passage
    may be short. White space between two passages goes to the first of them.

    Raises:
        InputError: a size below 1, an overlap below 0 or as large as the size, and what `cut_documents` raises.
        Stopped: `should_stop` said so.
    """
    if not len(documents):
        raise InputError("There are no documents to cut into passages.")
    limit = room(encoder, role)
    lowered = size if limit is None else min(size, limit)
    if size < 1 or not 0 <= overlap < lowered:
        what = f"{size}" if lowered == size else f"{lowered} (lowered from {size} to what the encoder reads)"
        raise InputError(
            f"Passages need a size of at least 1 token and an overlap below it, got a size of {what} and an overlap "
            f"of {overlap}."
        )
    pieces: list[list[tuple[int, int, int]]] = []
    shortened = 0
    for part in _windows(documents):
        if should_stop and should_stop():
            raise Stopped(f"Stopped after {len(pieces):,} of {len(documents):,} documents.")
        for text, spans in zip(part, token_spans(encoder, part), strict=True):
            made, shorter = _fitting(text, spans, encoder, size=lowered, overlap=overlap, role=role)
            pieces.append(made)
            shortened += shorter
        if progress:
            progress(len(pieces), len(documents))
    flat = np.array([piece for made in pieces for piece in made], dtype=np.int64).reshape(-1, 3)
    counts = np.array([len(made) for made in pieces])
    document = np.repeat(np.arange(len(pieces)), counts)
    places = zip(document.tolist(), flat.tolist(), strict=True)
    return Chunks(
        texts=tuple(documents[row][start:end] for row, (start, end, _) in places),
        document=document,
        start=flat[:, 0],
        end=flat[:, 1],
        tokens=flat[:, 2],
        size=lowered,
        overlap=overlap,
        asked_size=size,
        split=int((counts > 1).sum()),
        shortened=shortened,
        items=len(documents),
    )


def _windows(documents: Sequence[str]) -> list[Sequence[str]]:
    return [documents[start : start + _WINDOW] for start in range(0, len(documents), _WINDOW)]


def _fitting(
    text: str, spans: NDArray[np.int64], encoder: Encoder, *, size: int, overlap: int, role: Role
) -> tuple[list[tuple[int, int, int]], bool]:
    """The passages of one document, and whether they had to be shorter than `size` to be read whole.

    A passage that begins within a word may be tokenised otherwise than it was there, into more tokens.
    """
    made, least = _pieces(len(text), spans, size, overlap), size
    while len(made) > 1 and encoder.tokenizer is not None and least > 1:
        prompt = encoder.checkpoint.prompts.of(role)
        if not encoder.tokenizer([prompt + text[start:end] for start, end, _ in made]).truncated.any():
            break
        least = max(1, least - max(1, least // 16))
        made = _pieces(len(text), spans, least, min(overlap, least - 1))
    return made, least < size


def _pieces(length: int, spans: NDArray[np.int64], size: int, overlap: int) -> list[tuple[int, int, int]]:
    """Begin, end (characters) and tokens of each passage of a text of `length` characters."""
    t = len(spans)
    if t <= size:
        return [(0, length, t)]
    made = []
    for first in range(0, t - overlap, size - overlap):
        last = min(first + size, t)  # the token after the last
        start = int(spans[first, 0]) if first else 0
        end = max(int(spans[last - 1, 1]), int(spans[last, 0])) if last < t else length
        made.append((start, end, last - first))
    return made
