"""Which column of a file of pairs holds what: guessed by name, since a wrong guess would measure something else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib.corpora.messages import fault, is_blank, listed, shown
from lib.corpora.queries.cells import cells_of, column_named, plain_column_name
from lib.corpora.table import Table
from lib.corpora.values import is_number_text

QUERY_NAMES = ("query", "queries", "question", "anchor", "search_query")
DOCUMENT_NAMES = (
    "document", "doc", "positive", "pos", "passage", "context", "text", "answer", "paragraph", "content",
)  # fmt: skip
GRADE_NAMES = ("relevance", "rel", "grade", "score", "rating", "judgement", "judgment")
TOPIC_NAMES = ("topic", "category", "subject", "domain")
QUERY_ID_NAMES = ("query_id", "qid", "queryid", "question_id")
DOCUMENT_ID_NAMES = ("document_id", "doc_id", "docid", "corpus_id", "passage_id", "pid")
_LABEL_NAMES = ("label", "labels")  # grades where they are numbers, topics where they are not
_NEGATIVES = re.compile(r"(hard_)?neg(ative)?s?(_(passage|document)s?)?(_?\d+)?")
MAX_TOPICS = 50


@dataclass(frozen=True)
class PairColumns:
    """The columns that the pairs are made of."""

    query: str
    """Column of the queries."""
    document: str
    """Column of the documents: a text, or a list of texts."""
    relevance: str | None = None
    """Column of the grades, or None: every pair has grade 1."""
    topic: str | None = None
    """Column of the queries' topics, or None."""
    query_id: str | None = None
    """Column of the queries' ids, or None: queries are told apart by their text."""
    document_id: str | None = None
    """Column of the documents' ids, or None: documents are told apart by their text."""
    negatives: tuple[str, ...] = ()
    """Columns of explicit negatives: a text, or a list of texts."""
    reason: str = field(default="", compare=False)
    """How they were guessed, a sentence; empty where they were given."""


def is_pairs(table: Table) -> bool:
    """Whether columns are named like a query and a document."""
    return column_named(table, QUERY_NAMES) is not None and column_named(table, DOCUMENT_NAMES) is not None


def has_ids(table: Table) -> bool:
    """Whether a column is named like an id."""
    return column_named(table, ("_id", "id", *QUERY_ID_NAMES, *DOCUMENT_ID_NAMES)) is not None


def guess_pair_columns(table: Table) -> PairColumns:
    """Guess by name which columns hold what.

    Raises:
        InputError: no column is named like a query or a document.
    """
    names = [str(column) for column in table.frame.columns]
    query, document = column_named(table, QUERY_NAMES), column_named(table, DOCUMENT_NAMES)
    if query is None or document is None:
        missing = "query and document" if query is document else "query" if query is None else "document"
        raise fault(
            table.name,
            f"no column is named {missing} (columns: {listed(names)}): expected pairs with columns query and document, "
            "or three files: corpus, queries, qrels.",
        )
    label = column_named(table, _LABEL_NAMES)
    is_grade = label is not None and _numbers(table, label)
    guess = PairColumns(
        query=query,
        document=document,
        relevance=column_named(table, GRADE_NAMES) or (label if is_grade else None),
        topic=column_named(table, TOPIC_NAMES) or (None if is_grade else label),
        query_id=column_named(table, QUERY_ID_NAMES),
        document_id=column_named(table, DOCUMENT_ID_NAMES),
        negatives=tuple(name for name in names if _NEGATIVES.fullmatch(plain_column_name(name))),
    )
    return PairColumns(**{**vars(guess), "reason": _reason(guess)})


def topic_columns(table: Table, used: Sequence[str | None]) -> tuple[str, ...]:
    """Columns that could tell topics: texts or whole numbers that repeat, 2 to 50 different ones."""
    names = [str(column) for column in table.frame.columns if column not in used]
    return tuple(name for name in names if _groups(table, name))


def guess_topic(table: Table, used: Sequence[str | None]) -> str | None:
    """The column that is named like a topic, or None; `label` counts where it holds text."""
    label = column_named(table, _LABEL_NAMES)
    found = column_named(table, TOPIC_NAMES) or (label if label and not _numbers(table, label) else None)
    return None if found in used else found


def _groups(table: Table, name: str) -> bool:
    present = [cell for cell in cells_of(table, name) if not is_blank(cell)]
    if not all(isinstance(cell, str | int) for cell in present):
        return False
    different = len(set(present))
    return 2 <= different <= MAX_TOPICS and len(present) >= 2 * different


def _numbers(table: Table, name: str) -> bool:
    present = [cell for cell in cells_of(table, name) if not is_blank(cell)]
    return bool(present) and all(isinstance(cell, int | float) or is_number_text(cell) for cell in present)


def _reason(guess: PairColumns) -> str:
    said = [("queries", guess.query), ("documents", guess.document), ("relevance", guess.relevance)]
    said += [("topics", guess.topic), ("query ids", guess.query_id), ("document ids", guess.document_id)]
    said += [("explicit negatives", name) for name in guess.negatives]
    parts = [f"{what} from {shown(name)}" for what, name in said if name is not None]
    return f"Guessed by name: {', '.join(parts)}{'' if guess.relevance else '; every pair is relevant (1)'}."
