"""The folder of shares: records under the hash of their link's id, bundles under the hash of their content.

An id is 128 bits of chance and is written nowhere; who reads the folder learns no link, and who guesses learns
nothing from the answer: a link that never was, that has ended, was deleted, or is written wrongly reads the same.
"""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError
from lib.locks import exclusive
from lib.shares.bundle import Bundle, key_of
from lib.shares.limits import ShareLimits, folder_of
from lib.shares.packing import Arrays, pack, unpack
from lib.shares.records import Record, digest, read_record, write_record
from lib.tensors import BrokenFileError, read_tensors, sweep, write_tensors

_log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_RANDOM_BYTES = 16
_HEADER_BYTES = 4_096  # of a bundle's file, about
_NAMED = "[0-9a-f]" * 64
_RECORDS, _BUNDLES = f"{_NAMED}.json", f"{_NAMED}.safetensors"  # no other file in the folder is touched
_DEAD = (
    "This share link opens nothing: it has expired, was deleted by its maker, or was changed on its way; ask its "
    "maker for a new one, or open the sample."
)
_NOTHING_TO_DELETE = (
    "There is nothing that this deletion link could delete: the share has expired, was deleted already, or the link "
    "was changed on its way."
)


class DeadLinkError(InputError):
    """No share has this id, or no longer; which of the two is not told."""

    def __init__(self) -> None:
        super().__init__(_DEAD)


@dataclass(frozen=True)
class Created:
    """A new share, as only its maker sees it."""

    id: str
    """What its link carries: 22 signs, 128 bits of chance."""
    secret: str
    """What deletes it: as long."""
    record: Record
    """What is written of it."""


class Shares:
    """The shares of one folder; several servers may use it at once."""

    def __init__(
        self, folder: Path, limits: ShareLimits | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Use `folder`, which is made when something is written; `clock` tells the seconds since 1970."""
        self.folder = folder
        self._clock = clock
        self.limits = limits or ShareLimits()

    def create(self, bundle: Bundle, *, days: float, until: float = float("inf")) -> Created:
        """Write a bundle and hand out a link to it, for `days`, and never beyond `until` (seconds since 1970).

        Raises:
            InputError: links are switched off, the bundle or its life is too long, the folder is full or cannot be
                written.
        """
        self.limits.check_on()
        seconds = self.limits.seconds(days)
        arrays = pack(bundle)
        size = size_of(arrays, bundle)
        self.limits.check_size(size)
        share, secret = secrets.token_urlsafe(_RANDOM_BYTES), secrets.token_urlsafe(_RANDOM_BYTES)
        now = self._clock()
        record = Record(bundle.key, bundle.holds, now, min(now + seconds, until), digest(secret))
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                self._remove_expired()
                self._check_room(bundle.key, size)
                if not self._sound(bundle):
                    write_tensors(self._bundle(bundle.key), arrays, {"about": bundle.about})
                write_record(self._record(share), record)
        except OSError as fault:
            _log.warning("A share cannot be written: %s", fault)
            raise InputError(
                "The share link could not be written on this server: try again later, or send the texts as a file."
            ) from fault
        return Created(share, secret, record)

    def look(self, share: str) -> Record:
        """What is known of a share; nothing is changed by looking.

        Raises:
            DeadLinkError: none has this id, or no longer.
            InputError: share links are switched off.
        """
        self.limits.check_on()
        if not _ID.fullmatch(share):
            raise DeadLinkError
        try:
            record = read_record(self._record(share))
        except FileNotFoundError:
            raise DeadLinkError from None
        except (BrokenFileError, OSError) as fault:
            _log.warning("The record of a share cannot be read: %s", fault)
            raise DeadLinkError from fault
        if not record.expires > self._clock():
            raise DeadLinkError
        return record

    def read(self, share: str) -> Bundle:
        """The bundle of a share, checked against its content key; nothing is changed by reading.

        Raises:
            DeadLinkError: no share has this id, or no longer, or its file is not what was written.
            InputError: share links are switched off.
        """
        record = self.look(share)
        try:
            arrays, metadata = read_tensors(self._bundle(record.bundle))
            about = metadata.get("about", "")
            if key_of(about) != record.bundle:
                raise BrokenFileError("another bundle")
            return unpack(arrays, about)
        except (BrokenFileError, OSError) as fault:
            _log.warning("The bundle of a share cannot be read: %s", fault)
            raise DeadLinkError from fault

    def delete(self, share: str, secret: str) -> Record:
        """Remove a share, for whoever has its secret; its bundle goes with the last share that has it.

        Raises:
            InputError: no share has this id and secret, or it cannot be removed.
        """
        path = self._record(share)
        if not _ID.fullmatch(share) or not path.exists():
            raise InputError(_NOTHING_TO_DELETE)
        try:
            with self._alone():
                record = read_record(path)
                if not hmac.compare_digest(record.deletion, digest(secret)):
                    raise InputError(_NOTHING_TO_DELETE)
                path.unlink()
                self._remove_unused()
        except (FileNotFoundError, BrokenFileError):
            raise InputError(_NOTHING_TO_DELETE) from None
        except OSError as fault:
            _log.warning("A share cannot be removed: %s", fault)
            raise InputError("The share could not be removed on this server: try again later.") from fault
        return record

    def sweep(self) -> int:
        """Remove what has expired, and the bundles that nobody has any more; how many shares went."""
        if not self.folder.is_dir():
            return 0
        try:
            with self._alone():
                return self._remove_expired()
        except OSError as fault:
            _log.warning("Expired shares cannot be removed: %s", fault)
            return 0

    def _alone(self) -> AbstractContextManager[None]:
        return exclusive(self.folder / ".lock")

    def _record(self, share: str) -> Path:
        return self.folder / f"{digest(share)}.json"

    def _bundle(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _sound(self, bundle: Bundle) -> bool:
        """Whether the bundle lies there already, whole."""
        try:
            return read_tensors(self._bundle(bundle.key))[1].get("about") == bundle.about
        except (BrokenFileError, FileNotFoundError):
            return False

    def _records(self) -> Iterator[tuple[Path, Record | None]]:
        """All records; None for one that cannot be read as such."""
        for path in sorted(self.folder.glob(_RECORDS)):
            try:
                yield path, read_record(path)
            except BrokenFileError as fault:
                _log.warning("%s is removed: %s", path.name, fault)
                yield path, None
            except OSError as fault:
                _log.warning("%s cannot be read: %s", path.name, fault)

    def _remove_expired(self) -> int:
        now, removed = self._clock(), 0
        for path, record in self._records():
            if record is None or not record.expires > now:
                path.unlink(missing_ok=True)
                removed += 1
        self._remove_unused()
        return removed

    def _remove_unused(self) -> None:
        """Remove bundles that no record names, and halves of files whose writers have died."""
        used = {record.bundle for _, record in self._records() if record is not None}
        for path in self.folder.glob(_BUNDLES):
            if path.stem not in used:
                with suppress(FileNotFoundError):
                    path.unlink()
        for pattern in (_BUNDLES, _RECORDS):
            sweep(self.folder, pattern)

    def _check_room(self, key: str, size: int) -> None:
        alive = sum(1 for _ in self.folder.glob(_RECORDS))
        taken = {path.stem: path.stat().st_size for path in self.folder.glob(_BUNDLES)}
        more = 0 if key in taken else size
        if alive >= self.limits.most or sum(taken.values()) + more > 1e9 * self.limits.gigabytes:
            raise InputError(
                "There is no room for another share link on this server now: try again when older ones have expired, "
                "or send the texts as a file (the server's owner can raise EMBEDSCOPE_SHARES_GB)."
            )


def default_shares() -> Shares:
    """The server's shares: EMBEDSCOPE_SHARES says where they lie.

    Raises:
        InputError: one of the owner's settings of share links is not what it should be.
    """
    return Shares(folder_of(), ShareLimits.from_environment())


def size_of(arrays: Arrays, bundle: Bundle) -> int:
    """Bytes that a bundle's file takes, about."""
    return sum(array.nbytes for array in arrays.values()) + len(bundle.about) + _HEADER_BYTES
