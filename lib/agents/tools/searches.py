"""Tools that search: the texts closest to a query."""

from typing import Annotated, Literal

from pydantic import Field

from lib.agents.answers import Answer, Row, clipped
from lib.agents.arguments import CorpusName, EncoderName, Limit, Text
from lib.agents.desk import Desk
from lib.encoders import PACKAGED
from lib.numerals import count
from lib.retrieval import (
    bm25_search,
)
from lib.retrieval import search as search_of


class Hit(Row):
    """A text that was found."""

    rank: int
    id: str
    text: str
    label: str | None
    score: float


class SearchAnswer(Answer):
    """The texts that answer a query best."""

    query: str
    by: str
    hits: list[Hit]
    searched: int


def search(
    desk: Desk,
    query: Text,
    corpus: CorpusName = "sample:topics",
    encoder: EncoderName = PACKAGED,
    by: Annotated[
        Literal["meaning", "words"], Field(description="meaning: the encoder's cosine; words: BM25.")
    ] = "meaning",
    limit: Limit = 10,
) -> SearchAnswer:
    """Search a corpus: the texts closest to a query, by the encoder's vectors or by BM25."""
    read = desk.bench.corpus(corpus, fewest=1)
    if by == "words":
        run = bm25_search([query], read.texts, limit, progress=desk.tells("Indexing"))
    else:
        checkpoint = desk.bench.checkpoint(encoder)
        documents = desk.bench.embed(read.texts, checkpoint, tell=desk.tells("Encoding"))
        asked = desk.bench.encoder(checkpoint).encode([query], role="query").vectors
        run = search_of(asked, documents.vectors, min(limit, len(read)))
    hits = [
        Hit(
            rank=rank,
            id=read.ids[row],
            text=clipped(read.texts[row]),
            label=None if read.labels is None else read.labels[row],
            score=float(score),
        )
        for rank, (row, score) in enumerate(zip(run.documents[0].tolist(), run.scores[0], strict=True), 1)
        if row >= 0
    ]
    first = f"The closest is {hits[0].id} ({hits[0].score:.3f})." if hits else "Nothing holds any of its words."
    return SearchAnswer(
        says=f"{first} {count(len(read))} texts searched.", query=query, by=by, hits=hits, searched=len(read)
    )
