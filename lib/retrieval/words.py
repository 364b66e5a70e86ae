"""Words: what BM25 compares. Two or more letters, digits or underscores in a row, lower-cased.

For English, 33 stopwords (those of Lucene) are left out and the others are stemmed by Snowball's rules, so that
"cats" meets "cat"; "c" in "vitamin C" is no word. Scripts that put no spaces between words (Chinese, Japanese, Thai)
come out in whole clauses, which seldom meet: `spaceless_share` says how much of a text is written so.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from lib.progress import Progress

Language = Literal["english"]

_BLOCK = 1_000  # texts between two calls of a progress function
_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Chinese characters, common ones and extension A
    (0xF900, 0xFAFF),  # compatibility forms
    (0x20000, 0x3FFFF),  # rare ones
)
_LOOKED_AT = 500  # characters of each text


def words_of(
    texts: Sequence[str], *, language: Language | None = "english", progress: Progress | None = None
) -> list[list[str]]:
    """The words of each text, in its order; with `language` None neither stopwords nor stems."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer(language) if language else None  # one a call: threads may not share it
    made: list[list[str]] = []
    for start in range(0, len(texts), _BLOCK):
        made += bm25s.tokenize(
            list(texts[start : start + _BLOCK]),
            stopwords=language or [],
            stemmer=stemmer,
            return_ids=False,
            show_progress=False,
        )
        if progress:
            progress(len(made), len(texts))
    return made


def spaceless_share(texts: Sequence[str]) -> float:
    """Share of the characters, spaces left out, that are of scripts without spaces between words; 0 without any."""
    read = "".join("".join(text[:_LOOKED_AT].split()) for text in texts)
    points = np.frombuffer(read.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    if not len(points):
        return 0.0
    return float(sum(((points >= low) & (points <= high)).mean() for low, high in _SPACELESS))
