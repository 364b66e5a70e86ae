"""Files in: the suffix decides which reader opens them."""

from pathlib import Path

from lib.corpora.delimited import read_delimited
from lib.corpora.jsonl import read_jsonl
from lib.corpora.limits import Limits
from lib.corpora.lines import read_lines
from lib.corpora.messages import fault, shown
from lib.corpora.parquet import read_parquet
from lib.corpora.signatures import advice, looks_like
from lib.corpora.sources import read_source
from lib.corpora.table import Table

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
PASTED = "pasted text"


def read_table(source: bytes | Path, *, name: str | None = None, limits: Limits | None = None) -> Table:
    """Read a table from bytes (with the `name` of their file) or from a path; its suffix decides how.

    Raises:
        InputError: a suffix that is not among `SUFFIXES`, a file larger than `limits`, or one that its reader refuses
            (with the line, and the column where there is one).
    """
    limits = limits or Limits()
    data, name = read_source(source, name, limits)
    suffix = Path(name.replace("\0", "")).suffix.lower()
    if suffix == ".txt":
        return read_lines(data, name, limits)
    if suffix == ".csv":
        return read_delimited(data, name, limits, delimiter=",")
    if suffix == ".tsv":
        return read_delimited(data, name, limits, delimiter="\t")
    if suffix in (".jsonl", ".ndjson"):
        return read_jsonl(data, name, limits)
    if suffix == ".parquet":
        return read_parquet(data, name, limits)
    found = looks_like(data)
    hint = f"; it looks like {found}: {advice(found)}" if found else ""
    if suffix == ".json":
        hint = ": write one object a line and name it .jsonl"
    raise fault(name, f"expected a file ending in {', '.join(SUFFIXES)}, got {shown(suffix or 'no suffix')}{hint}.")


def read_pasted(text: str, *, limits: Limits | None = None) -> Table:
    """Read one text from every line of pasted text.

    Raises:
        InputError: nothing but white space, control characters, or more than `limits` allow.
    """
    limits = limits or Limits()
    data, name = read_source(text.removeprefix("\ufeff").encode("utf-8", "replace"), PASTED, limits)
    return read_lines(data, name, limits, known_utf8=True)
