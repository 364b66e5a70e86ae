"""Text without the places of a server's files, so that a log can be shown to whoever watches a run."""

import re
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_POSIX = re.compile(r"(?<![\w:/.~…])~?(?:/[^\s/:;,'\"()<>\[\]{}]+)+/([^\s/:;,'\"()<>\[\]{}]+)")
_WINDOWS = re.compile(r"(?<!\w)[A-Za-z]:(?:\\[^\s\\:;,'\"()<>\[\]{}]+)+\\([^\s\\:;,'\"()<>\[\]{}]+)")


def without_paths(text: str, folder: Path) -> str:
    """`text` in which files keep their names: folders above them become "…", those of `folder` stay from there on.

    Addresses of the web stay as they are.
    """
    known = {
        folder,
        folder.parent,
        _ROOT,
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(tempfile.gettempdir()),
        _home(),
    }
    both = {str(way) for path in known for way in (path, path.resolve())}
    for place in sorted(both, key=len, reverse=True):
        if len(Path(place).parts) > 1:  # not the root itself
            text = text.replace(place, "…")
    for pattern in (_POSIX, _WINDOWS):
        text = pattern.sub(r"…/\1", text)
    return text


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # nobody knows
        return _ROOT
