"""What a fine-tune did to the features of a dictionary: the result, and the rules that it is told by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

KINDS = ("unchanged", "gained", "strengthened", "weakened", "lost")
"""What can become of a feature; `ConceptDiff.kind` holds places in it."""
ALPHA = 0.05
"""False discovery rate up to which a change is told."""
TWICE = 2.0
"""How many times as many texts a gained feature fires on; a lost one on as small a part."""
LEAST = 0.1
"""Share of its mean activation by which a feature must change."""
RULE = (
    "A feature changed where its mean activation over all texts did, by a tenth of the larger of the two or more, "
    "beyond chance: paired over texts, against no change and against moves of the same lengths that belong to no "
    "text, with 5 % false discoveries over all features tested (Benjamini-Hochberg). Gained: it fires on at least "
    "twice as many texts as before. Lost: on half as many or fewer. Else strengthened or weakened. Features that "
    "differ on fewer than 6 texts are not tested."
)
OFF_GROUND, FAR_OFF = 0.1, 1.5
OFF_RULE = (
    "The tuned vectors count as off the dictionary's ground where it leaves unexplained .1 or more of variance above "
    "what it leaves of the base's, or 1.5 times as much."
)


@dataclass(frozen=True, eq=False)
class ConceptDiff(Result):
    """The n features of one dictionary on m texts, before (base) and after (tuned); arrays (n,) unless told."""

    kind: NDArray[np.int64]
    """Place in KINDS of what became of each feature."""
    frequency_base: NDArray[np.float64]
    """Share of the texts on which it fires with the base, 0 to 1."""
    frequency_tuned: NDArray[np.float64]
    """The same with the tuned checkpoint."""
    mean_base: NDArray[np.float64]
    """Mean activation with the base over all m texts, 0 where it never fires."""
    mean_tuned: NDArray[np.float64]
    """The same with the tuned checkpoint."""
    change: NDArray[np.float64]
    """`mean_tuned` - `mean_base`: above 0 the texts express the feature more."""
    error: NDArray[np.float64]
    """Standard error of `change` over texts (paired); NaN with one text."""
    came: NDArray[np.int64]
    """Texts on which it fires with the tuned checkpoint alone."""
    went: NDArray[np.int64]
    """Texts on which it fires with the base alone."""
    moved: NDArray[np.int64]
    """Texts on which its activation differs."""
    p_value: NDArray[np.float64]
    """Of the change, two-sided: the larger of that against no change and that against chance; NaN if not tested."""
    q_value: NDArray[np.float64]
    """`p_value` after Benjamini and Hochberg, over the features tested; NaN if not tested."""
    p_firing: NDArray[np.float64]
    """Does it fire on more texts, or on fewer? McNemar's exact test, two-sided."""
    changed: NDArray[np.int64]
    """The c features of a kind other than unchanged, the largest change first, shape (c,)."""
    topics: tuple[str, ...]
    """Labels of the texts, by name; () where the corpus has none."""
    topic_texts: NDArray[np.int64]
    """Texts of each label, shape (t,)."""
    topic_change: NDArray[np.float64]
    """Change of each changed feature's mean activation over the texts of each label, shape (c, t)."""
    topic_base: NDArray[np.float64]
    """Share of each label's texts on which each changed feature fires with the base, shape (c, t)."""
    topic_tuned: NDArray[np.float64]
    """The same with the tuned checkpoint."""
    by_chance: float
    """Features that a shuffle would be told to have changed by the same rule, on average: false alarms to expect."""
    replicated: float
    """Correlation of `change` between two random halves of the texts, over features that fire, -1 to 1; NaN where
    there are too few."""
    fvu_base: float
    """Fraction of variance unexplained by the dictionary on the base's vectors, 0 is best."""
    fvu_tuned: float
    """The same on the tuned checkpoint's."""
    active_base: float
    """Features that fire on a text with the base, on average."""
    active_tuned: float
    """The same with the tuned checkpoint."""
    move: float
    """Mean distance between a text's two vectors."""
    seen: float
    """Share of the common move (its mean over texts, squared) that the features' mean changes make up, at most 1; 0 or
    less where they show none of it; NaN where there is no common move."""
    texts: int
    """Texts, m."""
    features: int
    """Features, n."""
    tested: int
    """Features that differ on enough texts to be tested."""
    shuffles: int
    """Draws of chance."""
    chance_texts: int
    """Texts that chance was drawn on: all, or a random sample."""
    seed: int
    """Of the draws and of the halves."""

    @property
    def counts(self) -> dict[str, int]:
        """Features of each kind."""
        found = np.bincount(self.kind, minlength=len(KINDS))
        return dict(zip(KINDS, found.tolist(), strict=True))

    @property
    def off_ground(self) -> bool:
        """Whether the tuned vectors lie off the dictionary's ground, by OFF_RULE."""
        further = self.fvu_tuned > self.fvu_base
        return bool(further and self.fvu_tuned >= min(self.fvu_base + OFF_GROUND, FAR_OFF * self.fvu_base))

    def of_kind(self, kind: str) -> NDArray[np.int64]:
        """The changed features of one kind, the largest change first."""
        found: NDArray[np.int64] = self.changed[self.kind[self.changed] == KINDS.index(kind)]
        return found


@dataclass(frozen=True, eq=False)
class FeatureChange(Result):
    """One feature on m texts before and after."""

    feature: int
    """The feature."""
    base: NDArray[np.float32]
    """How strongly it fires on each text with the base, 0 where silent, shape (m,)."""
    tuned: NDArray[np.float32]
    """The same with the tuned checkpoint."""
    rose: NDArray[np.int64]
    """Rows of the texts on which it rose, the most first."""
    fell: NDArray[np.int64]
    """Rows of those on which it fell, the most first."""
    topics: tuple[str, ...]
    """Labels of the texts, by name; () where the corpus has none."""
    topic_texts: NDArray[np.int64]
    """Texts of each label, shape (t,)."""
    topic_fires_base: NDArray[np.int64]
    """Those on which it fires with the base."""
    topic_fires_tuned: NDArray[np.int64]
    """The same with the tuned checkpoint."""
    topic_change: NDArray[np.float64]
    """Change of its mean activation over them."""
    topic_error: NDArray[np.float64]
    """Its standard error over texts; NaN with one text."""
