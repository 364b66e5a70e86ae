"""The sample sets that come with Embedscope."""

import dataclasses
from pathlib import Path

from lib.corpora.build import read_corpus
from lib.corpora.columns import ColumnChoice
from lib.corpora.corpus import Corpus
from lib.errors import InputError

SAMPLE_NAMES = ("topics",)
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
