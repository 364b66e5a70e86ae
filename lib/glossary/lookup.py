"""Finding a term: by its slug, by a word, by its page, by the label of a number."""

import re
from functools import cache

from lib.glossary import (
    circuits,
    diagnostics,
    faithfulness,
    features,
    finetune,
    general,
    geometry,
    layers,
    network,
    ranking,
    steering,
    training,
)
from lib.glossary.term import Term

PAGES = {
    "overview": "Everywhere",
    "geometry": "Geometry",
    "layers": "Layers",
    "retrieval": "Retrieval",
    "finetune_diff": "Fine-tune Diff",
    "sae_features": "SAE Features",
    "network": "Network",
    "circuits": "Circuits",
    "steering": "Steering",
    "diagnostics": "Diagnostics",
}
"""The glossary's groups: a page's address to the name of the group. What several pages use stands under the first."""

TERMS: tuple[Term, ...] = (
    *general.TERMS,
    *geometry.TERMS,
    *layers.TERMS,
    *ranking.TERMS,
    *finetune.TERMS,
    *features.TERMS,
    *training.TERMS,
    *network.TERMS,
    *circuits.TERMS,
    *steering.TERMS,
    *diagnostics.TERMS,
    *faithfulness.TERMS,
)
"""All terms, by page."""


def term(slug: str) -> Term | None:
    """The term of that slug, if there is one."""
    return _by_slug().get(slug.strip().casefold())


def find(words: str) -> tuple[Term, ...]:
    """Terms in which every one of `words` occurs, those whose name has them first; all of them for no words."""
    asked = words.casefold().split()
    found = [one for one in TERMS if all(word in one.words for word in asked)]
    named = {one.slug for one in found if all(word in one.name.casefold() for word in asked)}
    return tuple(sorted(found, key=lambda one: one.slug not in named))


def of_page(page: str) -> tuple[Term, ...]:
    """The terms of a page, by the last part of its address."""
    return tuple(one for one in TERMS if one.page == page)


def meant_by(label: str, page: str | None = None) -> Term | None:
    """The term that the label of a number means, if any; where two pages use one label, that of `page` comes first.

    A label said as it is goes before one with a "*", and a longer one before a shorter.
    """
    fits = [(found, one) for one, found, pattern in _patterns() if pattern.fullmatch(label.strip())]
    if not fits:
        return None
    return min(fits, key=lambda fit: (fit[1].page != page, "*" in fit[0], -len(fit[0])))[1]


@cache
def _by_slug() -> dict[str, Term]:
    return {one.slug: one for one in TERMS}


@cache
def _patterns() -> list[tuple[Term, str, re.Pattern[str]]]:
    """Every label of every term, with what it matches."""
    return [
        (one, label, re.compile(".+".join(map(re.escape, label.split("*"))), re.IGNORECASE))
        for one in TERMS
        for label in (one.name, *one.labels)
    ]
