"""One file of pairs: a query, a document, and how relevant it is; rows with the same query or document merge."""

from lib.corpora.limits import Limits
from lib.corpora.messages import fault, is_blank, shown
from lib.corpora.queries.cells import Cell, cells_of, grade_of, ids_of, text_of, texts_of
from lib.corpora.queries.columns import PairColumns, guess_pair_columns
from lib.corpora.queries.query_set import QuerySet
from lib.corpora.queries.rows import Judgements, Texts, make_query_set, many
from lib.corpora.table import Table


def build_pairs(table: Table, columns: PairColumns | None = None, *, limits: Limits | None = None) -> QuerySet:
    """Make a query set of the chosen (else guessed) columns.

    A row with a query alone adds a query without a judgement; one with a document alone adds a document that no query
    was judged against. A pair without a relevance is relevant (1). Explicit negatives have relevance 0.

    Raises:
        InputError: a column that is not there, a cell of the wrong kind (with its line), an id with two texts, a pair
            with two grades, or no relevant document at all.
    """
    columns = columns or guess_pair_columns(table)
    _check(table, columns)
    rows = _Rows(table, columns, limits or Limits())
    for row in range(len(table)):
        rows.read(row)
    judged, repeated = rows.judged.settle(rows.queries, rows.documents)
    notices = [*table.notices, *rows.notices()]
    if repeated:
        notices.append(f"{many(repeated, 'judgement')} merged with an equal one of the same pair.")
    texts = (rows.queries, rows.documents)
    return make_query_set(table.name, texts, judged, rows.topics, notices)


def _check(table: Table, columns: PairColumns) -> None:
    used: dict[str, str] = {}
    given = [(what, getattr(columns, what)) for what in ("query", "document", "relevance")]
    for what, column in [*given, *(("negative", name) for name in columns.negatives)]:
        if column is not None and used.setdefault(column, what) != what:
            said = f"column {shown(column)} is chosen as {used[column]} and as {what}: choose two columns."
            raise fault(table.name, said)


class _Rows:
    """What has been read so far."""

    def __init__(self, table: Table, columns: PairColumns, limits: Limits) -> None:
        self.table, self.columns, self.limits = table, columns, limits
        self.queries, self.documents = Texts("query"), Texts("document")
        self.judged = Judgements(table.place, table.name)
        self.topics: list[str | None] = []
        self._empty = self._ungraded = 0
        self._torn: set[int] = set()  # queries with several topics
        self._query, self._document = cells_of(table, columns.query), cells_of(table, columns.document)
        self._grade = cells_of(table, columns.relevance)
        self._negatives = [(name, cells_of(table, name)) for name in columns.negatives]
        self._topic = ids_of(table, columns.topic, "a topic")
        self._query_id, self._document_id = ids_of(table, columns.query_id), ids_of(table, columns.document_id)

    def read(self, row: int) -> None:
        """Read one row."""
        query = self._read_query(row)
        documents = self._read_documents(row)
        negatives = self._read_negatives(row)
        grade = grade_of(self._grade[row], self._cell(self.columns.relevance, row)) if documents else None
        if query is None and not documents and not negatives:
            self._empty += 1
        if query is None and (grade is not None or negatives):
            what = "a relevance" if grade is not None else "a negative"
            raise self._cell(self.columns.query, row).fault(f"{what} without a query: fill the query in.")
        if query is None:
            return
        if not documents and not is_blank(self._grade[row]):
            raise self._cell(self.columns.document, row).fault("a relevance without a document: fill the document in.")
        self._ungraded += bool(documents) and grade is None and self.columns.relevance is not None
        line = int(self.table.lines[row])
        for document in documents:
            self.judged.add(query, document, 1 if grade is None else grade, line)
        for document in negatives:
            self.judged.add(query, document, 0, line)

    def notices(self) -> list[str]:
        """What there is to say of the rows."""
        said = []
        if self._empty:
            said.append(f"{many(self._empty, 'row')} without a query and a document left out.")
        if self._ungraded:
            said.append(f"{many(self._ungraded, 'pair')} without a relevance: taken as relevant (1).")
        if self._torn:
            torn = many(len(self._torn), "query has", "queries have")
            said.append(f"{torn} different topics in different rows: the first is kept.")
        return said

    def _read_query(self, row: int) -> int | None:
        cell = self._cell(self.columns.query, row)
        text = text_of(self._query[row], cell, self.limits)
        given = self._id(text, self._query_id[row], self.columns.query_id, row, "query")
        if text is None:
            return None
        at = self.queries.row(text, cell, given)
        topic = self._topic[row]
        if at == len(self.topics):
            self.topics.append(topic)
        elif topic is not None and topic != self.topics[at]:
            if self.topics[at] is not None:
                self._torn.add(at)
            self.topics[at] = self.topics[at] or topic
        return at

    def _read_documents(self, row: int) -> list[int]:
        cell = self._cell(self.columns.document, row)
        texts = list(texts_of(self._document[row], cell, self.limits))
        if len(texts) > 1 and self.columns.document_id is not None:
            raise cell.fault(
                f"{len(texts)} texts with one id: write one document a row, or choose no column of document ids."
            )
        given = self._id(texts[0] if texts else None, self._document_id[row], self.columns.document_id, row, "document")
        return [self.documents.row(text, cell, given) for text in texts]

    def _read_negatives(self, row: int) -> list[int]:
        found: list[int] = []
        for name, cells in self._negatives:
            cell = self._cell(name, row)
            for text in texts_of(cells[row], cell, self.limits, as_json=True):
                if self.columns.document_id is not None:
                    raise cell.fault(
                        "explicit negatives have no ids, but the documents have: write each negative on a row of its "
                        "own with relevance 0, or choose no column of document ids."
                    )
                found.append(self.documents.row(text, cell))
        return found

    def _id(self, text: str | None, given: str | None, column: str | None, row: int, kind: str) -> str | None:
        if column is None or (text is None) == (given is None):
            return given
        if given is None:
            raise self._cell(column, row).fault(
                f"the {kind} id is missing: fill it in, or choose no column of {kind} ids."
            )
        raise self._cell(column, row).fault(f"the {kind} id {shown(given)} stands without its {kind}: fill it in.")

    def _cell(self, column: str | None, row: int) -> Cell:
        return Cell(self.table, column or "", row)
