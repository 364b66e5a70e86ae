"""Slow results on a page: held in memory for every session, else taken from the shelf, else made here and now."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from lib.results import Result
from lib.ui import resources

R = TypeVar("R", bound=Result)


@st.cache_resource(max_entries=16, ttl=resources.HOUR, show_spinner=False)
def _held(kind: str, key: str) -> dict[str, Any]:
    """A place for one result, which every session shares."""
    return {}


def shelved(kind: type[R], inputs: Mapping[str, Any], make: Callable[[str], R | None]) -> R | None:
    """The result of class `kind` that depends on `inputs`.

    `make` is called where there is none, with a name for the work; it may draw progress, and answers None where the
    user has not begun it, or has stopped it.
    """
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:24]
    held = _held(kind.__name__, key)
    if "result" not in held:
        made = resources.shelf().get(kind, inputs)
        if made is None:
            made = make(f"{kind.__name__}_{key}")
            if made is None:
                return None
            resources.shelf().put(made, inputs)
        held["result"] = made
    found: R = held["result"]
    return found
