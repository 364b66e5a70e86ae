"""One model's features against another's, and what share of the model they cover."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.results import Result
from lib.sae.matching.reading import Reading

Verdict = Literal["interchangeable", "partly", "not interchangeable", "cannot be told"]

INTERCHANGEABLE, DIFFERENT = 0.8, 0.5
RULE = (
    "Of features that their own model's vectors tell on these texts, the other knows one where it has a counterpart "
    "for it, or where its vectors tell at least half as much of it (variance, on held-out texts). Interchangeable: in "
    "both directions 80 % or more of the activation is in features that the other knows (lower ends of the 95 % "
    "intervals). Not interchangeable: in one direction surely less than 50 % (upper end). Partly: anything between."
)
FEWEST_FOR_INTERVAL = 10
"""Texts from which on an interval is given."""
_Z = 1.959964


@dataclass(frozen=True, eq=False)
class Coverage(Result):
    """A share of a model's activation on some texts."""

    texts: int
    """Texts it was summed over."""
    share: float
    """0 to 1; NaN where none of the features that could count fires."""
    low: float
    """Lower end of its 95 % interval over texts (ratio of sums, linearised); NaN for a single text."""
    high: float
    """Upper end."""


@dataclass(frozen=True, eq=False)
class LabelCoverage(Result):
    """Coverage in both directions on the texts of one label, and what follows."""

    label: str
    """The label."""
    ours: Coverage
    """Of our activation, in features that the other model knows."""
    theirs: Coverage
    """Of theirs."""
    ours_paired: Coverage
    """Of our activation, in features with a counterpart."""
    theirs_paired: Coverage
    """Of theirs."""
    verdict: Verdict
    """By the rule of the comparison."""


@dataclass(frozen=True, eq=False)
class Side(Result):
    """The n features of one model, each with its counterpart among the other's; arrays of shape (n,)."""

    match: NDArray[np.int64]
    """The other model's feature that it is paired with; -1 for none."""
    value: NDArray[np.float32]
    """Similarity of the two by what they were paired by, -1 to 1; NaN where there is no pair."""
    cosine: NDArray[np.float32]
    """Cosine of the two directions in one space; NaN where there is no pair."""
    correlation: NDArray[np.float32]
    """Correlation of the two activations over the corpus; NaN without a pair, or where either fires too rarely."""
    p_value: NDArray[np.float64]
    """How often the best candidate is at least so similar by chance; NaN without a pair."""
    matched: NDArray[np.bool_]
    """Has a counterpart: similar enough, and beyond chance with 5 % false discoveries (Benjamini-Hochberg); one to
    one, as seen from either side."""
    judged: NDArray[np.bool_]
    """Can have one: by correlation, fires on `fewest` texts or more and not always alike; by cosine, every feature."""
    count: NDArray[np.int64]
    """Texts on which it fires."""
    weight: NDArray[np.float64]
    """Sum of its activations over the corpus."""
    null: NDArray[np.float32]
    """Similarity of judged features to their best candidate by chance, all shuffles together."""
    coverage: float
    """Share of the judged features that have a counterpart, each feature alike, 0 to 1; NaN where none is judged."""
    chance: float
    """Share of `null` at the threshold or above: the coverage that chance alone would give, before its p-values."""
    domain: Coverage
    """Share of the activation on the corpus that is in features with a counterpart."""
    domain_chance: float
    """What `domain` would be by chance alone: the share of judged activation whose features chance brings to the
    threshold, over all shuffles, before its p-values."""
    judged_weight: float
    """Share of all activation that is in judged features: what `domain` speaks of."""
    reading: Reading
    """How well its own vectors and the other's tell each feature."""
    known: Coverage
    """Share of the activation that is in features that the other model knows: with a counterpart, or told by its
    vectors. Of features that their own vectors tell on this corpus: on too few texts there is none."""
    known_chance: float
    """What `known` would be without counterparts and with the other's texts shuffled."""
    known_weight: float
    """Share of all activation that is in features that can be told: what `known` speaks of."""

    @property
    def lacking(self) -> NDArray[np.bool_]:
        """Features that their own vectors tell and the other model does not know, shape (n,)."""
        missing: NDArray[np.bool_] = self.reading.told & ~self.reading.read & ~self.matched
        return missing

    @property
    def only(self) -> NDArray[np.int64]:
        """Features that fire on the corpus, are judged and have no counterpart.

        What the other model does not know comes first, by the activation times the share of what their own vectors tell
        that the other's do not; then the rest, the heaviest on the corpus first.
        """
        alone = np.flatnonzero(self.judged & ~self.matched & (self.count > 0))
        lacking = self.lacking[alone]
        lost = self.weight[alone] * np.where(lacking, 1 - self.reading.kept[alone], 1)
        return alone[np.lexsort((alone, -lost, ~lacking))]

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Features with a counterpart, the heaviest on the corpus first."""
        have = np.flatnonzero(self.matched)
        return have[np.lexsort((have, -self.weight[have]))]

    def agreement(self, features: NDArray[np.integer]) -> float:
        """Spearman's rank correlation of cosine and correlation over `features`, -1 to 1; NaN below three pairs."""
        from scipy.stats import spearmanr

        known = features[np.isfinite(self.cosine[features]) & np.isfinite(self.correlation[features])]
        cosine, correlation = self.cosine[known], self.correlation[known]
        if len(known) < 3 or not np.ptp(cosine) or not np.ptp(correlation):
            return float("nan")
        return float(spearmanr(cosine, correlation).statistic)


def coverage_of(covered: NDArray[np.floating], activation: NDArray[np.floating]) -> Coverage:
    """Sum of `covered` over sum of `activation`, both a number a text, shape (t,), and its interval.

    Below FEWEST_FOR_INTERVAL texts there is no interval. Where no text differs, its end lies 3 / t away, as in the rule
    of three.
    """
    t, whole = len(activation), float(activation.sum())
    nan = float("nan")
    if not whole:
        return Coverage(t, nan, nan, nan)
    share = float(covered.sum()) / whole
    if t < FEWEST_FOR_INTERVAL:
        return Coverage(t, share, nan, nan)
    residual = covered - share * activation
    error = _Z * float(np.sqrt((residual**2).sum() * t / (t - 1))) / whole
    if min(share, 1 - share) < 1e-9:
        error = max(error, 3 / t)
    return Coverage(t, share, max(0.0, share - error), min(1.0, share + error))


def verdict(ours: Coverage, theirs: Coverage) -> Verdict:
    """What the shares of both directions say, by `RULE`."""
    lows, highs = (ours.low, theirs.low), (ours.high, theirs.high)
    if not np.isfinite([*lows, *highs]).all():
        return "cannot be told"
    if min(lows) >= INTERCHANGEABLE:
        return "interchangeable"
    return "not interchangeable" if min(highs) < DIFFERENT else "partly"
