"""What taking features out of queries did to retrieval: feature by feature, and one after another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result


@dataclass(frozen=True, eq=False)
class Faithfulness(Result):
    """Every feature that fires on the queries, the largest drop first; f features over s queries."""

    features: NDArray[np.int32]
    """The features, shape (f,)."""
    fires: NDArray[np.int64]
    """Queries on which each fires, shape (f,), at least 1."""
    activation: NDArray[np.float64]
    """Its mean activation where it fires, shape (f,)."""
    drop: NDArray[np.float64]
    """What NDCG@k loses over all s queries without it, shape (f,), -1 to 1: above 0 it carries retrieval, below 0
    retrieval is better without it."""
    low: NDArray[np.float64]
    """Lower end of the drop's 95 % bootstrap interval over queries, shape (f,); NaN where all queries have one text."""
    high: NDArray[np.float64]
    """Its upper end."""
    hurt: NDArray[np.int64]
    """Queries whose NDCG is lower without it, shape (f,)."""
    helped: NDArray[np.int64]
    """Queries whose NDCG is higher without it, shape (f,)."""
    p_value: NDArray[np.float64]
    """Two-sided, under random signs of the differences, shape (f,); NaN where it was not tested."""
    q_value: NDArray[np.float64]
    """The false discovery rate among the tested features at which it would be called (Benjamini and Hochberg), shape
    (f,); NaN where it was not tested."""
    needed: NDArray[np.float64]
    """Queries like these that would call a drop of this size four times in five, with as many tests, shape (f,); NaN
    where it was not tested. Large drops are so partly by luck: for these it is the least."""
    peers: NDArray[np.float64]
    """Share of the 50 other features that fire on about as many queries, or of all where there are fewer, whose own
    removal costs at least as much, shape (f,), 0 to 1; NaN where no other feature fires."""
    matched: NDArray[np.float64]
    """Drops of the control that takes as much out along other features of the same queries, shape (f, draws); made for
    the features that are called and for the largest drops and rises, NaN for the others."""
    random: NDArray[np.float64]
    """Drops of the control that takes as much out along random directions, shape (f, draws); NaN for the
    same others."""
    verdict: tuple[str, ...]
    """essential, ordinary, harmful, redundant, uncertain or rare, f of them."""
    rule: str
    """The rule of the verdicts, in words."""
    unseen: float
    """A drop that these queries could hide where no query changes: 3 over the different queries, times the mean size
    of a change here."""
    texts: int
    """Different texts among the s queries: intervals and tests count each once."""
    topics: tuple[str, ...]
    """Names of the t topics; () where queries have none."""
    topic_queries: NDArray[np.int64]
    """Queries of each, shape (t,)."""
    topic_drop: NDArray[np.float64]
    """The drop over each topic's queries, shape (f, t)."""
    change_starts: NDArray[np.int64]
    """Where each feature's queries begin in the three arrays below, shape (f + 1,)."""
    change_query: NDArray[np.int64]
    """Rows of the queries, in the set that was given, on which each feature fires."""
    change_activation: NDArray[np.float32]
    """How strongly it fires there."""
    change: NDArray[np.float64]
    """NDCG of that query less its NDCG without the feature."""
    query: NDArray[np.int64]
    """Rows of the s queries in the set that was given, shape (s,)."""
    ndcg: NDArray[np.float64]
    """NDCG@k of each, with the embeddings as they are, shape (s,)."""
    whole: float
    """Mean NDCG@k over the s queries, 0 to 1."""
    whole_low: float
    """Lower end of its 95 % bootstrap interval over queries; NaN where there is one query."""
    whole_high: float
    """Its upper end."""
    reconstructed: float
    """Mean NDCG@k of queries replaced by their reconstructions: the error taken out, every feature kept."""
    reconstruction_loss: float
    """What these lose against the embeddings: above 0 the error carries retrieval."""
    reconstruction_low: float
    """Lower end of the loss's interval; NaN where there is one query."""
    reconstruction_high: float
    """Its upper end."""
    tested: int
    """Features whose removal changes enough queries to be tested."""
    draws: int
    """Draws of each control."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    documents: int
    """Documents searched."""
    dictionary: int
    """Features in the dictionary."""
    k: int
    """Cut-off of NDCG."""
    gain: str
    """What a grade is worth: linear or exponential."""
    measure: str
    """What scores are: cosine, dot or l2."""
    negligible: float
    """Drops between this and its negative make no difference that matters."""
    resamples: int
    """Resamples of the bootstrap."""
    seed: int
    """Of bootstrap and controls."""

    def changes(self, place: int) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]:
        """Queries on which the feature at `place` fires, how strongly, and what NDCG loses without it there."""
        here = slice(self.change_starts[place], self.change_starts[place + 1])
        return self.change_query[here], self.change_activation[here], self.change[here]

    def place_of(self, feature: int) -> int | None:
        """Where a feature stands in the arrays; None where it fires on no query."""
        found = np.flatnonzero(self.features == feature)
        return int(found[0]) if len(found) else None

    def count(self, verdict: str) -> int:
        """Features with that verdict."""
        return self.verdict.count(verdict)


@dataclass(frozen=True, eq=False)
class Curves(Result):
    """Mean NDCG@k at g numbers of features taken out, or kept."""

    steps: NDArray[np.int64]
    """How many features, shape (g,), ascending from 0 to all f."""
    removed: NDArray[np.float64]
    """NDCG without so many features, in the order of their drop, shape (g,)."""
    removed_low: NDArray[np.float64]
    """Lower end of its 95 % bootstrap interval over queries, shape (g,)."""
    removed_high: NDArray[np.float64]
    """Its upper end."""
    kept: NDArray[np.float64]
    """NDCG with so many features alone, in the order of their drop, shape (g,)."""
    kept_low: NDArray[np.float64]
    """Lower end of its interval, shape (g,)."""
    kept_high: NDArray[np.float64]
    """Its upper end."""
    removed_by_activation: NDArray[np.float64]
    """As `removed`, in the order of their total activation, shape (g,)."""
    kept_by_activation: NDArray[np.float64]
    """As `kept`, likewise."""
    removed_at_random: NDArray[np.float64]
    """As `removed`, for each shuffle, shape (shuffles, g)."""
    kept_at_random: NDArray[np.float64]
    """As `kept`, likewise."""
    topics: tuple[str, ...]
    """Names of the t topics; () where queries have none."""
    topic_queries: NDArray[np.int64]
    """Queries of each, shape (t,)."""
    topic_removed: NDArray[np.float64]
    """`removed` over each topic's queries, shape (t, g)."""
    topic_kept: NDArray[np.float64]
    """`kept` likewise."""
    topic_removed_by_activation: NDArray[np.float64]
    """`removed_by_activation` likewise."""
    topic_kept_by_activation: NDArray[np.float64]
    """`kept_by_activation` likewise."""
    topic_won: NDArray[np.float64]
    """What the `few` win back over each topic's queries, in the better of the two orders, shape (t, 3): the share, and
    the ends of its 95 % interval; NaN where all features add nothing there, or for the ends with one query."""
    few: int
    """The tenth of the features that the verdict looks at, at least 1."""
    few_activation: float
    """Share of all activation over the queries that the `few` of largest total activation hold, 0 to 1."""
    won_back: float
    """What the `few` of largest drop alone win back of what all features add to bias and error: 1 = all of it; NaN
    where they add nothing."""
    won_by_activation: float
    """The same, of as many in the order of their total activation."""
    won_at_random: float
    """The same, of as many at random, mean over shuffles."""
    won_low: float
    """Lower end of the 95 % interval of the better of the first two, queries drawn again; NaN where there is one."""
    won_high: float
    """Its upper end."""
    verdict: str
    """few, many, between, by the better of the first two orders; none where features add nothing beyond chance."""
    rule: str
    """The rule of the verdict, in words."""
    features: int
    """Features that fire on the queries, f."""
    queries: int
    """Queries behind every point."""
    texts: int
    """Different texts among them: intervals count each once, and equal ones are in one half."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    k: int
    """Cut-off of NDCG."""
    gain: str
    """What a grade is worth."""
    measure: str
    """What scores are."""
    seed: int
    """Of halves, shuffles and bootstrap."""

    @property
    def whole(self) -> float:
        """NDCG with every feature."""
        return float(self.removed[0])

    @property
    def floor(self) -> float:
        """NDCG of bias and error alone."""
        return float(self.kept[0])
