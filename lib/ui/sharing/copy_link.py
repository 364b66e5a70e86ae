"""A button that copies the address of what is on the screen."""


def offer_link() -> None:
    """Draw it."""
