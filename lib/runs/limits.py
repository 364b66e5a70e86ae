"""What whoever runs the server allows of long runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import InputError

_OFF = {"0", "off", "no", "false"}
_ON = {"", "1", "on", "yes", "true"}


@dataclass(frozen=True)
class RunLimits:
    """The longest and largest run that a page may start. The command line knows none of these."""

    allowed: bool = True
    """Whether pages may start runs at all: EMBEDSCOPE_TRAINING, on unless it is `off`."""
    minutes: float = 60.0
    """Minutes of work that a run may take, all its resumptions together: EMBEDSCOPE_TRAINING_MINUTES."""
    texts: int = 200_000
    """Texts, or pairs of them, that a run may train on: EMBEDSCOPE_TRAINING_TEXTS."""
    gigabytes: float = 2.0
    """What the runs may take on disk: EMBEDSCOPE_RUNS_GB. When another begins, ended ones are removed above it, oldest
    first."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "RunLimits":
        """Read them; what is unset keeps its default.

        Raises:
            InputError: one of them is not what it should be.
        """
        env = os.environ if environment is None else environment
        return cls(
            allowed=_switch(env, "EMBEDSCOPE_TRAINING"),
            minutes=_positive(env, "EMBEDSCOPE_TRAINING_MINUTES", cls.minutes),
            texts=int(_positive(env, "EMBEDSCOPE_TRAINING_TEXTS", cls.texts)),
            gigabytes=_positive(env, "EMBEDSCOPE_RUNS_GB", cls.gigabytes),
        )

    def check(self, texts: int, *, command: str, less: str = "choose a smaller corpus", what: str = "texts") -> None:
        """Refuse a run over `texts` that a page may not start; `command` does it elsewhere, `less` makes it smaller.

        `what` they are called: pairs of texts count as one each.

        Raises:
            InputError: training is switched off, or there are too many texts.
        """
        if not self.allowed:
            raise InputError(
                "Whoever runs this server has switched training off: run Embedscope on your own machine, where "
                f"`{command}` does the same."
            )
        if texts > self.texts:
            raise InputError(
                f"{texts:,} {what} are more than the {self.texts:,} that a training may take here: {less}, or train by "
                f"`{command}` on your own machine."
            )

    def check_time(self, seconds: float, *, command: str, less: str) -> None:
        """Refuse a run that will take `seconds`, if a page may not start one so long.

        Raises:
            InputError: it would take longer than the owner allows.
        """
        if seconds > 60 * self.minutes:
            raise InputError(
                f"This would take about {seconds / 60:,.0f} minutes, and a training may take {self.minutes:g} here: "
                f"{less}, or train by `{command}` on your own machine."
            )

    def check_size(
        self, size: float, *, command: str, less: str = "choose a smaller corpus", others: float = 0.0
    ) -> None:
        """Refuse a run that will take `size` bytes on disk, beside unfinished ones that take `others`.

        Raises:
            InputError: there is no room for it.
        """
        most = 1e9 * self.gigabytes
        if size > most:
            raise InputError(
                f"This would take {gigabytes_of(size)} on disk, and all runs together may take {gigabytes_of(most)} "
                f"here: {less}, or train by `{command}` on your own machine."
            )
        if size + others > most:
            raise InputError(
                f"This would take {gigabytes_of(size)} on disk, and runs that are not done yet hold "
                f"{gigabytes_of(others)} of the {gigabytes_of(most)} that all may take here: try again when they have "
                "ended."
            )


def gigabytes_of(size: float) -> str:
    """A number of bytes in words, such as 1.5 GB or 300 MB."""
    if size < 1e9:
        return f"{size / 1e6:.2g} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.2g} GB" if size < 1e11 else f"{size / 1e9:,.0f} GB"


def _switch(env: Mapping[str, str], name: str) -> bool:
    given = env.get(name, "").strip().lower()
    if given not in _ON | _OFF:
        raise InputError(f"{name} should be on or off, got {given[:40]!r}: change or unset it.")
    return given in _ON


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    given = env.get(name, "").strip()
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise InputError(f"{name} should be a number above 0, got {given[:40]!r}: change or unset it.")
    return value
