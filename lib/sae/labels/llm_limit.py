"""How many requests a server sends to its language model in a day: counted on disk, over all visitors and processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lib.errors import InputError
from lib.settings import value

MOST_REQUESTS = 500
"""Requests a day where the owner named no other number."""
_WAIT = 10.0  # seconds for another process to have counted


class RequestLimit:
    """At most so many requests a day (UTC). Threads and processes may share the file."""

    def __init__(self, path: Path, most: int) -> None:
        """Count in the file at `path`, up to `most`."""
        self.path, self.most = path, most

    def left(self) -> int:
        """Requests that may still be sent today.

        Raises:
            InputError: they cannot be counted.
        """
        with self._table() as table:
            row = table.execute("SELECT sent FROM days WHERE day = ?", (_today(),)).fetchone()
        return max(self.most - (int(row[0]) if row else 0), 0)

    def check(self, requests: int) -> None:
        """Raise where so many more requests would be too many.

        Raises:
            InputError: with how many are left.
        """
        left = self.left()
        if requests > left:
            raise InputError(
                f"This server sends its language model at most {self.most:,} requests a day, over all visitors; "
                f"{left:,} are left today (UTC) and {requests:,} would be needed: ask for fewer features, or tomorrow."
            )

    def take(self) -> None:
        """Count one request that is about to be sent.

        Raises:
            InputError: none is left today.
        """
        with self._table() as table:
            taken = table.execute(
                "UPDATE days SET sent = sent + 1 WHERE day = ? AND sent < ?", (_today(), self.most)
            ).rowcount
        if not taken:
            raise InputError(
                f"This server has sent its language model the {self.most:,} requests that it may in a day, over all "
                "visitors. What was answered so far is kept: go on tomorrow (UTC)."
            )

    def count(self) -> None:
        """Count a request that was sent again, whether or not any is left."""
        with self._table() as table:
            table.execute("UPDATE days SET sent = sent + 1 WHERE day = ?", (_today(),))

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_WAIT)) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS days (day TEXT PRIMARY KEY, sent INTEGER NOT NULL)")
                base.execute("INSERT OR IGNORE INTO days VALUES (?, 0)", (_today(),))
                yield base
        except (OSError, sqlite3.Error) as fault:
            raise InputError(
                f"Requests to the language model cannot be counted ({type(fault).__name__}), so none is sent: the "
                "folder beside the store has to be one that this server can write."
            ) from None


def default_limit(most: int) -> RequestLimit:
    """The count beside the store's folder."""
    store: Path = value("EMBEDSCOPE_STORE")
    return RequestLimit(store.parent / "llm" / "requests.sqlite", most)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
