"""Labels of features: made from keywords, through the encoder or by a language model, each with a held-out score."""

from lib.sae.labels.evidence import Evidence, gather
from lib.sae.labels.labelling import METHODS, Labels, Method, label_features
from lib.sae.labels.scores import Score, is_weak

__all__ = ["METHODS", "Evidence", "Labels", "Method", "Score", "gather", "is_weak", "label_features"]
