"""Text comes in: files and pasted text are read, checked and made into a corpus; errors name the line."""

from lib.corpora.build import build_corpus, read_corpus
from lib.corpora.columns import ColumnChoice, guess_columns
from lib.corpora.corpus import Corpus
from lib.corpora.limits import Limits
from lib.corpora.reading import SUFFIXES, read_pasted, read_table
from lib.corpora.samples import SAMPLE_NAMES, load_sample
from lib.corpora.table import Table
from lib.corpora.vectors import read_vectors

__all__ = [
    "SAMPLE_NAMES",
    "SUFFIXES",
    "ColumnChoice",
    "Corpus",
    "Limits",
    "Table",
    "build_corpus",
    "guess_columns",
    "load_sample",
    "read_corpus",
    "read_pasted",
    "read_table",
    "read_vectors",
]
