"""The colours of every figure, readable on light and dark paper; .streamlit/config.toml holds the same ones.

All stand out from either paper by 3 : 1 or more (WCAG 2.1, 1.4.11), but for the fourth and fifth category on light
paper, where a legend, a label or what is shown on hovering tells the group as well.
"""

from collections.abc import Sequence

CATEGORIES = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#7A5C3E")
"""Paul Tol's bright scheme (colour-blind safe), its grey replaced by brown: grey means "no group" here."""
GREY = "#909090"
"""No label, no cluster, any category after the seventh, points not selected."""
LOW, NEUTRAL, HIGH = "#6A5ED2", "#CFCBC6", "#D97706"
"""Activations, frequencies and scores run from violet (low) to amber (high)."""
RAMP = [[0.0, LOW], [0.5, NEUTRAL], [1.0, HIGH]]
"""The same as a plotly colour scale."""
DIVERGING = RAMP
"""Differences, drawn with the neutral at zero."""
INK = "#787D86"
"""Lines and marks that must be seen on both papers without carrying data: baselines, thresholds."""
FLAG = HIGH
"""A flag has this colour and a shape of its own (an open diamond)."""
LANDING = "#AA3377"
"""Something new set among what was there: a star."""

MOST_CATEGORIES = len(CATEGORIES)


def category_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each of `names` in their order; those after the seventh are grey."""
    return {name: CATEGORIES[i] if i < MOST_CATEGORIES else GREY for i, name in enumerate(names)}
