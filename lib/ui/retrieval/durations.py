"""Durations in words."""


def span(seconds: float) -> str:
    """A duration that is only guessed: about 12 s, about 3 min, about 1.5 h."""
    if seconds < 90:
        return f"about {max(seconds, 1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5_400 else f"about {seconds / 3_600:.1f} h"
