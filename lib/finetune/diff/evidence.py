"""Evidence: the figures that a verdict is judged by, each with its interval, taken out of a diff."""

from dataclasses import dataclass
from math import isfinite

from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest

LEVEL = 0.05
"""p-value below which a difference in retrieval is no luck; intervals are 95 % ones."""
LEAST = 0.005
"""Difference of NDCG@10 below which nothing is made of it, luck or not: two trainings of the packaged encoder that
differed in their seed alone came out .004 apart."""
FEWEST_QUERIES = 10
"""Queries below which no verdict on retrieval is given: with five that differ no sign test reaches LEVEL."""
HALF = 0.5
"""A mean cosine that used up half its way to 1, and topics half as wide: the whole space drew together."""


@dataclass(frozen=True)
class Delta(Result):
    """A figure before and after."""

    base: float
    """With the base."""
    tuned: float
    """With the tuned checkpoint."""
    change: float
    """tuned - base."""
    low: float
    """Lower end of the change's 95 % interval; NaN where there is none."""
    high: float
    """Its upper end."""

    @property
    def rose(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0

    @property
    def fell(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high < 0

    @property
    def ratio(self) -> float:
        """Tuned over base: .5 is half; NaN where the base's is 0."""
        return self.tuned / self.base if self.base else float("nan")


@dataclass(frozen=True)
class TopicEvidence(Result):
    """What is known of one topic."""

    topic: str
    """Its name."""
    spread: Delta | None
    """Mean cosine distance of its texts to their centroid; None for a topic that only queries have."""
    kept: float | None
    """Share of its texts' nearest neighbours that stayed; None where no text was asked."""
    kept_high: float | None
    """Upper end of its 95 % interval; None likewise, or with one text."""
    retrieval: PairedTest | None
    """NDCG@10 of its queries; None where it has none."""
    p_value: float | None
    """Its p-value after Holm's correction for all topics; None likewise."""

    @property
    def told(self) -> bool:
        """Whether its queries are enough to speak of its retrieval."""
        return self.retrieval is not None and self.retrieval.queries >= FEWEST_QUERIES

    @property
    def effect(self) -> int:
        """1 where its retrieval improved, -1 where it got worse, 0 where it changed too little or may be luck."""
        return 0 if self.retrieval is None else retrieval_effect(self.retrieval, self.p_value)


@dataclass(frozen=True)
class Evidence(Result):
    """All that a verdict looks at; None for what could not be measured."""

    identical: bool
    """Whether both sides are the same to the last digit."""
    shared: bool | None
    """Whether both lie in one space, without which nothing can have moved; None where no texts were compared."""
    composite: float | None
    """Drift with equal weights, 0 to 1."""
    ndcg: PairedTest | None
    """NDCG@10 over all queries, tuned against base."""
    recall: PairedTest | None
    """Recall@1 likewise."""
    anisotropy: Delta | None
    """Mean cosine of two texts."""
    spread: Delta | None
    """Mean spread of a topic."""
    separation: Delta | None
    """Distance between topics over their width."""
    distance: Delta | None
    """Distance between topics as it stands."""
    topics: tuple[TopicEvidence, ...]
    """Topics of the corpus in its order, then those that only queries have."""

    @property
    def told(self) -> bool:
        """Whether there are queries enough to speak of retrieval."""
        return self.ndcg is not None and self.ndcg.queries >= FEWEST_QUERIES

    @property
    def effect(self) -> int:
        """1 where retrieval improved, -1 where it got worse, 0 where it changed too little or may be luck."""
        return 0 if self.ndcg is None else retrieval_effect(self.ndcg)

    @property
    def drew_together(self) -> bool:
        """Whether the whole space did: by `HALF` or more of the way to one point, with topics that went along."""
        if self.anisotropy is None or not self.anisotropy.rose or self.room_used < HALF:
            return False
        return self.spread is None or self.spread.tuned <= HALF * self.spread.base

    @property
    def pulled_apart(self) -> bool:
        """Whether topics stand further apart for their width, and that not for having shrunk in a shrinking space."""
        nearer = self.drew_together or (self.distance is not None and self.distance.fell)
        return self.separation is not None and self.separation.rose and not nearer

    @property
    def room_used(self) -> float:
        """Rise of the mean cosine as a share of its way up to 1 (below 0 where it fell); 0 where it is not known."""
        if self.anisotropy is None:
            return 0.0
        return room_used(self.anisotropy.base, self.anisotropy.tuned)


def retrieval_effect(test: PairedTest, p_value: float | None = None) -> int:
    """1 where retrieval improved, -1 where it got worse, 0 where too little changed, by luck, or on too few queries.

    `p_value` stands in for that of the `test`, where it was corrected.
    """
    p_value = test.p_value if p_value is None else p_value
    if test.queries < FEWEST_QUERIES or p_value >= LEVEL or abs(test.difference) < LEAST:
        return 0
    return 1 if test.difference > 0 else -1


def room_used(base: float, tuned: float) -> float:
    """(tuned - base) / (1 - base) of a mean cosine: 1 = from the base's all the way into one point. 0 at base = 1."""
    return (tuned - base) / (1 - base) if base < 1 else 0.0


def gather(space: SpaceDiff | None, ranks: RankDiff | None, *, composite: float | None) -> Evidence:
    """The evidence in a diff of the space, in one of the ranks, or in both."""
    same_space = space is None or space.sharing.identical
    same_ranks = ranks is None or (ranks.improved + ranks.worse == 0 and not ranks.came.any())
    return Evidence(
        identical=same_space and same_ranks and not (space is None and ranks is None),
        shared=None if space is None else space.sharing.shared,
        composite=composite,
        ndcg=None if ranks is None else ranks.metric("ndcg@10").test,
        recall=None if ranks is None else ranks.metric("recall@1").test,
        anisotropy=None if space is None else _anisotropy(space),
        spread=None if space is None else _spread(space),
        separation=None if space is None else _separation(space),
        distance=None if space is None else _distance(space),
        topics=_topics(space, ranks),
    )


def _anisotropy(space: SpaceDiff) -> Delta:
    found = space.anisotropy
    return Delta(found.base.mean_cosine, found.tuned.mean_cosine, found.delta, *found.interval)


def _spread(space: SpaceDiff) -> Delta | None:
    found = space.spread
    if found is None:
        return None
    return Delta(found.mean_base, found.mean_tuned, found.mean_change, *found.mean_change_interval)


def _separation(space: SpaceDiff) -> Delta | None:
    found = space.separation
    if found is None or not (isfinite(found.ratio_base) and isfinite(found.ratio_tuned)):
        return None
    return Delta(found.ratio_base, found.ratio_tuned, found.ratio_change, *found.ratio_interval)


def _distance(space: SpaceDiff) -> Delta | None:
    found = space.separation
    if found is None:
        return None
    return Delta(found.between_base, found.between_tuned, found.between_change, *found.between_interval)


def _topics(space: SpaceDiff | None, ranks: RankDiff | None) -> tuple[TopicEvidence, ...]:
    asked = {} if ranks is None else {change.topic: change for change in ranks.topics}
    spreads = _topic_spreads(space)
    kept = _topic_neighbours(space)
    made = []
    for name in [*spreads, *(name for name in asked if name not in spreads)]:
        change = asked.get(name)
        share, high = kept.get(name, (None, None))
        test = None if change is None else change.test("ndcg@10")
        p_value = None if change is None else change.p_value("ndcg@10")
        made.append(TopicEvidence(name, spreads.get(name), share, high, test, p_value))
    return tuple(made)


def _topic_spreads(space: SpaceDiff | None) -> dict[str, Delta]:
    if space is None or space.spread is None:
        return {}
    found = space.spread
    columns = (found.base, found.tuned, found.change, found.change_interval[:, 0], found.change_interval[:, 1])
    return {name: Delta(*(float(column[place]) for column in columns)) for place, name in enumerate(found.names)}


def _topic_neighbours(space: SpaceDiff | None) -> dict[str, tuple[float | None, float | None]]:
    if space is None:
        return {}
    found = space.neighbours
    ends = found.by_topic_interval[:, 1]
    return {name: (_finite(found.by_topic[place]), _finite(ends[place])) for place, name in enumerate(found.names)}


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
