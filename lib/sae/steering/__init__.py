"""Steering: a text's vector pushed along features, what that changes, what it then finds, and how to use it."""

from lib.sae.steering.auroc import Auroc, auroc, auroc_with_interval
from lib.sae.steering.dose import Dose, dose_response, matched_features
from lib.sae.steering.exports import recipe_facts, usage, vector_bytes
from lib.sae.steering.products import Products, dots, products_of, products_of_parts, squares_of
from lib.sae.steering.ranking import Reranked, Side, rerank
from lib.sae.steering.recipes import Push, Recipe, looks_normalised, parse_recipe, push_of, unit_of
from lib.sae.steering.steer import Steered, apply_push, steer
from lib.sae.steering.verdicts import label_verdict

__all__ = [
    "Auroc",
    "Dose",
    "Products",
    "Push",
    "Recipe",
    "Reranked",
    "Side",
    "Steered",
    "apply_push",
    "auroc",
    "auroc_with_interval",
    "dose_response",
    "dots",
    "label_verdict",
    "looks_normalised",
    "matched_features",
    "parse_recipe",
    "products_of",
    "products_of_parts",
    "push_of",
    "recipe_facts",
    "rerank",
    "squares_of",
    "steer",
    "unit_of",
    "usage",
    "vector_bytes",
]
