"""Which of several files is the corpus, which the queries, which the qrels: told from their names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lib.corpora.messages import fault, listed, shown
from lib.errors import InputError

ROLES = "corpus, queries, qrels"
EXPECTED = "three files named corpus, queries and qrels (.jsonl, .tsv, .csv, .parquet), or one file of pairs"
TABLE_SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_QRELS_SUFFIXES = (".txt", ".qrels", ".qrel", ".trec", ".test", ".dev", ".train", "")
_WORDS = {  # in this order: `qrels_queries` are qrels
    "qrels": ("qrels", "qrel", "judgements", "judgments"),
    "queries": ("queries", "query", "questions"),
    "corpus": ("corpus", "documents", "docs", "collection", "passages"),
}
_SPLITS = (("test",), ("dev", "val", "valid", "validation"), (), ("train",))  # the first that is there is taken


class MissingFilesError(InputError):
    """Some of the three files are there, and others are still to be given."""


@dataclass(frozen=True)
class Roles:
    """The names of the three files."""

    corpus: str
    """The documents."""
    queries: str
    """The queries."""
    qrels: str
    """The judgements."""
    other_qrels: tuple[str, ...]
    """Judgements of other splits, which were not taken."""


def role_of(name: str) -> str | None:
    """What `named_role` says; a file that is named after a split alone (`test.tsv`) holds qrels."""
    return named_role(name) or ("qrels" if any(_words(_last(name)) & set(split) for split in _SPLITS) else None)


def named_role(name: str) -> str | None:
    """`corpus`, `queries` or `qrels` by the words of a file's name, else of its folder's; None if they do not say."""
    path = PurePosixPath(name.replace("\\", "/"))
    for words in (_words(path.name), _words(path.parent.name)):
        role = next((role for role, known in _WORDS.items() if words & set(known)), None)
        if role is not None:
            return role
    return None


def is_readable(name: str) -> bool:
    """Whether a file could be part of a query set: a table, or qrels as plain text; nothing hidden."""
    path = PurePosixPath(name.replace("\\", "/"))
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return False
    return has_table_suffix(name) or (role_of(name) == "qrels" and _suffix(name) in _QRELS_SUFFIXES)


def has_table_suffix(name: str) -> bool:
    """Whether the name says that a table is in it (packed by gzip or not)."""
    return _suffix(name) in TABLE_SUFFIXES


def roles_of(names: Sequence[str], *, where: str, split: str | None = None) -> Roles:
    """Tell which file is what; of several qrels those of `split` (a word or a whole name), else test, dev, train.

    Raises:
        MissingFilesError: one of the three is not there.
        InputError: one of the three is there twice.
    """
    found = {role: [name for name in names if role_of(name) == role] for role in _WORDS}
    missing = [role for role in ("corpus", "queries", "qrels") if not found[role]]
    if missing:
        said = f"no file is named {' or '.join(missing)} (got {listed(list(names))}): expected {EXPECTED}."
        raise MissingFilesError(str(fault(where, said)))
    for role in ("corpus", "queries"):
        if len(found[role]) > 1:
            raise fault(where, f"several files hold the {role} ({listed(found[role])}): give one of them.")
    qrels = _split(found["qrels"], where, split)
    others = tuple(name for name in found["qrels"] if name != qrels)
    return Roles(found["corpus"][0], found["queries"][0], qrels, others)


def _split(names: list[str], where: str, split: str | None) -> str:
    if split is not None:
        word = split.strip().lower()
        wanted = [name for name in names if name == split] or [name for name in names if word in _words(_last(name))]
        if not wanted:
            raise fault(where, f"no qrels are named {shown(split)}: choose from {listed(names)}.")
        choices = [wanted]
    else:
        choices = [[name for name in names if _split_of(name) == place] for place in range(len(_SPLITS))]
    best = next(choice for choice in choices if choice)
    if len(best) > 1:
        raise fault(where, f"several files hold the qrels ({listed(best)}): give one of them.")
    return best[0]


def _split_of(name: str) -> int:
    words = _words(_last(name))
    return next((place for place, split in enumerate(_SPLITS) if words & set(split)), _SPLITS.index(()))


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower()))


def _last(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _suffix(name: str) -> str:
    return PurePosixPath(name.lower().removesuffix(".gz")).suffix
