"""A run's log of events: one JSON object a line, appended by the process that works, read meanwhile by pages."""

import json
from pathlib import Path
from typing import Any

from lib.results import to_json

FILE = "events.jsonl"
_READ_AT_ONCE = 2**24  # bytes: beyond this a reader asks again


class EventWriter:
    """Appends events to a file. What an earlier writer left half written when it was killed stays a line of its own."""

    def __init__(self, path: Path) -> None:
        """Append to `path`, which is made if need be."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            end = file.tell()
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def write(self, event: dict[str, Any]) -> None:
        """Append one event, in one piece; numbers that are not finite become null."""
        line = json.dumps(to_json(event), allow_nan=False).encode() + b"\n"
        with self._path.open("ab", buffering=0) as file:
            file.write(line)


def events(path: Path, *, after: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The events of `path` whose lines begin at byte `after` or later, and where the next ones will begin.

    A last line that is not finished is left for the next reading; a line that is no JSON object is passed over. A file
    that is not there yet has no events.
    """
    try:
        with path.open("rb") as file:
            file.seek(after)
            read = file.read(_READ_AT_ONCE)
    except (FileNotFoundError, NotADirectoryError):
        return [], after
    whole = read[: read.rfind(b"\n") + 1]
    return [event for line in whole.split(b"\n") if (event := _event(line)) is not None], after + len(whole)


def all_events(path: Path) -> list[dict[str, Any]]:
    """All events of `path` so far."""
    found, place = events(path)
    while True:
        more, end = events(path, after=place)
        if end == place:
            return found
        found, place = found + more, end


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
