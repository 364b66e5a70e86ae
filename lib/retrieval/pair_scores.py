"""Pair scores: what a scorer said of pairs of a query and a document of one set, so that no pair is scored twice.

Scoring pairs is slow and may be stopped at any moment. What is scored is kept, within a bound: going on, or reranking
deeper, scores only what is missing. Documents (and queries) with the same text share their scores, so that they tie.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress

if TYPE_CHECKING:
    from lib.encoders.cross_encoder import ScoredBatch

Rows = NDArray[np.int64]

MOST_PAIRS = 2_000_000
"""Pairs whose scores are kept: 34 MB."""


class PairScorer(Protocol):
    """Whatever scores pairs of texts, batch by batch; a cross-encoder."""

    @property
    def name(self) -> str:
        """As shown."""

    def stream(
        self, pairs: Sequence[tuple[str, str]], *, should_stop: Callable[[], bool] | None = None
    ) -> Iterator["ScoredBatch"]:
        """Scores of all pairs, in any order."""


class PairScores:
    """Known scores of the pairs of one query set by one scorer. Threads may share it."""

    def __init__(self, queries: QuerySet, scorer: str, *, most: int = MOST_PAIRS) -> None:
        """Begin with none of the scorer of that name; beyond `most` the earliest are forgotten."""
        self.queries, self.scorer, self.most = queries, scorer, most
        self.seconds, self.timed = 0.0, 0
        self._first_query, self._first_document = _first_rows(queries.queries), _first_rows(queries.documents)
        self._places = np.zeros(0, dtype=np.int64)  # ascending
        self._logits = np.zeros(0, dtype=np.float32)
        self._truncated = np.zeros(0, dtype=bool)
        self._ages = np.zeros(0, dtype=np.int64)
        self._waiting: list[tuple[Rows, NDArray[np.float32], NDArray[np.bool_]]] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Distinct pairs of texts that are known."""
        with self._lock:
            self._settle()
            return len(self._places)

    @property
    def seconds_per_pair(self) -> float | None:
        """Mean over all that was scored since this began; None before anything was."""
        return self.seconds / self.timed if self.timed else None

    def find(self, queries: Rows, documents: Rows) -> NDArray[np.float32]:
        """Raw scores of the pairs of these rows, shape (m,), higher is better; NaN where a pair is not known."""
        return self._look_up(queries, documents)[0]

    def truncated(self, queries: Rows, documents: Rows) -> NDArray[np.bool_]:
        """Whether each of these pairs was cut when it was read, shape (m,); False where a pair is not known."""
        return self._look_up(queries, documents)[1]

    def missing(self, queries: Rows, documents: Rows) -> tuple[Rows, Rows]:
        """Those of these pairs that have to be scored, each text pair once: rows of queries and of documents, (p,)."""
        places = self._place(queries, documents)
        unknown = np.unique(places[np.isnan(self.find(queries, documents))])
        n = max(len(self.queries.documents), 1)
        return unknown // n, unknown % n

    def score(
        self,
        queries: Rows,
        documents: Rows,
        scorer: PairScorer,
        *,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """Have `scorer` score what is missing of the pairs of these rows; `progress` hears of those alone.

        Every batch is kept before anything else happens, so a stop loses at most the batch that runs.

        Raises:
            InputError: more pairs than are kept, or what the scorer refuses.
            Stopped: `should_stop` said so.
        """
        if len(queries) > self.most:
            raise InputError(
                f"{len(queries):,} pairs would have to be scored and {self.most:,} are kept at most; rerank fewer "
                "documents or fewer queries."
            )
        asked, read = self.missing(queries, documents)
        texts = [(self.queries.queries[q], self.queries.documents[d]) for q, d in zip(asked, read, strict=True)]
        if not texts:
            return
        if progress:
            progress(0, len(texts))
        done, since = 0, time.perf_counter()
        for batch in scorer.stream(texts, should_stop=should_stop):
            now = time.perf_counter()
            self._keep(self._place(asked[batch.items], read[batch.items]), batch, now - since)
            done += len(batch.items)
            if progress:
                progress(done, len(texts))
            since = time.perf_counter()

    def _keep(self, places: Rows, batch: "ScoredBatch", seconds: float) -> None:
        with self._lock:
            self._waiting.append((places, batch.logits, batch.truncated))
            self.seconds += seconds
            self.timed += len(places)

    def _place(self, queries: Rows, documents: Rows) -> Rows:
        return self._first_query[queries] * max(len(self._first_document), 1) + self._first_document[documents]

    def _look_up(self, queries: Rows, documents: Rows) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        places = self._place(queries, documents)
        with self._lock:
            self._settle()
            if not len(self._places):
                return np.full(len(places), np.nan, dtype=np.float32), np.zeros(len(places), dtype=bool)
            at = np.minimum(np.searchsorted(self._places, places), len(self._places) - 1)
            known = self._places[at] == places
            return np.where(known, self._logits[at], np.float32(np.nan)), known & self._truncated[at]

    def _settle(self) -> None:
        """Sort in what was scored since the last look."""
        if not self._waiting:
            return
        places, logits, truncated = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting.clear()
        first = int(self._ages.max(initial=-1)) + 1
        ages = np.concatenate([self._ages, np.arange(first, first + len(places))])
        places, logits = np.concatenate([self._places, places]), np.concatenate([self._logits, logits])
        truncated = np.concatenate([self._truncated, truncated])
        order = np.lexsort((-ages, places))  # of a pair scored twice at once, the later
        order = order[np.concatenate([[True], np.diff(places[order]) > 0])]
        if len(order) > self.most:
            order = order[ages[order] >= np.sort(ages[order])[-self.most]]
        self._places, self._logits, self._truncated = places[order], logits[order], truncated[order]
        self._ages = ages[order]


def _first_rows(texts: Sequence[str]) -> Rows:
    """For each text, the first row that has it, shape (n,)."""
    first: dict[str, int] = {}
    return np.fromiter((first.setdefault(text, row) for row, text in enumerate(texts)), np.int64, len(texts))
