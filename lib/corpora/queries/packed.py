"""Packed files: a zip is read member by member in memory, never onto the disk; what unpacks to too much is refused."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from lib.corpora.limits import MEGABYTE, Limits
from lib.corpora.messages import fault, plain_name
from lib.errors import InputError

MAX_MEMBERS = 10_000
_ENTRY = b"PK\x01\x02"  # begins every entry of the directory; by chance once in 4 GB
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others can take far more memory than what they unpack to
_BLOCK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def unzip(data: bytes, name: str, limits: Limits, *, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The members of a zip whose names are `wanted`.

    Raises:
        InputError: no zip or a damaged one, encrypted, packed in an unusual way, two members of one name, too many
            members, or more bytes than `limits.max_unpacked`.
    """
    if data.count(_ENTRY) > MAX_MEMBERS:
        raise fault(name, f"more than {MAX_MEMBERS:,} files in one zip: keep corpus, queries and qrels only.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(archive, name, limits, wanted)
    except InputError:
        raise
    except _BROKEN as error:
        raise fault(name, "expected a zip, got a file that is none, is cut, or is damaged: pack it again.") from error


def _members(archive: zipfile.ZipFile, name: str, limits: Limits, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = limits.max_unpacked
    for member in archive.infolist():
        if member.filename.endswith("/") or not wanted(member.filename):
            continue
        part = plain_name(member.filename)
        if member.filename in found:
            raise fault(name, f"two files in it are named {part}: keep one of them.")
        if member.flag_bits & 0x1:
            raise fault(name, f"{part} in it is encrypted: pack it again without a password.")
        if member.compress_type not in _METHODS:
            raise fault(name, f"{part} in it is packed in an unusual way: pack it again with Deflate.")
        with archive.open(member) as file:
            found[member.filename] = _capped(file.read, left, name, limits)
        left -= len(found[member.filename])
    return found


def gunzip(data: bytes, name: str, limits: Limits) -> tuple[bytes, str]:
    """The bytes and the name of what is in a `.gz`; other files as they are.

    Raises:
        InputError: no gzip, a damaged one, or more bytes than `limits.max_unpacked`.
    """
    if not name.lower().endswith(".gz"):
        return data, name
    import gzip

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return _capped(file.read, limits.max_unpacked, name, limits), name[:-3]
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise fault(name, "expected gzip, got a file that is none, is cut, or is damaged: pack it again.") from error


def _capped(read: Callable[[int], bytes], most: int, name: str, limits: Limits) -> bytes:
    """All that `read` gives, block by block, as long as it is no more than `most` bytes."""
    sink = io.BytesIO()
    while block := read(_BLOCK):
        if sink.tell() + len(block) > most:
            raise fault(
                name,
                f"unpacks to more than {limits.max_unpacked / MEGABYTE:,.0f} MB, the most that this server reads: "
                "take a sample of it (the server's owner can raise EMBEDSCOPE_MAX_UPLOAD_MB).",
            )
        sink.write(block)
    return sink.getvalue()
