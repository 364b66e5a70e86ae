"""What became of each topic: improved, worse, drawn together, or collapsed.

Drawing together is no harm by itself: a topic's texts may be closer to each other and still be told apart. It is a
collapse where the topic's own retrieval fell with it, or where it went so far that most neighbours changed.
"""

from dataclasses import dataclass
from typing import Literal

from lib.finetune.diff.evidence import Evidence, TopicEvidence
from lib.finetune.diff.words import Direction, signed
from lib.numerals import share
from lib.results import Result

State = Literal["collapsed", "worse", "improved", "drawn together", "unchanged"]

NARROWER = 0.75
"""Spread after tuning, over that before, up to which a topic drew together."""
HALF = 0.5
"""The same up to which it collapsed whatever its queries say, if fewer than half of its neighbours stayed as well."""

RULES: dict[State, str] = {
    "collapsed": "Its spread fell by a quarter or more and its retrieval fell; or its spread fell by half or more, "
    "fewer than half of its texts' neighbours stayed, and its retrieval did not improve.",
    "worse": "Its NDCG@10 fell (by .005 or more, p < .05 after Holm's correction), and it did not collapse.",
    "improved": "Its NDCG@10 rose (by .005 or more, p < .05 after Holm's correction).",
    "drawn together": "Its spread fell by a quarter or more, its retrieval did not fall, and it did not collapse.",
    "unchanged": "Neither its retrieval nor its spread changed beyond luck and the thresholds; between two spaces only "
    "retrieval is looked at.",
}
"""When each state is given."""
_DIRECTIONS: dict[State, Direction] = {
    "collapsed": "bad",
    "worse": "bad",
    "improved": "good",
    "drawn together": "neutral",
    "unchanged": "neutral",
}


@dataclass(frozen=True)
class TopicVerdict(Result):
    """What became of one topic."""

    topic: str
    """Its name."""
    state: State
    """In a word."""
    direction: Direction
    """Good where improved, bad where worse or collapsed."""
    sentence: str
    """Its figures."""
    rule: str
    """When this state is given, in words."""


def topic_verdicts(evidence: Evidence) -> tuple[TopicVerdict, ...]:
    """What became of each topic of the evidence, in its order."""
    made = []
    for one in evidence.topics:
        state = _state(one, one_space=evidence.shared is not False)
        made.append(TopicVerdict(one.topic, state, _DIRECTIONS[state], _sentence(one), RULES[state]))
    return tuple(made)


def _state(one: TopicEvidence, *, one_space: bool) -> State:
    narrower = one_space and one.spread is not None and one.spread.fell and one.spread.ratio <= NARROWER
    if one.effect > 0:
        return "improved"
    if narrower and (one.effect < 0 or _merged(one)):
        return "collapsed"
    if one.effect < 0:
        return "worse"
    return "drawn together" if narrower else "unchanged"


def _merged(one: TopicEvidence) -> bool:
    halved = one.spread is not None and one.spread.ratio <= HALF
    return halved and one.kept_high is not None and one.kept_high < HALF


def _sentence(one: TopicEvidence) -> str:
    parts = []
    if one.spread is not None:
        parts.append(f"spread {one.spread.base:.3f} to {one.spread.tuned:.3f}")
    if one.kept is not None:
        parts.append(f"{share(one.kept, 0)} of neighbours kept")
    if one.retrieval is not None and one.p_value is not None:
        parts.append(f"NDCG@10 {signed(one.retrieval.difference)}, p = {one.p_value:.2g}")
    return "; ".join(parts)
