"""The first-run tour, and the way to the glossary."""


def offer_help(page: str) -> None:
    """Draw the link to the glossary and the tour of `page`, the last part of its address."""
