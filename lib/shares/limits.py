"""What whoever runs the server allows of share links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError
from lib.settings import value

DAYS = (1, 7, 30)
"""How long a link may be kept, in days; seven unless its maker says otherwise."""
_USUAL = 7
_HOUR = 3600.0
_DAY = 86_400.0


@dataclass(frozen=True)
class ShareLimits:
    """How many, how large and how long-lived shares may be."""

    allowed: bool = True
    """Whether links are made and opened at all: EMBEDSCOPE_SHARE_LINKS, on unless it is `off`."""
    days: float = 30.0
    """Days that a share is kept at most: EMBEDSCOPE_SHARE_DAYS."""
    megabytes: float = 20.0
    """Size of one bundle, in 10^6 bytes: EMBEDSCOPE_SHARE_MB."""
    gigabytes: float = 1.0
    """Size of all bundles together, in 10^9 bytes: EMBEDSCOPE_SHARES_GB."""
    per_hour: int = 10
    """Links that one session may make within an hour."""
    most: int = 10_000
    """Links that may be alive at once."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "ShareLimits":
        """Read them; what is unset keeps its default.

        Raises:
            InputError: one of them is not what it should be.
        """
        return cls(
            allowed=value("EMBEDSCOPE_SHARE_LINKS", environment),
            days=value("EMBEDSCOPE_SHARE_DAYS", environment),
            megabytes=value("EMBEDSCOPE_SHARE_MB", environment),
            gigabytes=value("EMBEDSCOPE_SHARES_GB", environment),
        )

    @property
    def choices(self) -> tuple[float, ...]:
        """Days that may be chosen, the usual ones first where they are allowed."""
        allowed = [float(days) for days in DAYS if days <= self.days]
        return tuple(sorted(allowed, key=lambda days: days != _USUAL)) or (self.days,)

    def check_on(self) -> None:
        """Refuse where share links are switched off.

        Raises:
            InputError: they are.
        """
        if not self.allowed:
            raise InputError(
                "Whoever runs this server has switched share links off: download the texts and send them as a file, "
                "or open the sample."
            )

    def check_pace(self, made: Sequence[float], now: float) -> None:
        """Refuse another link to a session that made some at the times `made`, in seconds.

        Raises:
            InputError: it made `per_hour` of them within an hour.
        """
        recent = sorted(at for at in made if now - at < _HOUR)
        if len(recent) >= self.per_hour:
            minutes = max(1, round((recent[-self.per_hour] + _HOUR - now) / 60))
            raise InputError(
                f"{len(recent)} share links were made here within an hour, which is the most: wait {minutes} min, or "
                "use one that you have."
            )

    def check_size(self, size: int) -> None:
        """Refuse a bundle of `size` bytes that is too large.

        Raises:
            InputError: it is larger than `megabytes`.
        """
        if size > 1e6 * self.megabytes:
            raise InputError(
                f"This would take {size / 1e6:.3g} MB, and a share link may hold {self.megabytes:g} MB here: share a "
                "sample of the texts, or leave out columns and embeddings (the server's owner can raise "
                "EMBEDSCOPE_SHARE_MB)."
            )

    def seconds(self, days: float) -> float:
        """`days` in seconds.

        Raises:
            InputError: more of them than are allowed, or none.
        """
        if not 0 < days <= self.days:
            raise InputError(f"A share link is kept for {self.days:g} days at most, got {days:g}: choose fewer.")
        return days * _DAY


def folder_of(environment: Mapping[str, str] | None = None) -> Path:
    """Where shares lie: EMBEDSCOPE_SHARES.

    Raises:
        InputError: no folder can have that name.
    """
    folder: Path = value("EMBEDSCOPE_SHARES", environment)
    return folder
