"""Text comes in: files and pasted text are read, checked and made into a corpus; errors name the line."""

from lib.corpora.build import build_corpus, read_corpus
from lib.corpora.columns import ColumnChoice, guess_columns
from lib.corpora.corpus import Corpus
from lib.corpora.limits import Limits
from lib.corpora.queries import (
    MissingFilesError,
    PairColumns,
    QuerySet,
    ThreeTables,
    beir_files,
    build_query_set,
    guess_pair_columns,
    open_query_files,
    pairs_jsonl,
    read_query_files,
    read_query_set,
    topic_columns,
)
from lib.corpora.reading import SUFFIXES, read_pasted, read_table
from lib.corpora.samples import QUERY_SET_NAMES, SAMPLE_NAMES, load_query_set, load_sample
from lib.corpora.table import Table
from lib.corpora.vectors import read_vectors

__all__ = [
    "QUERY_SET_NAMES",
    "SAMPLE_NAMES",
    "SUFFIXES",
    "ColumnChoice",
    "Corpus",
    "Limits",
    "MissingFilesError",
    "PairColumns",
    "QuerySet",
    "Table",
    "ThreeTables",
    "beir_files",
    "build_corpus",
    "build_query_set",
    "guess_columns",
    "guess_pair_columns",
    "load_query_set",
    "load_sample",
    "open_query_files",
    "pairs_jsonl",
    "read_corpus",
    "read_pasted",
    "read_query_files",
    "read_query_set",
    "read_table",
    "read_vectors",
    "topic_columns",
]
