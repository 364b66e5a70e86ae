"""Examples: pairs of texts that belong together, their negatives, and the queries that are held out to judge by."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.corpora.corpus import hash_texts
from lib.results import Result, to_json

RELEVANT_FROM = 0.5
"""Score from which a pair counts as one that belongs together, for the losses that know no scores."""


def folded(text: str) -> str:
    """A text as it is told apart from others: without regard to case and to white space."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, eq=False)
class Examples(Result):
    """n examples: an anchor (what asks), a positive (what answers it), and negatives (what does not)."""

    name: str
    """What they are called on screen; not part of `key`."""
    anchors: tuple[str, ...] = field(repr=False)
    """The n anchors; one that has several positives stands once for each."""
    positives: tuple[str, ...] = field(repr=False)
    """The n positives."""
    negatives: tuple[tuple[str, ...], ...] = field(repr=False)
    """Negatives of each example, n tuples: as many as were given, equally many each in `TrainingData.train`."""
    groups: NDArray[np.int64] = field(repr=False)
    """Query group of each example, shape (n,), from 0: the same where anchors are, but for case and white space."""
    scores: NDArray[np.float64] | None = field(default=None, repr=False)
    """How similar anchor and positive should be, shape (n,), -1 to 1; None where none is given: all belong together."""
    given: int = 0
    """Negatives that each pair is to have since the pairs of the file bring as many along; 0 where none are, or where
    a query set's judgements tell them: then as many are used as are asked for."""
    notices: tuple[str, ...] = ()
    """Sentences that their reader should see."""

    def __post_init__(self) -> None:
        n = len(self.anchors)
        for what, held in (
            ("positives", self.positives),
            ("negatives", self.negatives),
            ("groups", self.groups),
            ("scores", self.scores),
        ):
            if held is not None and len(held) != n:
                raise ValueError(f"{what} should be {n}, got {len(held)}")

    def __len__(self) -> int:
        return len(self.anchors)

    @property
    def width(self) -> int:
        """Negatives of the example that has the most."""
        return max((len(row) for row in self.negatives), default=0)

    @property
    def queries(self) -> int:
        """Query groups among the examples."""
        return len(np.unique(self.groups))

    @cached_property
    def related(self) -> NDArray[np.bool_]:
        """Whether anchor and positive belong together, shape (n,): no score is given, or one of `RELEVANT_FROM` up."""
        return np.ones(len(self), dtype=bool) if self.scores is None else self.scores >= RELEVANT_FROM

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything but the name and the notices, as 64 hexadecimal digits."""
        digest = hashlib.sha256(b"embedscope examples 1")
        for texts in (self.anchors, self.positives):
            hash_texts(digest, texts)
        digest.update(np.array([len(row) for row in self.negatives], dtype="<i8").data)
        hash_texts(digest, [text for row in self.negatives for text in row])
        if self.scores is not None:
            digest.update(np.ascontiguousarray(self.scores, dtype="<f8").data)
        return digest.hexdigest()

    def select(self, rows: NDArray[np.int64]) -> "Examples":
        """The examples at these rows, in their order; groups keep their numbers."""
        return Examples(
            name=self.name,
            anchors=tuple(self.anchors[row] for row in rows),
            positives=tuple(self.positives[row] for row in rows),
            negatives=tuple(self.negatives[row] for row in rows),
            groups=self.groups[rows],
            scores=None if self.scores is None else self.scores[rows],
            given=self.given,
            notices=self.notices,
        )

    def to_dict(self) -> dict[str, Any]:
        """What they are and how many, without their texts."""
        return {
            "name": self.name,
            "key": self.key,
            "examples": len(self),
            "queries": self.queries,
            "negatives_each": dict(sorted(Counter(len(row) for row in self.negatives).items())),
            "scores": self.scores is not None,
            "notices": list(self.notices),
        }


@dataclass(frozen=True)
class Mined(Result):
    """Where the negatives of the training examples came from."""

    method: str
    """`none`, `given`, `bm25` or `encoder`."""
    each: int
    """Negatives of every example."""
    margin: float | None
    """Share of the positive's cosine by which a negative has to stay below it; None where none is asked for."""
    given: int
    """Negatives that came with the data: columns of the file, or documents judged not relevant."""
    mined: int
    """Negatives that were mined."""
    drawn: int
    """Negatives drawn at random among the documents, where too few were given or found."""
    suspicious: int
    """Documents, over all queries, that were not taken because their cosine is within the margin of the positive's:
    they may be relevant. 0 where there is no margin."""
    suspicious_queries: int
    """Queries that have such a document."""
    left_out: int
    """Examples left out because no document is left to be their negative."""


@dataclass(frozen=True, eq=False)
class TrainingData(Result):
    """What is trained on and what is held out, with no text of the one side that answers a query of the other."""

    name: str
    """What the data is called on screen; not part of `key`."""
    train: Examples
    """What is trained on; once prepared, each example has equally many negatives."""
    validation: QuerySet | None
    """Queries held out, over all documents; None where none are."""
    pool: tuple[str, ...] = field(repr=False)
    """Documents that may serve as negatives: all but those that answer a query held out, none twice."""
    counts: dict[str, int]
    """`examples` and `queries` trained on, `validation_queries` held out, `documents` of the data, `pool`."""
    left_out: dict[str, int]
    """What is not used, by reason; reasons that did not come up are not there."""
    share: float
    """Share of the queries that was to be held out."""
    seed: int
    """Of the split and of what is drawn."""
    mined: Mined | None = None
    """Where the negatives came from; None until they are added."""
    notices: tuple[str, ...] = ()
    """Sentences that its reader should see."""

    @cached_property
    def key(self) -> str:
        """SHA-256 of the examples and of the queries held out, as 64 hexadecimal digits."""
        digest = hashlib.sha256(b"embedscope training data 1" + self.train.key.encode())
        digest.update(b"" if self.validation is None else self.validation.key.encode())
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """What it is and how much of it, without its texts."""
        return {
            "name": self.name,
            "key": self.key,
            "train": self.train.to_dict(),
            "validation": None if self.validation is None else _told(self.validation),
            "counts": self.counts,
            "left_out": self.left_out,
            "share": self.share,
            "seed": self.seed,
            "mined": to_json(self.mined),
            "notices": list(self.notices),
        }


def _told(queries: QuerySet) -> dict[str, Any]:
    return {
        "name": queries.name,
        "key": queries.key,
        "queries": len(queries.queries),
        "documents": len(queries.documents),
        "judgements": len(queries.relevance),
    }
