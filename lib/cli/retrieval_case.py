"""What the sections of `python -m lib retrieval` start from: a query set in an encoder's space, and its evaluation."""

import argparse
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.cli.inputs import Source, progress
from lib.corpora import QuerySet
from lib.embeddings import Embeddings
from lib.retrieval import Bm25Index, Evaluation, JudgedRanks, Run, exact_ranks, search
from lib.retrieval.bm25 import BM25
from lib.retrieval.negatives import depth
from lib.retrieval.pairs import judged_scores, rescored
from lib.retrieval.words import Language

DEPTH = 100
"""Documents a query that a run holds unless more are asked for."""


@dataclass(frozen=True)
class Case:
    """A query set in an encoder's space."""

    chosen: argparse.Namespace
    """The options."""
    queries: QuerySet
    """Queries, documents and judgements."""
    source: Source
    """The encoder."""
    asked: Embeddings
    """The queries' embeddings."""
    documents: Embeddings
    """The documents' embeddings."""
    found: Evaluation
    """How well the encoder retrieves."""

    @property
    def vectors(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Embeddings of queries (q, d) and of documents (n, d)."""
        return self.asked.vectors, self.documents.vectors

    def run(self, k: int) -> Run:
        """The first k documents of each query, or more, by the measure that was chosen."""
        known = self.found.run
        if known.documents.shape[1] >= min(k, known.items):
            return known
        return search(
            *self.vectors, k, measure=self.chosen.measure, tie_order=self.queries.tie_order, system=known.system
        )

    @cached_property
    def ranks(self) -> JudgedRanks:
        """Where each judged document stands among all documents."""
        return exact_ranks(self.queries, self.found.run, *self.vectors, measure=self.chosen.measure)

    @cached_property
    def judged_scores(self) -> NDArray[np.float32]:
        """Score of every judgement's pair, shape (m,)."""
        return judged_scores(self.queries, *self.vectors, measure=self.chosen.measure)

    @cached_property
    def negative_run(self) -> Run:
        """The run that hard negatives are taken from: BM25's with the encoder's scores, or the encoder's own."""
        if self.chosen.negatives != BM25:
            return self.found.run
        queries = self.queries
        found = self.words.search(queries.queries, depth(queries), tie_order=queries.tie_order)
        return rescored(found, *self.vectors, measure=self.chosen.measure)

    @cached_property
    def words(self) -> Bm25Index:
        """The documents as BM25 sees them."""
        language: Language | None = "english" if self.chosen.bm25_words == "english" else None
        tell = progress("BM25 documents", doing="Indexing")
        return Bm25Index(self.queries.documents, language=language, progress=tell)

    @cached_property
    def word_ranks(self) -> JudgedRanks:
        """Where BM25 puts each judged document."""
        return self.words.ranks(self.queries, progress=progress("BM25 queries", doing="Searching"))
