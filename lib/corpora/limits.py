"""How large a corpus may be: set by whoever runs the server, so that one upload cannot take its memory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import InputError

MEGABYTE = 1024 * 1024


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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Limits":
        """Read EMBEDSCOPE_MAX_UPLOAD_MB, EMBEDSCOPE_MAX_ROWS and EMBEDSCOPE_MAX_CHARS; what is unset keeps its default.

        Raises:
            InputError: one of them is not a whole number above zero.
        """
        env = os.environ if environment is None else environment
        return cls(
            max_bytes=_whole(env, "EMBEDSCOPE_MAX_UPLOAD_MB", cls.max_bytes // MEGABYTE) * MEGABYTE,
            max_rows=_whole(env, "EMBEDSCOPE_MAX_ROWS", cls.max_rows),
            max_chars=_whole(env, "EMBEDSCOPE_MAX_CHARS", cls.max_chars),
        )


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    given = env.get(name, "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= 15 and int(given) > 0):
        raise InputError(f"{name} should be a whole number above 0, got {given[:40]!r}: change or unset it.")
    return int(given)
