"""Examples of a query set, and the query set of examples: the two forms in which training data comes."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.data.examples import Examples, folded


def from_queries(queries: QuerySet) -> Examples:
    """An example of every relevant document of every query; documents judged 0 become negatives of its query.

    A grade above 0 is as good as another: the losses know no grades. Queries without a relevant document have none.

    Raises:
        InputError: no document is relevant to any query.
    """
    relevant = np.flatnonzero(queries.relevance > 0)
    if not len(relevant):
        raise InputError(
            f"{queries.name}: no document is relevant to any query, so there is no pair to train on: give at least one "
            "judgement above 0."
        )
    groups = group_numbers(queries.queries)
    judged: dict[int, list[str]] = {}
    for row in np.flatnonzero(queries.relevance == 0):
        judged.setdefault(int(queries.judged_query[row]), []).append(queries.documents[queries.judged_document[row]])
    asked = queries.judged_query[relevant]
    return Examples(
        name=queries.name,
        anchors=tuple(queries.queries[row] for row in asked),
        positives=tuple(queries.documents[row] for row in queries.judged_document[relevant]),
        negatives=tuple(tuple(judged.get(int(row), ())) for row in asked),
        groups=groups[asked],
    )


def as_queries(examples: Examples) -> QuerySet:
    """The query set that examples make: a query each group, documents told apart by their text.

    Positives are relevant (1), or not (0) where their score says so; negatives are judged 0, but where the same text
    is a positive of the same query.
    """
    documents: dict[str, int] = {}
    queries: dict[int, str] = {}
    grades: dict[tuple[int, int], int] = {}
    for row, group in enumerate(examples.groups.tolist()):
        queries.setdefault(group, examples.anchors[row])
        judged = [(examples.positives[row], int(examples.related[row])), *((n, 0) for n in examples.negatives[row])]
        for text, grade in judged:
            place = (group, documents.setdefault(text, len(documents)))
            grades[place] = max(grade, grades.get(place, 0))
    place_of = {group: place for place, group in enumerate(queries)}
    made = sorted((place_of[group], document, grade) for (group, document), grade in grades.items())
    columns = np.array(made, dtype=np.int64).reshape(-1, 3).T
    return QuerySet(
        name=examples.name,
        queries=tuple(queries.values()),
        query_ids=tuple(f"q{i + 1}" for i in range(len(queries))),
        documents=tuple(documents),
        document_ids=tuple(f"d{i + 1}" for i in range(len(documents))),
        judged_query=columns[0],
        judged_document=columns[1],
        relevance=columns[2],
    )


def group_numbers(texts: Iterable[str]) -> NDArray[np.int64]:
    """Number of each text, from 0: the same where texts are, but for case and white space."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(folded(text), len(numbers)) for text in texts], dtype=np.int64)
