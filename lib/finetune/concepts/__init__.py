"""Concepts: what a fine-tune did to the features of a dictionary, and to the leads that decide a query."""

from lib.finetune.concepts.changes import ConceptSide, diff_concepts, feature_change
from lib.finetune.concepts.leads import LeadChanges, lead_changes
from lib.finetune.concepts.own import OWN_RULE, OwnDiff, diff_own
from lib.finetune.concepts.results import KINDS, OFF_RULE, RULE, ConceptDiff, FeatureChange
from lib.finetune.concepts.why import Passed, QuerySides, WhyChanged, passed, why_changed

__all__ = [
    "KINDS",
    "OFF_RULE",
    "OWN_RULE",
    "RULE",
    "ConceptDiff",
    "ConceptSide",
    "FeatureChange",
    "LeadChanges",
    "OwnDiff",
    "Passed",
    "QuerySides",
    "WhyChanged",
    "diff_concepts",
    "diff_own",
    "feature_change",
    "lead_changes",
    "passed",
    "why_changed",
]
