"""Which similarity a view used, said where it is not the usual one."""

from lib.ui.messages import tell
from lib.ui.retrieval import measure


def tell_measure() -> None:
    """Say which similarity was chosen under Search, unless it is cosine."""
    by = measure.chosen()
    if by in measure.DISTANCES:
        tell([f"Searched by {by}, as chosen under Search; its scores are negative distances, so higher is closer."])
    elif by != "cosine":
        tell([f"Searched by {by}, as chosen under Search."])
