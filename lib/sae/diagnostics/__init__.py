"""Can the features be trusted? Absorption, polysemy and health of a dictionary on a corpus."""

from lib.sae.diagnostics.absorption import Absorption, PairTexts, default_support, pair_texts, scan_absorption
from lib.sae.diagnostics.duplicates import Duplicates, duplicates
from lib.sae.diagnostics.health import Health, Unexplained, health, known_from_training, unexplained
from lib.sae.diagnostics.labels import AbsorptionByLabel, LabelAbsorption, label_absorption
from lib.sae.diagnostics.polysemy import Polysemy, polysemy
from lib.sae.diagnostics.senses import Sense, Senses, senses_of

__all__ = [
    "Absorption",
    "AbsorptionByLabel",
    "Duplicates",
    "Health",
    "LabelAbsorption",
    "PairTexts",
    "Polysemy",
    "Sense",
    "Senses",
    "Unexplained",
    "default_support",
    "duplicates",
    "health",
    "known_from_training",
    "label_absorption",
    "pair_texts",
    "polysemy",
    "scan_absorption",
    "senses_of",
    "unexplained",
]
