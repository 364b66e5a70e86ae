"""Scalars of a TensorBoard event file: records of protocol buffers, one after another, none of them executed."""

import math
import struct
from collections.abc import Iterator
from typing import Any

from lib.errors import InputError

_LENGTH = struct.Struct("<Q")
_MOST_RECORDS = 1_000_000
_CHECK = 4  # bytes of a checksum, after the length and after the record
_MOST_BYTES = 2**20  # of a record that is read: longer ones hold pictures or texts, and each two bytes may be a value


def scalars(content: bytes) -> Iterator[tuple[int, str, float]]:
    """Step, tag and value of each scalar, in the order of the file; a last record that is not whole is left out.

    Raises:
        InputError: it is no TensorBoard event file, or a record of it is broken.
    """
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2

    for place, record in enumerate(_records(content)):
        if place == _MOST_RECORDS:
            raise InputError(
                f"The TensorBoard file has more than {_MOST_RECORDS:,} records, the most that is read: write fewer "
                "scalars."
            )
        try:
            event = event_pb2.Event.FromString(record)
        except DecodeError:
            event = None
        if event is None or (place == 0 and not event.file_version):
            raise InputError(
                f"Record {place + 1} of the TensorBoard file cannot be read: it was cut or changed, or is another kind "
                "of file; take it from the folder of the run again."
            )
        for value in event.summary.value:
            if (number := _number(value)) is not None:
                yield int(event.step), str(value.tag), number


def _records(content: bytes) -> Iterator[bytes]:
    at, head = 0, _LENGTH.size + _CHECK
    while at + head <= len(content):
        length = _LENGTH.unpack_from(content, at)[0]
        if at + head + length + _CHECK > len(content):
            if at == 0:
                yield b"\xff"  # no record at all: not such a file
            return
        if length <= _MOST_BYTES:
            yield content[at + head : at + head + length]
        at += head + length + _CHECK


def _number(value: Any) -> float | None:
    """A scalar as older and newer writers put it; None for a picture, a histogram, or a text."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or value.tensor.tensor_shape.dim:
        return None
    if value.tensor.float_val:
        return float(value.tensor.float_val[0])
    packed = {1: "<f", 2: "<d"}.get(value.tensor.dtype)
    raw = bytes(value.tensor.tensor_content)
    if packed is None or len(raw) != struct.calcsize(packed):
        return None
    found = struct.unpack(packed, raw)[0]
    return float(found) if not math.isnan(found) else math.nan
