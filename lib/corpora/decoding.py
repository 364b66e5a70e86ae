"""Bytes to text: the encoding is found, and what is no text is refused.

UTF-8 (with or without byte order mark), UTF-16 and UTF-32 with one, UTF-16 without one where every other byte is
zero, else Windows-1252 / Latin-1 with a notice. Everything comes out as UTF-8, so that readers stream one encoding
and no second copy of the whole text is held.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

from lib.corpora.messages import fault
from lib.corpora.signatures import advice, is_surely_binary, looks_like
from lib.errors import InputError

_BLOCK = 1 << 20
_CONTROL = bytes(b for b in range(1, 32) if b not in b"\t\n\v\f\r")
_MAX_CONTROL_SHARE = 0.005  # a stray control character is left alone, a file full of them is no text
_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Decoded:
    """A text as UTF-8, and what there is to say about how it was read."""

    data: bytes
    """The text in UTF-8 without a byte order mark; holds no zero byte."""
    notices: tuple[str, ...]
    """Sentences to show; empty for plain UTF-8."""

    def lines(self, newline: str | None = None) -> Iterator[str]:
        """The text line by line with its line ends; `newline` as in `open`."""
        return io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8", newline=newline)


def decode(data: bytes, name: str, *, known_utf8: bool = False) -> Decoded:
    """Find the encoding of `data` (where it is not known) and give it as UTF-8.

    Raises:
        InputError: the file is empty, is not text (what it looks like is named), or its encoding is broken or mixed.
    """
    if not known_utf8 and is_surely_binary(data):
        raise binary(data, name)
    decoded = Decoded(data, ()) if known_utf8 else _decode(data, name)
    if not decoded.data.strip():
        raise fault(name, "the file is empty: it should hold at least one text.")
    zero = decoded.data.find(b"\0")
    if zero >= 0:
        raise binary(data, name, where=f"a zero byte {_position(decoded.data, zero)}")
    control = sum(decoded.data.count(byte) for byte in _CONTROL)
    if control > _MAX_CONTROL_SHARE * len(decoded.data):
        first = min(at for at in (decoded.data.find(byte) for byte in _CONTROL) if at >= 0)
        raise binary(data, name, where=f"{control:,} control characters, the first {_position(decoded.data, first)}")
    return decoded


def binary(data: bytes, name: str, where: str = "") -> InputError:
    """The error for a file that is not text."""
    kind = looks_like(data)
    if kind is not None:
        return fault(name, f"expected text, got a binary file that looks like {kind}: {advice(kind)}.")
    what = f"expected text, got a binary file ({where})" if where else "expected text, got a binary file"
    return fault(name, f"{what}: give a .txt, .csv, .tsv, .jsonl or .parquet file, text saved as UTF-8.")


def _decode(data: bytes, name: str) -> Decoded:
    if data.startswith(codecs.BOM_UTF8):
        return _utf8(data[len(codecs.BOM_UTF8) :], name, sure=True)
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _wide(data[len(mark) :], encoding, name)
    if b"\0" in data:
        encoding_found = _evident_utf16(data)
        if encoding_found is None:
            raise binary(data, name, where=f"a zero byte {_position(data, data.find(0))}")
        return _wide(data, encoding_found, name)
    return _utf8(data, name, sure=False)


def _utf8(data: bytes, name: str, *, sure: bool) -> Decoded:
    bad = _first_not_utf8(data)
    if bad is None:
        return Decoded(data, ())
    good_characters, bad_bytes = _tally(data)
    cut = len(data) - bad <= 3 and bad_bytes <= 1
    if cut and good_characters:
        raise fault(name, f"the last character {_position(data, bad)} is incomplete: the file seems cut in the middle.")
    if sure or good_characters > bad_bytes:
        raise fault(
            name,
            f"byte 0x{data[bad]:02X} {_position(data, bad)} is not UTF-8, the encoding of the rest: "
            "save the file again as UTF-8.",
        )
    return _single_byte(data, name)


def _single_byte(data: bytes, name: str) -> Decoded:
    if any(byte in data for byte in _CONTROL):
        raise binary(data, name)
    try:
        text, encoding = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "Latin-1"
    notice = f"The file is not UTF-8 and was read as {encoding}: check the accented letters, or save it as UTF-8."
    return Decoded(text.encode("utf-8"), (notice,))


def _wide(data: bytes, encoding: str, name: str) -> Decoded:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end >= len(data):
            raise fault(name, f"the {encoding[:6].upper()} text ends inside a character: it seems cut.") from error
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        raise fault(name, f"broken {encoding[:6].upper()} text: save the file again as UTF-8.", line=line) from error
    return Decoded(text.encode("utf-8"), (f"The file was read as {encoding[:6].upper()}.",))


def _evident_utf16(data: bytes) -> str | None:
    """UTF-16 of mostly Latin letters has a zero byte in every other place, and none in the places between."""
    sample = data[:_BLOCK]
    pairs = len(sample) // 2
    even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if pairs < 4:  # too little to tell
        return None
    if odd > 0.5 * pairs and even == 0:
        return "utf-16-le"
    if even > 0.5 * pairs and odd == 0:
        return "utf-16-be"
    return None


def _first_not_utf8(data: bytes) -> int | None:
    """Where the first byte stands that is not UTF-8, or None."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for start in range(0, len(data), _BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(bytes(view[start : start + _BLOCK]), final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _tally(data: bytes) -> tuple[int, int]:
    """Characters of several bytes that are good UTF-8, and places that are not."""
    text = data.decode("utf-8", "surrogateescape")
    bad = sum(1 for c in text if "\udc80" <= c <= "\udcff")
    return sum(1 for c in text if c > "\x7f") - bad, bad


def _position(data: bytes, at: int) -> str:
    """`on line 3, column 7` of the byte `at`, columns in characters from 1."""
    before = data[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return f"on line {before.count(10) + 1:,}, column {column:,}"
