"""Parquet: the footer is checked before anything is unpacked, then rows are read in batches under a running cap.

A small Parquet file can declare, or repeat, far more than it holds. Sizes are therefore checked three times: rows
and bytes in the footer, the same in the headers of the pages (which the reader obeys), and the cells as they come.
"""

import decimal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lib.corpora.limits import MEGABYTE, Limits
from lib.corpora.messages import fault, plain_name, shown
from lib.corpora.parquet_pages import DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY, Footer, count_pages, read_footer
from lib.corpora.signatures import advice, looks_like
from lib.corpora.table import Table, check_shape, make_table
from lib.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 4_096
_MAGIC = b"PAR1"
_DIFFERENCES = frozenset({DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY})


def read_parquet(data: bytes, name: str, limits: Limits) -> Table:
    """Read every column but those of raw bytes, which are left out with a notice.

    Raises:
        InputError: not Parquet, cut or broken, encrypted, two columns of one name, no rows, or larger than `limits`
            allow once unpacked.
    """
    _check_ends(data, name)
    import pyarrow as pa
    import pyarrow.parquet as pq

    # What pyarrow raises on broken bytes: its own errors, and Python's from the values they are turned into.
    broken = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError, RecursionError)
    try:
        footer = read_footer(data)
        plain = pq.ParquetFile(pa.BufferReader(data))
        names = [str(column) for column in plain.schema_arrow.names]
        _check_names(names, name)
        batch_rows = _check_sizes(footer, data, name, len(names), limits)
        if any(len(group) != len(plain.schema) for group in footer.groups):
            raise fault(name, "broken Parquet file: its row groups do not fit its columns; write it again.")
        leaves = _text_leaves(plain, footer)
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=leaves, pre_buffer=False)
        return _read(file, name, limits, batch_rows)
    except InputError:
        raise
    except broken as error:
        raise fault(
            name, f"broken Parquet file ({_first_line(error)}): it may be cut in the middle; write or upload it again."
        ) from error


def _check_ends(data: bytes, name: str) -> None:
    if not data:
        raise fault(name, "the file is empty: it should hold at least one text.")
    if not data.startswith(_MAGIC):
        found = looks_like(data)
        if found == "an encrypted Parquet file":
            raise fault(name, "the Parquet file is encrypted: write it without encryption.")
        what = f"a file that looks like {found}: {advice(found)}" if found else "something else: check the suffix"
        raise fault(name, f"expected a Parquet file (it begins with PAR1), got {what}.")
    if len(data) < 12 or not data.endswith(_MAGIC):
        raise fault(name, "the Parquet footer is missing: the file seems cut in the middle; upload it again.")


def _check_names(names: list[str], name: str) -> None:
    if not names:
        raise fault(name, "the Parquet file has no columns: it should hold at least a column of texts.")
    first: dict[str, int] = {}
    for i, column in enumerate(names, 1):
        if first.setdefault(column, i) != i:
            raise fault(
                name,
                f"columns {first[column]} and {i} are both named {shown(column)}: give every column its own name.",
            )


def _text_leaves(file: "pq.ParquetFile", footer: Footer) -> list[str]:
    """Paths of the columns (those inside lists and objects too) to be read as a dictionary of distinct values.

    Arrow cannot do that where text is written as differences; `_check_sizes` bounds those.
    """
    leaves = []
    for i in range(len(file.schema)):
        column = file.schema.column(i)
        differences = any(_DIFFERENCES & group[i].encodings for group in footer.groups)
        if column.physical_type == "BYTE_ARRAY" and not (differences and column.max_repetition_level == 0):
            leaves.append(column.path)
    return leaves


def _check_sizes(footer: Footer, data: bytes, name: str, columns: int, limits: Limits) -> int:
    """Check what footer and page headers declare; returns how many rows to read at once.

    Text may be written as its difference from the text before (DELTA_BYTE_ARRAY), so that each can be as long as a
    whole page: as many rows are read at once as keep the cap even then.
    """
    check_shape(name, footer.rows, columns, limits)
    chunks = [chunk for group in footer.groups for chunk in group]
    values = sum(chunk.values for chunk in chunks)
    declared = max(footer.unpacked, sum(chunk.unpacked for chunk in chunks), 8 * values)
    if declared > limits.max_unpacked:
        raise _too_large(name, declared, limits)
    pages = count_pages(data, chunks)
    if max(pages.unpacked, 8 * pages.values) > limits.max_unpacked:
        raise _too_large(name, max(pages.unpacked, 8 * pages.values), limits)
    return max(1, min(BATCH_ROWS, limits.max_unpacked // max(1, pages.largest)))


def _read(file: "pq.ParquetFile", name: str, limits: Limits, batch_rows: int) -> Table:
    schema = file.schema_arrow
    kept = [field.name for field in schema if not _is_bytes(field.type)]
    notices = [
        f"Column {shown(column)} holds raw bytes and was left out." for column in schema.names if column not in kept
    ]
    if not kept:
        raise fault(name, "every column holds raw bytes: expected a column of texts.")
    columns: dict[str, list[Any]] = {column: [] for column in kept}
    rows = size = 0
    for batch in file.iter_batches(batch_rows, columns=kept, use_threads=False):
        rows += batch.num_rows
        arrays = dict(zip(batch.schema.names, map(_storage, batch.columns), strict=True))
        size += sum(_size(values) for values in arrays.values())
        check_shape(name, rows, len(kept), limits)
        if size > limits.max_unpacked:
            raise _too_large(name, size, limits)
        for column in kept:
            columns[column].extend(_cells(arrays[column]))
    if not rows:
        raise fault(name, "the Parquet file has columns and no rows: it should hold at least one text.")
    return make_table(name, columns, list(range(1, rows + 1)), tuple(notices), place="row")


def _size(values: "pa.Array") -> int:
    """Bytes of the cells once written out, a repeated dictionary entry as often as it stands there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _storage(values)
    if pa.types.is_dictionary(values.type) and (_is_text(values.type.value_type) or _is_bytes(values.type.value_type)):
        lengths = pc.take(pc.binary_length(values.dictionary), values.indices)
        return int(pc.sum(lengths).as_py() or 0)
    if pa.types.is_struct(values.type):
        return sum(_size(part) for part in values.flatten())
    if pa.types.is_map(values.type):
        return 8 * len(values) + _size(values.keys) + _size(values.items)
    if pa.types.is_nested(values.type) and hasattr(values, "flatten"):
        return 8 * len(values) + _size(values.flatten())
    return int(values.nbytes)


def _storage(values: "pa.Array") -> "pa.Array":
    """The plain values under an extension type (a tensor, a UUID)."""
    import pyarrow as pa

    return values.storage if isinstance(values, pa.ExtensionArray) else values


def _cells(values: "pa.Array") -> Iterator[Any]:
    """Python values; a list of numbers as an array, a repeated dictionary entry as one object."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind):
        used = pc.unique(values.indices.drop_null())  # a batch often uses few of the entries
        entries = dict(zip(used.to_pylist(), map(_plain, values.dictionary.take(used).to_pylist()), strict=True))
        return (None if i is None else entries[i] for i in values.indices.to_pylist())
    if _is_numbers(kind):
        return _arrays(values)
    return map(_plain, values.to_pylist())


def _arrays(values: "pa.Array") -> Iterator[Any]:
    """Lists of numbers as views of one array; a missing list is None."""
    import pyarrow.compute as pc

    flat = values.flatten().to_numpy(zero_copy_only=False)  # without the missing lists
    at = 0
    for length in pc.list_value_length(values).to_pylist():
        if length is None:
            yield None
        else:
            yield flat[at : at + length]
            at += length


def _plain(value: Any) -> Any:
    """Dates, durations and decimals as text or numbers; text, numbers, truth values, lists and objects as they are."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _is_numbers(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))


def _too_large(name: str, size: int, limits: Limits) -> InputError:
    size_mb, most_mb = size / MEGABYTE, limits.max_unpacked / MEGABYTE
    return fault(
        name,
        f"unpacks to {size_mb:,.0f} MB or more, the most that this server reads is {most_mb:,.0f} MB: keep only the "
        "columns that you need, or take a sample of the rows.",
    )


def _first_line(error: BaseException) -> str:
    return plain_name(str(error).partition("\n")[0] or type(error).__name__)
