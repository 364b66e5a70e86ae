"""Query sets come in: pairs in one file, or corpus, queries and judgements in three; errors name the line."""

from lib.corpora.queries.columns import PairColumns, guess_pair_columns, topic_columns
from lib.corpora.queries.export import beir_files, pairs_jsonl
from lib.corpora.queries.query_set import QuerySet
from lib.corpora.queries.reading import build_query_set, open_query_files, read_query_files, read_query_set
from lib.corpora.queries.roles import MissingFilesError
from lib.corpora.queries.three import ThreeTables

__all__ = [
    "MissingFilesError",
    "PairColumns",
    "QuerySet",
    "ThreeTables",
    "beir_files",
    "build_query_set",
    "guess_pair_columns",
    "open_query_files",
    "pairs_jsonl",
    "read_query_files",
    "read_query_set",
    "topic_columns",
]
