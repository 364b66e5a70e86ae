"""The overview: what an encoder's eight signals say of a corpus and a query set, and what stands out."""

from lib.overview.beside import Beside, Difference, Pair, differences
from lib.overview.finding import Answers
from lib.overview.made import made_answers, made_layers, made_space
from lib.overview.parts import (
    SpaceResults,
    answers_of,
    answers_part,
    lacks_layers,
    layers_part,
    measure_answers,
    measure_layers,
    measure_space,
    overview_of,
    space_part,
    too_few,
)
from lib.overview.signals import NAMES, Item, Overview, Part, Signal, StandOut, wanting

__all__ = [
    "NAMES",
    "Answers",
    "Beside",
    "Difference",
    "Item",
    "Overview",
    "Pair",
    "Part",
    "Signal",
    "SpaceResults",
    "StandOut",
    "answers_of",
    "answers_part",
    "differences",
    "lacks_layers",
    "layers_part",
    "made_answers",
    "made_layers",
    "made_space",
    "measure_answers",
    "measure_layers",
    "measure_space",
    "overview_of",
    "space_part",
    "too_few",
    "wanting",
]
