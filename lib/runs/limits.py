"""What whoever runs the server allows of long runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import InputError
from lib.settings import value


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
        return cls(
            allowed=value("EMBEDSCOPE_TRAINING", environment),
            minutes=value("EMBEDSCOPE_TRAINING_MINUTES", environment),
            texts=value("EMBEDSCOPE_TRAINING_TEXTS", environment),
            gigabytes=value("EMBEDSCOPE_RUNS_GB", environment),
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
