"""Rows to a query set: texts are told apart, judgements are gathered, and contradictions are named."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lib.corpora.messages import fault, shown
from lib.corpora.queries.cells import Cell
from lib.corpora.queries.query_set import QuerySet


class Texts:
    """Different texts in the order in which they come: told apart by their ids where those are given, else by text."""

    def __init__(self, kind: str) -> None:
        """`kind` is what messages call one: `query` or `document`; ids that are not given are q1, q2 ... or d1 ..."""
        self.kind = kind
        self.texts: list[str] = []
        self._rows: dict[str, int] = {}  # by id, or by text
        self._lines: list[int] = []
        self._by_id = False

    def row(self, text: str, cell: Cell, given: str | None = None) -> int:
        """The row of a text, which is added if it is new; `given` is its id.

        Raises:
            InputError: the id stands for another text already.
        """
        self._by_id = self._by_id or given is not None
        key = text if given is None else given
        row = self._rows.setdefault(key, len(self.texts))
        if row == len(self.texts):
            self.texts.append(text)
            self._lines.append(cell.line)
        elif given is not None and self.texts[row] != text:
            raise cell.fault(
                f"the {self.kind} id {shown(given)} stands for another text on {cell.table.place} "
                f"{self._lines[row]}: give every {self.kind} an id of its own."
            )
        return row

    def find(self, given: str) -> int | None:
        """The row of the text with this id."""
        return self._rows.get(given)

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(self._rows) if self._by_id else tuple(f"{self.kind[0]}{i + 1}" for i in range(len(self.texts)))

    @property
    def repeated(self) -> int:
        """Texts that stand there already under another id."""
        return len(self.texts) - len(set(self.texts))


@dataclass
class Judgements:
    """Judgements as they come, in any order; `settle` orders them."""

    place: str
    """What `line` counts: `line` or `row`."""
    name: str
    """The file that they stand in."""
    query: list[int] = field(default_factory=list)
    """Rows of the queries."""
    document: list[int] = field(default_factory=list)
    """Rows of the documents."""
    grade: list[int] = field(default_factory=list)
    """Grades."""
    line: list[int] = field(default_factory=list)
    """Lines."""

    def add(self, query: int, document: int, grade: int, line: int) -> None:
        """Add one."""
        self.query.append(query)
        self.document.append(document)
        self.grade.append(grade)
        self.line.append(line)

    def settle(self, queries: Texts, documents: Texts) -> tuple[NDArray[np.int64], int]:
        """Rows of query, document and grade, shape (3, m), ordered, none twice; and how many said it again.

        Raises:
            InputError: one pair has two grades (with both lines).
        """
        columns = (self.query, self.document, self.grade, self.line)
        query, document, grade, line = (np.asarray(column, dtype=np.int64) for column in columns)
        order = np.lexsort((line, document, query))
        rows = np.stack([query, document, grade])[:, order]
        again = np.zeros(len(order), dtype=bool)
        again[1:] = (rows[:2, 1:] == rows[:2, :-1]).all(axis=0)
        differs = np.flatnonzero(again[1:] & (rows[2, 1:] != rows[2, :-1])) + 1
        if len(differs):
            later = differs[np.argmin(line[order][differs])]
            self._refuse(rows[:, later - 1], rows[2, later], line[order][[later - 1, later]], (queries, documents))
        return rows[:, ~again], int(again.sum())

    def _refuse(self, row: NDArray[np.int64], later: int, lines: NDArray[np.int64], texts: tuple[Texts, Texts]) -> None:
        query, document = (known.texts[at] for known, at in zip(texts, row[:2], strict=True))
        first = f"on {self.place} {lines[0]}" if lines[0] != lines[1] else f"on the same {self.place}"
        negative = " (0 is an explicit negative)" if 0 in (row[2], later) else ""
        raise fault(
            self.name,
            f"query {shown(query)} and document {shown(document)} have relevance {later} here and {row[2]} {first}"
            f"{negative}: keep one of the two.",
            line=int(lines[1]),
            place=self.place,
        )


def make_query_set(
    name: str,
    texts: tuple[Texts, Texts],
    judged: NDArray[np.int64],
    topics: list[str | None],
    notices: list[str],
) -> QuerySet:
    """Put queries and documents, judgements of shape (3, m), one topic a query, and what there is to say together.

    Raises:
        InputError: no judgement is above 0.
    """
    queries, documents = texts
    if not (judged[2] > 0).any():
        raise fault(
            name,
            "no document is relevant to any query (no relevance above 0), so that nothing can be measured: expected "
            "at least one.",
        )
    return QuerySet(
        name=name,
        queries=tuple(queries.texts),
        query_ids=queries.ids,
        documents=tuple(documents.texts),
        document_ids=documents.ids,
        judged_query=judged[0],
        judged_document=judged[1],
        relevance=judged[2],
        topics=tuple(topics) if any(topic is not None for topic in topics) else None,
        notices=(*notices, *_repeated(texts), *_without_relevant(judged, len(topics))),
    )


def _repeated(texts: tuple[Texts, Texts]) -> list[str]:
    plural = {"query": "queries", "document": "documents"}
    return [
        f"{many(known.repeated, known.kind, plural[known.kind])} with the text of an earlier one under another id: "
        "kept apart."
        for known in texts
        if known.repeated
    ]


def _without_relevant(judgements: NDArray[np.int64], queries: int) -> list[str]:
    judged = np.bincount(judgements[0], minlength=queries) > 0
    none = np.bincount(judgements[0][judgements[2] > 0], minlength=queries) == 0
    said = []
    for count, why in ((int((none & judged).sum()), "relevant document"), (int((none & ~judged).sum()), "judgement")):
        if count:
            said.append(
                f"{many(count, 'query', 'queries')} without a {why}: kept, and left out of the means as trec_eval does."
            )
    return said


def many(count: int, one: str, more: str | None = None) -> str:
    """A number with its noun: `1 query`, `1,200 queries`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
