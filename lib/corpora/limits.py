"""How large a corpus may be: set by whoever runs the server, so that one upload cannot take its memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.settings import value

MEGABYTE = 1024 * 1024
_CELLS, _BYTES_A_CELL = 100_000, 10


@dataclass(frozen=True)
class Limits:
    """The largest input that is read; anything above is refused with a sentence, never cut in silence."""

    max_bytes: int = 200 * MEGABYTE
    """Bytes of one file (or of pasted text in UTF-8)."""
    max_rows: int = 1_000_000
    """Rows of one file, blank ones too."""
    max_chars: int = 100_000
    """Characters (code points) of one text."""

    @property
    def max_unpacked(self) -> int:
        """Bytes that a compressed file may unpack to: twice `max_bytes`."""
        return 2 * self.max_bytes

    @property
    def max_cells(self) -> int:
        """Cells of one table, or values in all rows of JSON: one for every ten bytes of `max_bytes`.

        Each takes some sixty bytes of memory, however short it is.
        """
        return max(_CELLS, self.max_bytes // _BYTES_A_CELL)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Limits":
        """Read EMBEDSCOPE_MAX_UPLOAD_MB, EMBEDSCOPE_MAX_ROWS and EMBEDSCOPE_MAX_CHARS; what is unset keeps its default.

        Raises:
            InputError: one of them is not a whole number above zero.
        """
        return cls(
            max_bytes=value("EMBEDSCOPE_MAX_UPLOAD_MB", environment) * MEGABYTE,
            max_rows=value("EMBEDSCOPE_MAX_ROWS", environment),
            max_chars=value("EMBEDSCOPE_MAX_CHARS", environment),
        )
