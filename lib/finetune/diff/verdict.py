"""Verdict: was the change good or bad? Told by stated rules from differences that luck does not explain.

The rules are gone through in the order of `RULES`; the first that holds decides. Two encoders that share no space are
compared by retrieval alone: nothing moved from one to the other, so that nothing collapsed. Retrieval counts as changed
where NDCG@10 differs by at least .005 and the paired test has p < .05 (over topics: after Holm's correction), a figure
of the space where its whole 95 % interval lies on one side of 0. Of 200 made-up pairs of checkpoints that differed by
luck alone, 11 were called improved or worse: about as often as a test at 5 % must.
"""

from dataclasses import dataclass
from typing import Literal

from lib.finetune.diff.calibration import ROUNDING
from lib.finetune.diff.evidence import FEWEST_QUERIES, LEVEL, Evidence
from lib.finetune.diff.reasons import Reason, reasons
from lib.finetune.diff.topic_verdicts import TopicVerdict, topic_verdicts
from lib.finetune.diff.words import Direction, named, ranged
from lib.results import Result

Code = Literal[
    "unchanged",
    "two spaces, better",
    "two spaces, worse",
    "two spaces",
    "collapsed",
    "improved one topic by collapsing another",
    "cannot be told",
    "worse",
    "mixed",
    "improved, at the price of anisotropy",
    "improved",
    "moved without effect",
]
"""Verdicts, each with a rule in `RULES`."""

INFLATED = 0.05
"""Share of the way to a mean cosine of 1 from which on anisotropy counts as inflated."""

RULES: dict[Code, str] = {
    "unchanged": "Every vector and every rank is the same, or, within one space, drift is no more than rounding to "
    "bfloat16 makes and retrieval did not change.",
    "two spaces, better": "The two share no space, and the other retrieves better, overall or on some topic, and "
    "worse on none.",
    "two spaces, worse": "The two share no space, and the other retrieves worse, overall or on some topic, and "
    "better on none.",
    "two spaces": "The two share no space, and neither retrieves better all round, as far as the queries tell.",
    "collapsed": "The mean cosine of two texts rose at least half of its way to 1 and topics became at most half as "
    "wide, or every topic collapsed; and retrieval did not improve.",
    "improved one topic by collapsing another": "A topic collapsed, while retrieval improved overall or on another "
    "topic; whatever Recall@1 says.",
    "cannot be told": f"There are fewer than {FEWEST_QUERIES} queries to judge by, and nothing collapsed.",
    "worse": "Retrieval got worse overall; or a topic got worse or collapsed, or anisotropy was inflated, and nothing "
    "was gained.",
    "mixed": "Retrieval improved overall or on some topic, and got worse on another that did not collapse.",
    "improved, at the price of anisotropy": "Retrieval improved, and the mean cosine of two texts rose by at least "
    "5 % of its way to 1.",
    "improved": "Retrieval improved, no topic collapsed or got worse, and anisotropy was not inflated.",
    "moved without effect": "The space moved by more than rounding, and NDCG@10 did not change by more than luck, or "
    "by less than .005.",
}
"""When each verdict is given."""

_DIRECTIONS: dict[Code, Direction] = {
    "unchanged": "neutral",
    "two spaces, better": "good",
    "two spaces, worse": "bad",
    "two spaces": "neutral",
    "collapsed": "bad",
    "improved one topic by collapsing another": "bad",
    "improved, at the price of anisotropy": "neutral",
    "improved": "good",
    "mixed": "neutral",
    "worse": "bad",
    "moved without effect": "neutral",
    "cannot be told": "neutral",
}


@dataclass(frozen=True)
class Verdict(Result):
    """What a fine-tune did, in a word and in a sentence."""

    code: Code
    """The verdict in a few words."""
    direction: Direction
    """Good drift, bad drift, or neither."""
    sentence: str
    """The verdict in a sentence; it may hold names of topics, which are the user's text."""
    reasons: tuple[Reason, ...]
    """The evidence it rests on: retrieval, topics, separation, anisotropy."""
    topics: tuple[TopicVerdict, ...]
    """What became of each topic: those of the corpus in its order, then those that only queries have."""
    rule: str
    """When this verdict is given, in words."""


def judge(evidence: Evidence) -> Verdict:
    """The verdict on this evidence, by the first of `RULES` that holds."""
    topics = topic_verdicts(evidence)
    code = _code(evidence, topics)
    sentence = _sentence(code, evidence, topics)
    return Verdict(code, _DIRECTIONS[code], sentence, reasons(evidence, topics, inflated=INFLATED), topics, RULES[code])


def _code(evidence: Evidence, topics: tuple[TopicVerdict, ...]) -> Code:
    gone = [topic for topic in topics if topic.state == "collapsed"]
    gained = evidence.effect > 0 or any(topic.state == "improved" for topic in topics)
    if evidence.identical:
        return "unchanged"
    if evidence.shared is False:
        return _between_spaces(evidence, topics)
    if (evidence.drew_together or (len(gone) > 1 and len(gone) == len(topics))) and evidence.effect <= 0:
        return "collapsed"
    if gone:
        return "improved one topic by collapsing another" if gained else "worse"
    small = evidence.composite is not None and evidence.composite <= ROUNDING
    if small and evidence.effect == 0 and not any(topic.direction != "neutral" for topic in topics):
        return "unchanged"
    if not evidence.told:
        return "cannot be told"
    return _by_retrieval(evidence, topics, gained=gained)


def _between_spaces(evidence: Evidence, topics: tuple[TopicVerdict, ...]) -> Code:
    states = {topic.state for topic in topics}
    better = evidence.effect > 0 or "improved" in states
    worse = evidence.effect < 0 or "worse" in states
    if better == worse:
        return "two spaces"
    return "two spaces, better" if better else "two spaces, worse"


def _by_retrieval(evidence: Evidence, topics: tuple[TopicVerdict, ...], *, gained: bool) -> Code:
    lost = any(topic.state == "worse" for topic in topics)
    inflated = _inflated(evidence)
    if evidence.effect < 0 or (lost and not gained) or (inflated and not gained):
        return "worse"
    if gained and lost:
        return "mixed"
    if gained:
        return "improved, at the price of anisotropy" if inflated else "improved"
    return "moved without effect"


def _inflated(evidence: Evidence) -> bool:
    return evidence.anisotropy is not None and evidence.anisotropy.rose and evidence.room_used >= INFLATED


def _sentence(code: Code, evidence: Evidence, topics: tuple[TopicVerdict, ...]) -> str:
    """The verdict, with the figures that decided."""
    told = {
        state: named([topic.topic for topic in topics if topic.state == state])
        for state in ("collapsed", "improved", "worse")
    }
    ndcg, cosine = _told_ndcg(evidence), _told_cosine(evidence)
    gain = "" if evidence.effect > 0 or not told["improved"] else f" on {told['improved']}"
    if code == "unchanged":
        same = "both checkpoints are the same on these texts, to the last digit"
        return f"Unchanged: {same if evidence.identical else 'the space moved no more than rounding moves it'}."
    if evidence.shared is False:
        return _of_two_spaces(code, evidence, told, ndcg=ndcg)
    if code == "collapsed":
        return f"Collapsed: all texts drew together{cosine}; {ndcg}."
    if code == "improved one topic by collapsing another":
        return (
            f"Improved {told['improved'] or 'retrieval'} by collapsing {told['collapsed']}: {ndcg}.{_recall(evidence)}"
        )
    if code == "improved, at the price of anisotropy":
        return f"Improved{gain}, at the price of anisotropy: {ndcg}, but all texts look more alike{cosine}."
    if code == "improved":
        even = "" if evidence.anisotropy is None else " without inflating anisotropy"
        return f"Improved{gain}{' by pulling topics apart' if evidence.pulled_apart else ''}{even}: {ndcg}."
    if code == "mixed":
        return f"Mixed: {told['improved'] or 'retrieval overall'} improved and {told['worse']} got worse; {ndcg}."
    if code == "worse":
        return _worse(evidence, told, ndcg=ndcg, cosine=cosine)
    if code == "moved without effect":
        return f"Moved without effect: the space changed, but {ndcg}."
    return f"Cannot be told: whether the change is good, only queries can say, and {ndcg}."


def _of_two_spaces(code: Code, evidence: Evidence, told: dict[str, str], *, ndcg: str) -> str:
    end = "What moved, drew together or collapsed can be told within one space alone."
    on = {state: f" on {told[state]}" if told[state] and not evidence.effect else "" for state in ("improved", "worse")}
    if code == "two spaces, better":
        return f"Two spaces: in effect another encoder, and the better one{on['improved']}; {ndcg}. {end}"
    if code == "two spaces, worse":
        return f"Two spaces: in effect another encoder, and the worse one{on['worse']}; {ndcg}. {end}"
    if told["improved"] and told["worse"]:
        ndcg = f"it is better on {told['improved']} and worse on {told['worse']}; {ndcg}"
    return f"Two spaces: in effect another encoder; {ndcg}. {end}"


def _worse(evidence: Evidence, told: dict[str, str], *, ndcg: str, cosine: str) -> str:
    if told["collapsed"]:
        return f"Worse: {told['collapsed']} collapsed and nothing was gained; {ndcg}."
    if evidence.effect < 0:
        return f"Worse: {ndcg}."
    if told["worse"]:
        return f"Worse: {told['worse']} got worse and nothing was gained; {ndcg}."
    return f"Worse: all texts look more alike{cosine} and nothing was gained; {ndcg}."


def _recall(evidence: Evidence) -> str:
    test = evidence.recall
    return f" Recall@1 rose by {test.difference:.3f} all the same." if test is not None and test.difference > 0 else ""


def _told_ndcg(evidence: Evidence) -> str:
    test = evidence.ndcg
    if test is None:
        return "there are no queries to measure retrieval with"
    if not evidence.told:
        return f"{test.queries} queries are too few (at least {FEWEST_QUERIES})"
    figures = f"({ranged(test.difference, test.low, test.high)})"
    if evidence.effect == 0 and test.p_value < LEVEL:
        return f"NDCG@10 changed by too little to count {figures}"
    if evidence.effect == 0:
        return f"NDCG@10 did not change beyond luck {figures}"
    return f"NDCG@10 {'rose' if evidence.effect > 0 else 'fell'} {figures}"


def _told_cosine(evidence: Evidence) -> str:
    one = evidence.anisotropy
    return "" if one is None else f" (mean cosine {one.base:.2f} to {one.tuned:.2f})"
