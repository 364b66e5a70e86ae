"""Roots: the folders that an agent's files may lie in, and no others."""

import os
from dataclasses import dataclass
from pathlib import Path

from lib.encoders.files import inside
from lib.errors import InputError

_MAX_LENGTH = 1_000


@dataclass(frozen=True)
class Roots:
    """Folders below which files may be read; links are followed before the comparison."""

    folders: tuple[Path, ...] = ()
    """Absolute paths; none: no file can be read, only what ships."""

    @classmethod
    def of(cls, given: list[str]) -> "Roots":
        """The folders that `given` names.

        Raises:
            InputError: one of them is no folder.
        """
        folders = []
        for name in given:
            folder = Path(os.path.realpath(os.path.expanduser(name)))  # noqa: PTH111 - never raises
            if not folder.is_dir():
                raise InputError(f"--root should name a folder that is there, got {name!r}: name another.")
            folders.append(folder)
        return cls(tuple(folders))

    def find(self, named: str) -> Path:
        """The file or folder that `named` is the path of: absolute, or below any of the roots.

        What lies outside and what is not there are told alike, so that nobody can feel around on the disk.

        Raises:
            InputError: there is none that may be read.
        """
        if not named.strip() or len(named) > _MAX_LENGTH or not named.isprintable():
            raise InputError(
                f"A path has 1 to {_MAX_LENGTH:,} printable characters, got {len(named):,}: name a file below the "
                "server's roots."
            )
        for candidate in self._candidates(named):
            if inside(candidate, self.folders) and _readable(candidate):
                return Path(os.path.realpath(candidate))
        raise InputError(self._refusal(named))

    def holds(self, named: str) -> bool:
        """Whether `named` is the path of something that may be read."""
        return any(inside(candidate, self.folders) and _readable(candidate) for candidate in self._candidates(named))

    def _candidates(self, named: str) -> list[Path]:
        path = Path(named)
        if "\0" in named:
            return []
        return [path] if path.is_absolute() else [folder / path for folder in self.folders]

    def _refusal(self, named: str) -> str:
        shown = named if len(named) <= 80 else named[:80] + "…"
        if not self.folders:
            return (
                f"{shown!r} cannot be read: this server was started without --root, so it reads no files; give the "
                "texts themselves as a list, take a sample (sample:topics), or start it with --root FOLDER."
            )
        return (
            f"{shown!r} is no file or folder below this server's roots ({', '.join(map(str, self.folders))}): name "
            "one by its path there."
        )


def _readable(path: Path) -> bool:
    try:
        return (path.is_file() or path.is_dir()) and os.access(path, os.R_OK)  # no pipe, whose reader would wait
    except (OSError, ValueError):
        return False
