"""Matching: which feature of one dictionary is which of another, within one space, and between two encoders."""

from lib.sae.matching.alignment import FEWEST_TEXTS, Alignment, align, fitting, identity
from lib.sae.matching.assignment import Method
from lib.sae.matching.comparison import ALIGNED, CORRELATED, ModelMatch, compare_models, default_threshold, judge_pairs
from lib.sae.matching.decoder import SHARED, Matching, expected_largest_cosine, match_features
from lib.sae.matching.pairing import FEWEST, By, Model, PairedFeatures, Pairing, pair_features
from lib.sae.matching.reading import MOST_TEXTS, Reading, read_features
from lib.sae.matching.sides import RULE, Coverage, LabelCoverage, Side, Verdict

__all__ = [
    "ALIGNED",
    "CORRELATED",
    "FEWEST",
    "FEWEST_TEXTS",
    "MOST_TEXTS",
    "RULE",
    "SHARED",
    "Alignment",
    "By",
    "Coverage",
    "LabelCoverage",
    "Matching",
    "Method",
    "Model",
    "ModelMatch",
    "PairedFeatures",
    "Pairing",
    "Reading",
    "Side",
    "Verdict",
    "align",
    "compare_models",
    "default_threshold",
    "expected_largest_cosine",
    "fitting",
    "identity",
    "judge_pairs",
    "match_features",
    "pair_features",
    "read_features",
]
