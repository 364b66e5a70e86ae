"""A button that writes a report of what is chosen."""

from lib.ui.chosen import Chosen


def offer_report(chosen: Chosen) -> None:
    """Draw it."""
