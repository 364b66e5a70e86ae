"""A part straight from vectors or an encoder: what cannot be had is told in its place, and the rest still comes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import Corpus, QuerySet
from lib.encoders import Checkpoint, Encoder
from lib.errors import InputError
from lib.overview.finding import Answers
from lib.overview.parts import (
    LAYERS,
    RETRIEVAL,
    SPACE,
    SpaceResults,
    answers_part,
    lacks_layers,
    layers_part,
    measure_answers,
    measure_build_up,
    measure_heads,
    measure_space,
    space_part,
    too_few,
)
from lib.overview.signals import Part, wanting
from lib.shelf import Shelf


def made_space(
    corpus: Corpus, vectors: NDArray[np.floating], shelf: Shelf, *, key: str, with_map: bool = True, seed: int = 0
) -> tuple[Part, SpaceResults | None]:
    """The signals of a space, and what stands behind them; as `measure_space`, but for too few texts."""
    few = too_few(len(corpus))
    if few:
        return Part(wanting(SPACE, few)), None
    found = measure_space(corpus, vectors, shelf, key=key, with_map=with_map, seed=seed)
    return space_part(corpus, found), found


def made_layers(
    corpus: Corpus, checkpoint: Checkpoint | None, shelf: Shelf, open_it: Callable[[], Encoder], **settings: Any
) -> Part:
    """The signals of the layers, from the shelf or by running the encoder; `settings` are those of `measure_layers`."""
    why = too_few(len(corpus)) or lacks_layers(checkpoint)
    if why or checkpoint is None:
        return Part(wanting(LAYERS, str(why)))
    parts = []
    for measure, name in ((measure_build_up, "layers"), (measure_heads, "heads")):
        try:
            found: Any = measure(corpus, checkpoint, shelf, open_it, **settings)
        except InputError as fault:
            parts.append(Part(tuple(one for one in wanting(LAYERS, str(fault)) if one.name == name)))
            continue
        whole = layers_part(found, None) if name == "layers" else layers_part(None, found)
        parts.append(Part(tuple(one for one in whole.signals if one.name == name), whole.standouts))
    return Part(
        tuple(signal for part in parts for signal in part.signals),
        tuple(standout for part in parts for standout in part.standouts),
    )


def made_answers(
    queries: QuerySet, query_vectors: NDArray[np.floating], document_vectors: NDArray[np.floating], **settings: Any
) -> tuple[Part, Answers | None]:
    """The signals of a query set, and its answers; `settings` are those of `measure_answers`."""
    try:
        found = measure_answers(queries, query_vectors, document_vectors, **settings)
    except InputError as fault:
        return Part(wanting(RETRIEVAL, str(fault))), None
    return answers_part(found, seed=settings.get("seed", 0)), found
