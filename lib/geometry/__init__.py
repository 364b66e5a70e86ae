"""The shape of a corpus in an encoder's space. Every function takes arrays and returns a frozen result."""

from lib.geometry.anisotropy import Anisotropy, anisotropy
from lib.geometry.clusters import Agreement, Clusters, agreement, cluster
from lib.geometry.concentration import Concentration, concentration
from lib.geometry.detection import Detection, detection
from lib.geometry.dimension import IntrinsicDimension, intrinsic_dimension
from lib.geometry.hubness import Hubness, hubness
from lib.geometry.labels import LabelFit, label_fit
from lib.geometry.measure import Geometry, measure
from lib.geometry.moments import Moments, moments
from lib.geometry.neighbours import Neighbours, neighbours
from lib.geometry.ood import Flagged, OodScores, Rule, flag, score
from lib.geometry.projection import Projection, place, project, warm_up
from lib.geometry.recommendation import Recommendation, recommend
from lib.geometry.similarity import LabelSimilarity, TextSimilarity, label_similarity, text_similarity
from lib.geometry.uniformity import Uniformity, uniformity

__all__ = [
    "Agreement",
    "Anisotropy",
    "Clusters",
    "Concentration",
    "Detection",
    "Flagged",
    "Geometry",
    "Hubness",
    "IntrinsicDimension",
    "LabelFit",
    "LabelSimilarity",
    "Moments",
    "Neighbours",
    "OodScores",
    "Projection",
    "Recommendation",
    "Rule",
    "TextSimilarity",
    "Uniformity",
    "agreement",
    "anisotropy",
    "cluster",
    "concentration",
    "detection",
    "flag",
    "hubness",
    "intrinsic_dimension",
    "label_fit",
    "label_similarity",
    "measure",
    "moments",
    "neighbours",
    "place",
    "project",
    "recommend",
    "score",
    "text_similarity",
    "uniformity",
    "warm_up",
]
