"""Query sets from files: one file of pairs; or corpus, queries and qrels as BEIR has them, in a folder or a zip."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lib.corpora.limits import MEGABYTE, Limits
from lib.corpora.messages import fault, listed
from lib.corpora.queries.columns import PairColumns, guess_pair_columns, has_ids, is_pairs
from lib.corpora.queries.packed import gunzip, unzip
from lib.corpora.queries.pairs import build_pairs
from lib.corpora.queries.qrels import read_qrels
from lib.corpora.queries.query_set import QuerySet
from lib.corpora.queries.roles import (
    EXPECTED,
    ROLES,
    MissingFilesError,
    Roles,
    has_table_suffix,
    is_readable,
    named_role,
    role_of,
    roles_of,
)
from lib.corpora.queries.three import DOCUMENT_FIELDS, ThreeTables, build_three
from lib.corpora.reading import read_table
from lib.corpora.sources import UPLOAD, read_source
from lib.corpora.table import Table

UPLOADED = "uploaded files"

QueryTables = Table | ThreeTables
"""What files hold before columns are chosen: a table of pairs, or three tables."""


def read_query_set(
    source: bytes | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    columns: PairColumns | None = None,
    topic_field: str | None = None,
    document_fields: Sequence[str] = DOCUMENT_FIELDS,
) -> QuerySet:
    """Read a query set from one file (pairs, or a zip), given as bytes with the `name` of their file or as a path.

    A folder is read as `read_query_files` does. `name` is what the set is called. `columns` are those of pairs, guessed
    where they are not given; the other arguments are those of `read_query_files`.

    Raises:
        InputError: a file of another kind, a damaged one, one larger than `limits`, or what the rows say is wrong.
    """
    limits = limits or Limits()
    if isinstance(source, Path):
        tables = open_query_files(source if source.is_dir() else {source.name: source}, limits=limits)
    else:
        tables = open_query_files({name or UPLOAD: source}, limits=limits)
    made = build_query_set(
        tables, columns=columns, topic_field=topic_field, document_fields=document_fields, limits=limits
    )
    return replace(made, name=name or made.name)


def read_query_files(
    files: Mapping[str, bytes | Path] | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    split: str | None = None,
    topic_field: str | None = None,
    document_fields: Sequence[str] = DOCUMENT_FIELDS,
) -> QuerySet:
    """Read a query set from several files by name (or from the folder that holds them).

    Args:
        files: corpus, queries and qrels; or one file of pairs; or one zip of either; by name, as bytes or as paths.
            Names may have folders (`qrels/test.tsv`).
        name: what the set is called.
        limits: how large it may be.
        split: which of several qrels, as `dev` or as the file's whole name; None: test, else dev, else train.
        topic_field: the field of the queries that tells their topics; None: one that is named so, if there is one;
            empty: none.
        document_fields: fields of the documents that are joined by a space into their texts.

    Raises:
        InputError: a file that is missing, twice, of another kind, damaged or too large, or what the rows say is wrong.
    """
    limits = limits or Limits()
    tables = open_query_files(files, limits=limits, split=split)
    made = build_query_set(tables, topic_field=topic_field, document_fields=document_fields, limits=limits)
    return replace(made, name=name or made.name)


def build_query_set(
    tables: QueryTables,
    *,
    columns: PairColumns | None = None,
    topic_field: str | None = None,
    document_fields: Sequence[str] = DOCUMENT_FIELDS,
    limits: Limits | None = None,
) -> QuerySet:
    """Make a query set of opened files; the arguments are those of `read_query_set`.

    Raises:
        InputError: what `build_pairs` or `build_three` refuses.
    """
    if isinstance(tables, ThreeTables):
        return build_three(tables, topic_field=topic_field, document_fields=document_fields, limits=limits)
    columns = columns or guess_pair_columns(tables)
    if topic_field is not None:
        columns = replace(columns, topic=topic_field or None)
    return build_pairs(tables, columns, limits=limits)


def open_query_files(
    files: Mapping[str, bytes | Path] | Path,
    *,
    limits: Limits | None = None,
    split: str | None = None,
) -> QueryTables:
    """Find out which file is what, and read their tables; nothing is chosen, merged or judged yet.

    Raises:
        InputError: a file that is missing, twice, of another kind, damaged or too large.
    """
    limits = limits or Limits()
    held = files if isinstance(files, Mapping) else _folder(files)
    where = UPLOADED if isinstance(files, Mapping) else files.resolve().name
    zips = [found for found in held if found.lower().endswith(".zip")]
    if zips and len(held) > 1:
        raise fault(zips[0], "a zip beside other files: give the zip alone, or the files without it.")
    if zips:
        data, where = read_source(held[zips[0]], zips[0], limits)
        held = unzip(data, where, limits, wanted=is_readable)
    if len(held) > 1:
        _check_total(held, where, limits)
    readable = [found for found in held if is_readable(found)]
    if len(readable) == 1 or len(held) == 1:
        only = (readable or list(held))[0]
        return _one(only, held[only], limits)
    if not readable:
        raise fault(where, f"no file of a query set ({listed(list(held)) or 'nothing'}): expected {EXPECTED}.")
    return _three(held, roles_of(readable, where=where, split=split), where, limits)


def _folder(path: Path) -> dict[str, bytes | Path]:
    """The files of a query set in a folder, and in the folders `corpus`, `queries` and `qrels` in it."""
    if not path.is_dir():
        raise fault(str(path), "is no folder: give the folder that holds corpus, queries and qrels.")
    try:
        inner = [part for part in sorted(path.iterdir()) if part.is_dir() and role_of(part.name) is not None]
        found = [part for folder in (path, *inner) for part in sorted(folder.iterdir()) if part.is_file()]
    except OSError as error:
        raise fault(str(path), f"cannot be read ({error.strerror}).") from error
    names = {part.relative_to(path).as_posix(): part for part in found}
    return {name: part for name, part in names.items() if is_readable(name)}


def _check_total(held: Mapping[str, bytes | Path], where: str, limits: Limits) -> None:
    total = sum(len(data) for data in held.values() if isinstance(data, bytes))
    if total > limits.max_unpacked:
        raise fault(
            where,
            f"{total / MEGABYTE:,.1f} MB together, the most that this server reads is "
            f"{limits.max_unpacked / MEGABYTE:,.1f} MB: take a sample of them (the server's owner can raise "
            "EMBEDSCOPE_MAX_UPLOAD_MB).",
        )


def _table(name: str, source: bytes | Path, limits: Limits, *, role: str | None = None) -> Table:
    data, _ = read_source(source, name, limits)
    data, plain = gunzip(data, name, limits)
    return read_qrels(data, plain, limits) if role == "qrels" else read_table(data, name=plain, limits=limits)


def _one(name: str, source: bytes | Path, limits: Limits) -> QueryTables:
    """The table of the only file, which should hold pairs."""
    role = named_role(name)
    table = _table(name, source, limits) if role != "qrels" or has_table_suffix(name) else None
    if table is None or (role is not None and has_ids(table) and not is_pairs(table)):
        said = f"holds the {role} alone: give the other two files as well ({ROLES}), or one file of pairs."
        raise MissingFilesError(str(fault(name, said)))
    return table


def _three(held: Mapping[str, bytes | Path], roles: Roles, where: str, limits: Limits) -> ThreeTables:
    return ThreeTables(
        name=where,
        corpus=_table(roles.corpus, held[roles.corpus], limits),
        queries=_table(roles.queries, held[roles.queries], limits),
        qrels=_table(roles.qrels, held[roles.qrels], limits, role="qrels"),
        other_qrels=roles.other_qrels,
    )
