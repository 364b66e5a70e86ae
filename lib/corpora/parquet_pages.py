"""The footer and the page headers of a Parquet file: what a reader will unpack, found without unpacking it.

Arrow sizes its buffers by the page headers, so their sum bounds what reading can take, whatever the footer says. The
footer is read here too, since Arrow's Python calls for its column chunks end the whole process on some broken ones.
Field numbers are those of `parquet.thrift` (apache/parquet-format).
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from lib.corpora.thrift import Fields, read_struct

MAX_PAGES = 200_000  # a file of 200 MB with the usual pages has some hundreds
MAX_FOOTER = 8 * 1024 * 1024  # bytes; that of a file of texts has some thousands
DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY = 6, 7  # encodings


@dataclass(frozen=True)
class Chunk:
    """One column of one row group, as the footer declares it."""

    start: int
    """Offset of its first page in the file."""
    length: int
    """Bytes of its pages as they are stored."""
    unpacked: int
    """Bytes of its pages once uncompressed."""
    values: int
    """Values (those of lists one by one, nulls too)."""
    encodings: frozenset[int]
    """Encodings of its pages."""


@dataclass(frozen=True)
class Footer:
    """What the footer declares."""

    rows: int
    """Rows of the file, or of all its row groups where those are more."""
    unpacked: int
    """Bytes of all row groups once uncompressed."""
    groups: tuple[tuple[Chunk, ...], ...]
    """The columns of each row group, in the order of the schema's leaves."""


@dataclass(frozen=True)
class Pages:
    """Sums over the pages that a reader visits."""

    unpacked: int
    """Bytes of all pages once uncompressed."""
    values: int
    """Values that the data pages declare."""
    largest: int
    """Bytes of the largest page once uncompressed."""


def read_footer(data: bytes) -> Footer:
    """Read the footer of a whole file.

    Raises:
        ValueError: it is broken, encrypted or larger than `MAX_FOOTER`.
    """
    (length,) = struct.unpack("<I", data[-8:-4])
    if length > min(MAX_FOOTER, len(data) - 12):
        raise ValueError(f"a footer of {length:,} bytes")
    metadata, _ = read_struct(data[-8 - length : -8], 0)
    groups = _structs(metadata, 4)
    footer = Footer(
        rows=max(_count(metadata, 3), sum(_count(group, 3) for group in groups)),
        unpacked=sum(_count(group, 2) for group in groups),
        groups=tuple(tuple(_chunk(column) for column in _structs(group, 1)) for group in groups),
    )
    if len({len(group) for group in footer.groups}) > 1:
        raise ValueError("row groups of different width")
    return footer


def count_pages(data: bytes, chunks: Iterable[Chunk]) -> Pages:
    """Walk the page headers of column chunks, as far as a reader would.

    Raises:
        ValueError: a header is broken or lies outside of the file, or there are more than `MAX_PAGES`.
    """
    unpacked = values = largest = pages = 0
    for chunk in chunks:
        at, seen, end = chunk.start, 0, chunk.start + chunk.length
        while seen < chunk.values and at < end:
            pages += 1
            if pages > MAX_PAGES:
                raise ValueError(f"more than {MAX_PAGES:,} pages")
            header, at = read_struct(data, at)
            size = _count(header, 2)
            at += _count(header, 3)
            body = header.get(5) or header.get(8)  # a data page of version 1 or 2
            seen += _count(body, 1) if isinstance(body, dict) else 0
            unpacked += size
            largest = max(largest, size)
        if at > end + 100:  # readers allow old writers that many bytes
            raise ValueError("a page that is longer than its column")
        values += seen
    return Pages(unpacked=unpacked, values=values, largest=largest)


def _chunk(column: Fields) -> Chunk:
    metadata = column.get(3)
    if not isinstance(metadata, dict):
        raise ValueError("a column without metadata: it may be encrypted")
    encodings = metadata.get(2)
    start = _count(metadata, 9)
    dictionary = _count(metadata, 11) if 11 in metadata else 0
    return Chunk(
        start=dictionary if 0 < dictionary < start else start,
        length=_count(metadata, 7),
        unpacked=_count(metadata, 6),
        values=_count(metadata, 5),
        encodings=frozenset(code for code in encodings if isinstance(code, int)) if encodings else frozenset(),
    )


def _structs(fields: Fields, number: int) -> list[Fields]:
    items = fields.get(number, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"field {number} is no list of structs")
    return items


def _count(fields: Fields, number: int) -> int:
    value = fields.get(number)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"field {number} is no count")
    return value
