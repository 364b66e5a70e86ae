"""Files: a checkpoint's small files, read with care, since anybody may have written them."""

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from lib.errors import InputError

_MAX_JSON_BYTES = 20_000_000


def read_json(folder: Path, name: str) -> Any:
    """The parsed content of `folder / name`, or None where there is no such file.

    Raises:
        InputError: not JSON, not UTF-8, or larger than a config can be.
    """
    path = folder / name
    if not path.is_file():
        return None
    size = path.stat().st_size
    if size > _MAX_JSON_BYTES:
        raise InputError(f"{name} of {folder.name} should be a small JSON file, but it has {size:,} bytes.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as failure:
        raise InputError(f"{name} of {folder.name} is not valid JSON ({failure}); fetch the checkpoint anew.") from None


def read_object(folder: Path, name: str) -> dict[str, Any] | None:
    """As `read_json`, and the content has to be a JSON object."""
    content = read_json(folder, name)
    if content is not None and not isinstance(content, dict):
        raise InputError(f"{name} of {folder.name} should hold a JSON object, got a {type(content).__name__}.")
    return content


def child(folder: Path, relative: str, *, named_in: str) -> Path:
    """`folder / relative`, for a path that a file of the checkpoint names.

    Raises:
        InputError: the path leads out of the folder.
    """
    parts = PurePosixPath(str(relative).replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts:
        raise InputError(f"{named_in} of {folder.name} names the path {relative!r}, which leads out of the folder.")
    return folder / parts


def inside(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether `path`, with every link followed, is one of `roots` or lies below one."""
    real = os.path.realpath(path)
    for root in roots:
        real_root = os.path.realpath(root)
        if real == real_root or real.startswith(real_root.rstrip(os.sep) + os.sep):
            return True
    return False


def stray_link(folder: Path, roots: tuple[Path, ...], *, depth: int = 3) -> Path | None:
    """The first file or folder at most `depth` levels below `folder` that a link places outside `roots`."""
    for top, folders, files in os.walk(folder):
        here = Path(top)
        for name in (*folders, *files):
            if (here / name).is_symlink() and not inside(here / name, roots):
                return here / name
        if len(here.relative_to(folder).parts) >= depth:
            folders.clear()
    return None
