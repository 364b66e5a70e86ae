"""Facts: what is reported of a corpus and of a query set, as JSON values."""

from typing import Any

from lib.corpora.corpus import Corpus
from lib.corpora.queries import QuerySet


def about(corpus: Corpus) -> dict[str, Any]:
    """What is reported of a corpus."""
    return {
        "name": corpus.name,
        "texts": len(corpus),
        "blank": corpus.blank,
        "duplicates": corpus.duplicates,
        "notices": list(corpus.notices),
        "key": corpus.key,
    }


def about_queries(queries: QuerySet) -> dict[str, Any]:
    """What is reported of a query set."""
    return {
        "name": queries.name,
        "queries": len(queries.queries),
        "documents": len(queries.documents),
        "judgements": len(queries.relevance),
        "topics": queries.topic_names,
        "graded": queries.graded,
        "notices": list(queries.notices),
        "key": queries.key,
    }
