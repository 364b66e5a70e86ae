"""Late interaction: every token keeps its vector, and a query meets a document token by token.

MaxSim (Khattab and Zaharia 2020, arXiv:2004.12832): score(q, d) = sum over the tokens i of the query of
max over the tokens j of the document of q_i . d_j, with rows of length 1. Token vectors of an encoder that was not
trained for this are used as they are: what comes out shows what its tokens hold, not what a trained one could do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.encoders import Role, TokenBatch, TokenEncoder, TokenVectors
from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.retrieval.reranking import Reranked, candidates, reorder
from lib.retrieval.run import Run

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MaxSim(Result):
    """The meeting of one query's tokens with one document's."""

    grid: NDArray[np.float32]
    """Similarity of each query token (rows) to each document token (columns), shape (a, b); cosine for unit rows."""
    best: NDArray[np.int64]
    """Column of each query token's most similar document token, shape (a,), the first of equals; -1 where b = 0."""
    best_similarity: NDArray[np.float32]
    """Its similarity, shape (a,); -1, the least there is, where the document has no token."""
    score: float
    """Their sum: MaxSim, from -a to a for unit rows, higher is closer; 0 for a query without tokens. Comparable
    between documents for one query, not between queries: it grows with the number of query tokens."""
    mean: float
    """The score divided by a, comparable between queries; 0 where a = 0."""


@dataclass(frozen=True, eq=False)
class LateRerank(Result):
    """A run whose first documents were put in the order of MaxSim, and what that took."""

    reranked: Reranked
    """The new run, beside what was reranked."""
    special: bool
    """Whether special tokens and those of the prompt took part."""
    documents: int
    """Different documents that were scored; each text was encoded once."""
    query_tokens: float
    """Tokens that take part, a query, on average."""
    document_tokens: float
    """Tokens that take part, a document, on average: the vectors that an index would keep for it."""
    dimensions: int
    """Length of a token vector."""
    bytes_per_document: float
    """What they take in float32, a document, on average; a single vector takes 4 x dimensions."""
    truncated: int
    """Documents that were cut at the maximum length."""
    seconds: float
    """Time it took, encoding included."""

    @property
    def run(self) -> Run:
        """The new run."""
        return self.reranked.run


def maxsim(
    query_tokens: NDArray[np.floating], document_tokens: NDArray[np.floating], *, normalise: bool = True
) -> MaxSim:
    """Score one query's token vectors, shape (a, d), against one document's, shape (b, d).

    Rows are brought to length 1 first (zero rows stay), unless `normalise` is False.

    Raises:
        InputError: not two tables of the same width.
    """
    if query_tokens.ndim != 2 or document_tokens.ndim != 2 or query_tokens.shape[1] != document_tokens.shape[1]:
        raise InputError(
            "MaxSim needs token vectors of one width, as (tokens, dimensions) for query and document, got shapes "
            f"{query_tokens.shape} and {document_tokens.shape}."
        )
    a, b = len(query_tokens), len(document_tokens)
    query, document = (unit(side) if normalise else side for side in (query_tokens, document_tokens))
    grid = (query @ document.T).astype(np.float32)
    best = grid.argmax(axis=1).astype(np.int64) if b else np.full(a, -1, dtype=np.int64)
    similarity = grid[np.arange(a), best] if b else np.full(a, -1, dtype=np.float32)
    score = float(similarity.sum(dtype=np.float64))
    return MaxSim(grid, best, similarity, score, score / a if a else 0.0)


def maxsim_rerank(
    queries: QuerySet,
    run: Run,
    encoder: TokenEncoder,
    *,
    top: int = 100,
    special: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> LateRerank:
    """Put the first `top` documents of each query in the order of MaxSim; equal scores by `QuerySet.tie_order`.

    The token vectors of all queries are in memory, those of the documents one batch at a time, each document once.
    With `top` as large as the set this is a full search by MaxSim. `special` lets special tokens ([CLS], [SEP],
    markers, query expansion) and those of the prompt take part; checkpoints of late interaction were trained with them.

    Raises:
        InputError: `top` below 1, a run without documents, or what the encoder says of the texts.
        Stopped: `should_stop` said so.
    """
    began = time.perf_counter()
    rows = np.arange(len(queries.queries))
    asker, document = candidates(queries, run, top=top, rows=rows)
    if not len(document):
        raise InputError("The run holds no document, so there is nothing to rerank: search first.")
    tokens, starts = _query_tokens(queries, encoder, special=special, should_stop=should_stop)
    needed, place = np.unique(document, return_inverse=True)
    texts = tuple(queries.documents[row] for row in needed)
    made = encoder.token_states(texts, role="document", progress=progress, should_stop=should_stop)
    scored = _score_all(made, texts, (asker, place), (tokens, starts), special=special)
    top = min(top, run.documents.shape[1])
    table = np.full((len(rows), top), -np.inf, dtype=np.float32)
    table[run.documents[:, :top] >= 0] = scored.scores
    order = reorder(queries, run, table, system=f"{run.system} + MaxSim")
    kept, width = float(scored.tokens.mean()), tokens.shape[1]
    return LateRerank(
        reranked=Reranked(order, "MaxSim", top, rows, len(place), int(scored.cut[place].sum()), seconds_per_query=None),
        special=special,
        documents=len(needed),
        query_tokens=float(np.diff(starts).mean()),
        document_tokens=kept,
        dimensions=width,
        bytes_per_document=kept * width * 4,
        truncated=int(scored.cut.sum()),
        seconds=time.perf_counter() - began,
    )


def tokens_of(encoder: TokenEncoder, text: str, *, role: Role) -> TokenVectors:
    """The token vectors of one text."""
    return next(iter(encoder.token_states([text], role=role))).texts[0]


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows with length 1; zero rows stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _query_tokens(
    queries: QuerySet, encoder: TokenEncoder, *, special: bool, should_stop: Callable[[], bool] | None
) -> tuple[NDArray[np.float32], Rows]:
    """All queries' token vectors in one table, and where each query's begin and end, shape (q + 1,)."""
    kept: list[NDArray[np.float32]] = [np.zeros((0, 0), dtype=np.float32)] * len(queries.queries)
    for batch in encoder.token_states(queries.queries, role="query", should_stop=should_stop):
        for row, text in zip(batch.rows, batch.texts, strict=True):
            kept[row] = text.vectors[text.scored(special=special)]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in kept])]).astype(np.int64)
    return np.concatenate(kept), starts


@dataclass(frozen=True)
class _Scored:
    scores: NDArray[np.float32]
    """Of each pair, shape (p,)."""
    tokens: NDArray[np.float64]
    """Tokens of each document that took part, shape (m,)."""
    cut: NDArray[np.bool_]
    """Whether it was cut, shape (m,)."""


def _score_all(
    batches: Iterator[TokenBatch],
    texts: tuple[str, ...],
    pairs: tuple[Rows, Rows],
    asked: tuple[NDArray[np.float32], Rows],
    *,
    special: bool,
) -> _Scored:
    """Score each pair, given as rows of queries and places in `texts`, while the m texts come by in batches.

    The pairs of equal texts are scored in one go, so that they get equal scores.
    """
    asker, place = pairs
    numbers: dict[str, int] = {}
    text_of = np.array([numbers.setdefault(text, len(numbers)) for text in texts])
    pairs_of = np.split(np.argsort(text_of[place], kind="stable"), np.cumsum(np.bincount(text_of[place]))[:-1])
    scores, tokens, cut = np.zeros(len(place), dtype=np.float32), np.zeros(len(texts)), np.zeros(len(texts), dtype=bool)
    for batch in batches:
        for row, text in zip(batch.rows, batch.texts, strict=True):
            chosen = text.vectors[text.scored(special=special)]
            tokens[row], cut[row] = len(chosen), text.truncated
            if numbers.pop(texts[row], None) is None:
                continue  # an equal text came before
            here = pairs_of[text_of[row]]
            askers, back = np.unique(asker[here], return_inverse=True)
            scores[here] = _scores(*asked, askers, chosen)[back]
    return _Scored(scores, tokens, cut)


def _scores(
    tokens: NDArray[np.float32], starts: Rows, asked: Rows, document: NDArray[np.float32]
) -> NDArray[np.float32]:
    """MaxSim of one document with the queries `asked`, shape (p,)."""
    lengths = starts[asked + 1] - starts[asked]
    if not len(document):
        return -lengths.astype(np.float32)
    rows = np.concatenate([np.arange(starts[query], starts[query + 1]) for query in asked])
    best = (tokens[rows] @ document.T).max(axis=1).astype(np.float64)
    owner = np.repeat(np.arange(len(asked)), lengths)
    return np.bincount(owner, best, minlength=len(asked)).astype(np.float32)
