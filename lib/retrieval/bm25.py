"""BM25: ranking by shared words, the line that an encoder has to beat.

score(q, d) = sum over the words t of q of idf(t) tf / (tf + k1 (1 - b + b |d| / mean |d|)), with tf the times that t
stands in d and |d| the words of d; a word that stands twice in q counts twice. Three variants (Kamphuis et al. 2020):
"lucene" with idf = ln(1 + (n - df + .5) / (df + .5)), "robertson" with ln((n - df + .5) / (df + .5)), 0 where
negative, and "atire" with ln(n / df) and the whole times k1 + 1. Computed by the library bm25s (Lù 2024,
arXiv:2407.03618), with numpy alone.

What counts as a word is told in `lib.retrieval.words`. A document that shares no word with the query is not retrieved,
as search engines have it: it has no rank, and trec_eval counts it as missed.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress
from lib.retrieval.run import JudgedRanks, Run
from lib.retrieval.words import Language, words_of

Bm25Method = Literal["lucene", "robertson", "atire"]

BM25 = "BM25"
"""How its runs are called."""
_BLOCK = 100  # queries between two calls of a progress function
_COUNTED = 16  # judged documents of a query up to which ranks are counted one by one; above, everything is sorted


def bm25_search(
    queries: Sequence[str],
    documents: Sequence[str],
    k: int = 100,
    *,
    tie_order: NDArray[np.int64] | None = None,
    k1: float = 1.5,
    b: float = 0.75,
    method: Bm25Method = "lucene",
    language: Language | None = "english",
    progress: Progress | None = None,
) -> Run:
    """The first `k` of `documents` for each of `queries`; fewer where fewer share a word with it.

    Equal scores stand in the order of `tie_order` (n,), smaller first; without it, in the order given.
    `progress` is told texts done, queries and documents alike, and all of them.

    Raises:
        InputError: no document, k below 1, k1 below 0, b outside 0 to 1, an unknown method or language.
    """
    of = len(documents) + len(queries)
    index = Bm25Index(documents, k1=k1, b=b, method=method, language=language, progress=_part(progress, 0, of))
    return index.search(queries, k, tie_order=tie_order, progress=_part(progress, len(documents), of))


class Bm25Index:
    """Documents as BM25 sees them: for each word, the documents that hold it and what it is worth there."""

    def __init__(
        self,
        documents: Sequence[str],
        *,
        k1: float = 1.5,
        b: float = 0.75,
        method: Bm25Method = "lucene",
        language: Language | None = "english",
        progress: Progress | None = None,
    ) -> None:
        """Split and weigh `documents`; see `bm25_search` for the arguments.

        Raises:
            InputError: no document, or a setting out of its range.
        """
        import bm25s

        _check(len(documents), k1, b, method, language)
        started = time.perf_counter()
        words = words_of(documents, language=language, progress=progress)
        self.language = language
        """Whose stopwords and stems are used; None: neither."""
        self.documents = len(documents)
        """Documents, n."""
        self._model = bm25s.BM25(k1=k1, b=b, method=method, backend="numpy")
        self._words: dict[str, int] = {}
        if any(words):  # the library cannot index texts without any word
            self._model.index(words, create_empty_token=False, show_progress=False)
            self._words = self._model.vocab_dict
        self.seconds = time.perf_counter() - started
        """What building it took."""

    @property
    def bytes(self) -> int:
        """Bytes of the index: weights, document numbers, where each word's begin, and the words."""
        if not self._words:
            return 0
        arrays = (self._model.scores[part].nbytes for part in ("data", "indices", "indptr"))
        return int(sum(arrays)) + sum(len(word.encode("utf-8", "surrogatepass")) for word in self._words)

    def search(
        self,
        queries: Sequence[str],
        k: int = 100,
        *,
        tie_order: NDArray[np.int64] | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """The first `k` documents of each query, as `bm25_search` gives them.

        Raises:
            InputError: k below 1.
        """
        if k < 1:
            raise InputError(f"BM25 retrieves at least one document a query, got k = {k}.")
        k, ties = min(k, self.documents), self._ties(tie_order)
        documents = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for row, words in enumerate(words_of(queries, language=self.language)):
            scored, found = self._scores(words)
            first = _first(scored[found], ties[found], k)
            documents[row, : len(first)] = found[first]
            scores[row, : len(first)] = scored[found[first]]
            _tell(progress, row, len(queries))
        return Run(BM25, documents, scores, self.documents)

    def ranks(self, queries: QuerySet, *, progress: Progress | None = None) -> JudgedRanks:
        """Exact ranks of the judged documents, however deep; 0 for those that share no word with their query.

        Raises:
            ValueError: the set has other documents than the index.
        """
        if len(queries.documents) != self.documents:
            raise ValueError(f"The index has {self.documents} documents and the set {len(queries.documents)}")
        ties, rank = queries.tie_order, np.zeros(len(queries.judged_query), dtype=np.int64)
        starts = np.searchsorted(queries.judged_query, np.arange(len(queries.queries) + 1))
        for row, words in enumerate(words_of(queries.queries, language=self.language)):
            judged = queries.judged_document[starts[row] : starts[row + 1]]
            if len(judged):
                rank[starts[row] : starts[row + 1]] = _ranks_of(judged, *self._scores(words), ties)
            _tell(progress, row, len(queries.queries))
        return JudgedRanks(queries.judged_query, queries.relevance, rank, len(queries.queries))

    def _scores(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores of all documents, shape (n,), and the rows of those that share a word with the query."""
        known = [self._words[word] for word in words if word in self._words]
        shared = np.zeros(self.documents, dtype=bool)
        if not known:
            return np.zeros(self.documents, dtype=np.float32), np.flatnonzero(shared)
        index: dict[str, Any] = self._model.scores
        for word in set(known):
            shared[index["indices"][index["indptr"][word] : index["indptr"][word + 1]]] = True
        return self._model.get_scores_from_ids(known), np.flatnonzero(shared)

    def _ties(self, tie_order: NDArray[np.int64] | None) -> NDArray[np.int64]:
        if tie_order is None:
            return np.arange(self.documents)
        if len(tie_order) != self.documents:
            raise ValueError(f"tie_order should have {self.documents} places, got {len(tie_order)}")
        return tie_order


def _check(documents: int, k1: float, b: float, method: str, language: str | None) -> None:
    if not documents:
        raise InputError("BM25 needs at least one document, got none.")
    if not (np.isfinite(k1) and k1 >= 0 and 0 <= b <= 1):
        raise InputError(f"BM25 needs k1 of 0 or more and b between 0 and 1, got {k1} and {b}.")
    if method not in get_args(Bm25Method):
        raise InputError(f"BM25's method should be one of {', '.join(get_args(Bm25Method))}, got {method!r}.")
    if language is not None and language not in get_args(Language):
        raise InputError(f"BM25 knows the words of english, or of no language in particular (None), got {language!r}.")


def _first(scores: NDArray[np.float32], ties: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Positions of the `k` highest scores, highest first, equal ones by `ties`."""
    if len(scores) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= least)
    else:
        kept = np.arange(len(scores))
    return kept[np.lexsort((ties[kept], -scores[kept]))][:k]


def _ranks_of(
    judged: NDArray[np.int64], scores: NDArray[np.float32], found: NDArray[np.int64], ties: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rank of each judged document among those found, 0 where it is not among them."""
    own, before, here = scores[found], ties[found], np.isin(judged, found)
    if len(judged) > _COUNTED:
        place = np.zeros(len(scores), dtype=np.int64)
        place[found[np.lexsort((before, -own))]] = np.arange(1, len(found) + 1)
        return place[judged]
    ranks = [
        1 + int((own > scores[row]).sum()) + int((before[own == scores[row]] < ties[row]).sum()) if hit else 0
        for row, hit in zip(judged, here, strict=True)
    ]
    return np.array(ranks, dtype=np.int64)


def _tell(progress: Progress | None, row: int, of: int) -> None:
    if progress and ((row + 1) % _BLOCK == 0 or row + 1 == of):
        progress(row + 1, of)


def _part(progress: Progress | None, done: int, of: int) -> Progress | None:
    return None if progress is None else lambda now, _part_of: progress(done + now, of)
