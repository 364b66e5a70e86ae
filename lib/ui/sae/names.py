"""How features are called on screen, and which one a name in an address means."""

import re
from collections.abc import Sequence

from lib.errors import InputError
from lib.sae.database import FeatureDatabase
from lib.ui.messages import count

_NUMBER = re.compile(r"\s*(?:feature\s*|#)?(\d{1,9})\s*(?:·|$)", re.IGNORECASE)


def feature_name(database: FeatureDatabase | None, feature: int) -> str:
    """A feature with its label, "319 · medical diagnosis"; "feature 319" where it has none."""
    label = database.label(feature) if database is not None else None
    return f"{feature} · {label}" if label else f"feature {feature}"


def feature_of(name: str, features: int) -> int:
    """The feature that a name begins with: "319", "feature 319", "319 · medical diagnosis".

    Raises:
        InputError: it names none of the `features` in the dictionary.
    """
    found = _NUMBER.match(name)
    if found is None or int(found[1]) >= features:
        raise InputError(
            f"A feature is a number from 0 to {count(features - 1)}, got {name!r}: choose one of the list."
        )
    return int(found[1])


def feature_named(typed: str, options: Sequence[str], features: int) -> int:
    """The feature that was chosen or typed: by its name or number, else the first option that holds what was typed.

    Raises:
        InputError: there is none.
    """
    try:
        return feature_of(typed, features)
    except InputError as fault:
        words = " ".join(typed.casefold().split())
        for name in options:
            if words and words in name.casefold():
                return feature_of(name, features)
        raise InputError(f"{fault} No label among those listed holds it, either.") from None
