"""Which out-of-distribution rule suits a reference? The thresholds come from docs/out-of-distribution.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import InputError
from lib.geometry.ood import Rule
from lib.results import Result

_FEW_TEXTS = 20  # with so few, no rule gains more than about .01 AUROC on the corpus centroid
_TEXTS_A_LABEL = 20  # the label rule led with 10 texts a label, neighbourhoods with 30
_LABELLED_SHARE = 0.5


@dataclass(frozen=True)
class Recommendation(Result):
    """A rule, and why."""

    rule: Rule
    """The rule to use."""
    reason: str
    """One sentence to show beside it."""


def recommend(items: int, *, reference_labels: Sequence[str | None] | None = None) -> Recommendation:
    """The rule for a reference of `items` texts with these labels, one for each text, if it has any.

    Raises:
        InputError: another number of labels than texts.
    """
    if reference_labels is not None and len(reference_labels) != items:
        raise InputError(f"The reference has {items} texts, but {len(reference_labels)} labels: give one a text.")
    if items < _FEW_TEXTS:
        return Recommendation(
            "centroid",
            f"With {items} texts there are no topics to tell apart yet: the corpus centroid is about as good.",
        )
    labelled = [label for label in reference_labels or () if label is not None]
    names = len(set(labelled))
    if names >= 2 and len(labelled) >= _LABELLED_SHARE * items and len(labelled) < _TEXTS_A_LABEL * names:
        return Recommendation(
            "label_centroid",
            f"{names} labels with {len(labelled) / names:.1f} texts each on average: with so few a label, "
            "labels tell more about topics than neighbours do.",
        )
    if names >= 2:
        return Recommendation(
            "local_centroid",
            f"{len(labelled) / names:.0f} texts a label on average: on CLINC150 neighbourhoods did better than "
            "labels with that many. Another corpus may differ: mark a few texts as out and compare AUROC.",
        )
    return Recommendation("local_centroid", "Without labels, the neighbourhoods of the texts stand for their topics.")
