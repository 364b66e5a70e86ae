"""A button that makes a share link, for what an address alone cannot carry."""

from lib.ui.chosen import Chosen


def offer_share(chosen: Chosen) -> None:
    """Draw it."""
