"""Where bytes come from: an upload, or a file on disk that is no larger than allowed."""

from pathlib import Path

from lib.corpora.limits import MEGABYTE, Limits
from lib.corpora.messages import fault
from lib.errors import InputError

UPLOAD = "uploaded file"


def read_source(source: bytes | Path, name: str | None, limits: Limits) -> tuple[bytes, str]:
    """The bytes of `source` and the name that messages use (the file's own where none is given).

    Raises:
        InputError: no such file, not a plain file, not readable, or larger than `limits.max_bytes`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        _check_size(len(source), name or UPLOAD, limits)
        return bytes(source), name or UPLOAD
    path = Path(source)
    name = name or path.name or str(path)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist" if not path.exists() else "is no plain file"
            raise fault(str(path), f"{what}: give the path of a file.")
        _check_size(path.stat().st_size, name, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)  # it may have grown since
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise fault(str(path), f"cannot be read ({getattr(error, 'strerror', None) or 'not a path'}).") from error
    _check_size(len(data), name, limits)
    return data, name


def _check_size(size: int, name: str, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise fault(
            name,
            f"{size / MEGABYTE:,.1f} MB, the most that this server reads is {limits.max_bytes / MEGABYTE:,.1f} MB: "
            "split it or take a sample of it (the server's owner can raise EMBEDSCOPE_MAX_UPLOAD_MB).",
        )
