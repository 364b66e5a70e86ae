"""The sample sets that come with Embedscope."""

import dataclasses
from pathlib import Path

from lib.corpora.build import read_corpus
from lib.corpora.columns import ColumnChoice
from lib.corpora.corpus import Corpus
from lib.corpora.queries.query_set import QuerySet
from lib.corpora.queries.reading import read_query_set
from lib.errors import InputError

SAMPLE_NAMES = ("topics",)
QUERY_SET_NAMES = ("topics", "lab", "late", "medical")
_QUERY_FILES = {"topics": "retrieval.jsonl"}
SAMPLE_FOLDER = Path(__file__).resolve().parents[2] / "sample_data"


def load_sample(name: str = "topics", *, label: str = "label") -> Corpus:
    """Load a sample set by name.

    `topics` has columns `subtopic` and `ood`; its labels are the column `label`, which is None where `ood` is true, or
    another column that `label` names.

    Raises:
        InputError: no sample set has that name, or its file is missing.
    """
    if name not in SAMPLE_NAMES:
        raise InputError(f"No sample set is named {name[:40]!r}: choose from {', '.join(SAMPLE_NAMES)}.")
    choice = ColumnChoice(text="text", label=label, id="id")
    corpus = read_corpus(SAMPLE_FOLDER / f"{name}.jsonl", choice=choice)
    return dataclasses.replace(corpus, name=f"{name} (sample)")


def load_query_set(name: str = "topics") -> QuerySet:
    """Load a sample query set by name.

    `topics`: graded judgements in three topics, with near misses. `lab`: four queries over 15 sentences, for P@3.
    `late`: queries whose exact terms matter, each with its passage and a tempting wrong one. `medical`: questions on 44
    conditions, each asked for its description, symptoms, causes and treatment, which lie in four passages.

    Raises:
        InputError: no sample query set has that name.
    """
    if name not in QUERY_SET_NAMES:
        raise InputError(f"No sample query set is named {name[:40]!r}: choose from {', '.join(QUERY_SET_NAMES)}.")
    made = read_query_set(SAMPLE_FOLDER / _QUERY_FILES.get(name, f"{name}.jsonl"))
    return dataclasses.replace(made, name=f"{name} (sample)")
