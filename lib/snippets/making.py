"""Which snippet belongs to which view of which page."""

from collections.abc import Callable, Mapping

from lib.errors import InputError
from lib.snippets import (
    circuits,
    diagnostics,
    finetune_diff,
    geometry,
    layers,
    network,
    overview,
    retrieval,
    retrieval_parts,
    sae_features,
    steering,
)
from lib.snippets.snippet import Case, Snippet

Make = Callable[[Case], Snippet | None]
PAGES: Mapping[str, Mapping[str, Make]] = {
    "overview": overview.VIEWS,
    "geometry": geometry.VIEWS,
    "layers": layers.VIEWS,
    "retrieval": {**retrieval.VIEWS, **retrieval_parts.VIEWS},
    "finetune_diff": finetune_diff.VIEWS,
    "sae_features": sae_features.VIEWS,
    "network": network.VIEWS,
    "circuits": circuits.VIEWS,
    "steering": steering.VIEWS,
    "diagnostics": diagnostics.VIEWS,
}
"""Views by page (its file under pages/, without .py); a page without views has one that is called ""."""


def snippet(page: str, view: str, case: Case) -> Snippet | None:
    """The code that prints the numbers of a view as it stands; None where there is nothing to print yet.

    Raises:
        InputError: there is no such page or view.
    """
    make = PAGES.get(page, {}).get(view)
    if make is None:
        raise InputError(f"There is no view {view[:40]!r} on a page {page[:40]!r}: expected one that the app shows.")
    return make(case)
