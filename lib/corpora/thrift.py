"""Structs in Thrift's compact protocol, as far as Parquet uses it: fields by number, without a schema.

Reference: thrift/doc/specs/thrift-compact-protocol.md. Text and bytes are passed over (None); maps occur nowhere in
Parquet and are refused.
"""

from typing import Any

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_MAX_DEPTH = 12
_MAX_FIELDS = 200

Fields = dict[int, Any]


def read_struct(data: bytes, at: int, depth: int = 0) -> tuple[Fields, int]:
    """Read the struct that begins at byte `at`; returns its fields by number, and where it ends.

    Raises:
        ValueError: it is broken, nested too deeply, or goes on after the end of `data`.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("a struct nested too deeply")
    fields: Fields = {}
    number = 0
    for _ in range(_MAX_FIELDS):
        head = _byte(data, at)
        at += 1
        if head == 0:
            return fields, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _zigzag(data, at)
        kind = head & 15
        fields[number], at = (kind == _TRUE, at) if kind in (_TRUE, _FALSE) else _value(data, at, kind, depth)
    raise ValueError("a struct of too many fields")


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in _INTEGERS:
        return _zigzag(data, at)
    if kind == _BINARY:
        length, at = _varint(data, at)
        return None, at + length
    if kind == _STRUCT:
        return read_struct(data, at, depth + 1)
    if kind in (_LIST, _SET):
        return _list(data, at, depth + 1)
    if kind in (_TRUE, _FALSE, _BYTE):  # one byte inside a list
        return _byte(data, at), at + 1
    if kind == _DOUBLE:
        return None, at + 8
    raise ValueError(f"a value of unknown type {kind}")


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    head = _byte(data, at)
    at += 1
    count, kind = head >> 4, head & 15
    if count == 15:
        count, at = _varint(data, at)
    if depth > _MAX_DEPTH or count > len(data) - at:  # every item takes a byte at least
        raise ValueError("a list longer than its file")
    items = []
    for _ in range(count):
        item, at = _value(data, at, kind, depth)
        items.append(item)
    return items, at


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = _byte(data, at)
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number that is too long")


def _byte(data: bytes, at: int) -> int:
    if not 0 <= at < len(data):
        raise ValueError("a struct that goes on after the end")
    return data[at]
