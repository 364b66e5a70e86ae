"""The progress of one step told as that of the whole work."""

from lib.progress import Progress


def part(progress: Progress | None, step: int, steps: int) -> Progress | None:
    """What tells step number `step`, from 0, of `steps` that take about as long each; None where nobody is told."""
    if progress is None:
        return None
    tell = progress
    return lambda done, of: tell(step * of + done, steps * of)
