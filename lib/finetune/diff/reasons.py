"""Reasons: each piece of evidence in a sentence, with the rule by which it counts for a change or against it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.finetune.diff.evidence import FEWEST_QUERIES, LEAST, LEVEL, Delta, Evidence
from lib.finetune.diff.topic_verdicts import TopicVerdict
from lib.finetune.diff.words import Direction, named, ranged
from lib.numerals import count, share
from lib.results import Result


@dataclass(frozen=True)
class Reason(Result):
    """One piece of evidence behind a verdict."""

    what: str
    """What was looked at: retrieval, topics, separation, anisotropy, spread."""
    direction: Direction
    """Whether it speaks for the change or against it."""
    sentence: str
    """What was found, with its numbers; it may hold names of topics, which are the user's text."""
    rule: str
    """When it counts as a change, in words."""


def reasons(evidence: Evidence, topics: Sequence[TopicVerdict], *, inflated: float) -> tuple[Reason, ...]:
    """The evidence in sentences; `inflated` is the share of the way to a mean cosine of 1 that is too much."""
    made = [
        _retrieval(evidence),
        _topics(topics, evidence),
        *(_of_two_spaces(evidence) if evidence.shared is False else _of_one_space(evidence, inflated)),
    ]
    return tuple(reason for reason in made if reason is not None)


def _retrieval(evidence: Evidence) -> Reason:
    rule = f"Counts where the paired test over queries has p < {LEVEL:g}, NDCG@10 differs by at least {LEAST:g} and "
    rule += f"there are at least {FEWEST_QUERIES} queries."
    test = evidence.ndcg
    if test is None:
        return Reason("retrieval", "neutral", "Retrieval was not measured: there are no queries.", rule)
    figures = (
        f"NDCG@10 {test.mean_a:.3f} to {test.mean_b:.3f} ({ranged(test.difference, test.low, test.high)}, "
        f"p = {test.p_value:.2g}, queries: {count(test.queries)})"
    )
    if not evidence.told:
        return Reason("retrieval", "neutral", f"Too few queries to tell: {figures}.", rule)
    if evidence.effect == 0 and test.p_value < LEVEL:
        return Reason("retrieval", "neutral", f"Retrieval changed by too little to count: {figures}.", rule)
    if evidence.effect == 0:
        return Reason("retrieval", "neutral", f"Retrieval did not change beyond luck: {figures}.", rule)
    direction: Direction = "good" if evidence.effect > 0 else "bad"
    return Reason("retrieval", direction, f"Retrieval {_better(evidence.effect)}: {figures}.", rule)


def _better(effect: int) -> str:
    return "improved" if effect > 0 else "got worse"


def _topics(topics: Sequence[TopicVerdict], evidence: Evidence) -> Reason | None:
    asked = any(topic.retrieval is not None for topic in evidence.topics)
    if not topics or (evidence.shared is False and not asked):  # between two spaces only queries tell of topics
        return None
    rule = (
        "By topic: NDCG@10 counts as overall, p after Holm's correction; a collapse needs a spread a quarter smaller "
    )
    rule += "and retrieval that fell, or a spread half as large and most neighbours changed."
    told = [
        f"{named(names)} {word}"
        for state, word in (("collapsed", "collapsed"), ("worse", "got worse"), ("improved", "improved"),
                            ("drawn together", "drew together without harm to retrieval"))
        if (names := [topic.topic for topic in topics if topic.state == state])
    ]  # fmt: skip
    if not told:
        return Reason("topics", "neutral", f"No topic of {len(topics)} changed beyond luck.", rule)
    bad = any(topic.direction == "bad" for topic in topics)
    good = any(topic.direction == "good" for topic in topics)
    direction: Direction = "bad" if bad else "good" if good else "neutral"
    return Reason("topics", direction, f"{'; '.join(told)}.", rule)


def _of_one_space(evidence: Evidence, inflated: float) -> list[Reason | None]:
    return [_separation(evidence), _anisotropy(evidence, inflated), _spread(evidence.spread)]


def _of_two_spaces(evidence: Evidence) -> list[Reason]:
    """The figures of two encoders of their own, side by side: none of them changed into the other."""
    figures = (
        ("separation", "Distance between topics over their width", evidence.separation),
        ("anisotropy", "Mean cosine of two texts", evidence.anisotropy),
        ("spread", "Mean distance of a text to its topic's centroid", evidence.spread),
    )
    rule = "Every space has a level of its own: between two of them such a difference is neither good nor bad."
    return [
        Reason(what, "neutral", f"{told}: {one.base:.3f} in the base, {one.tuned:.3f} in the other.", rule)
        for what, told, one in figures
        if one is not None
    ]


def _separation(evidence: Evidence) -> Reason | None:
    one, between = evidence.separation, evidence.distance
    if one is None:
        return None
    rule = (
        "Distance between topics over their width; counts where its whole interval lies on one side of 0. More of it "
        "is good unless topics came nearer to each other as well, or the whole space drew together."
    )
    figures = f"distance over width {one.base:.2f} to {one.tuned:.2f} ({_range(one)})"
    if one.rose and not evidence.pulled_apart:
        nearer = "" if between is None else f", and their distance went from {between.base:.3f} to {between.tuned:.3f}"
        return Reason("separation", "neutral", f"Topics shrank, and are no further apart: {figures}{nearer}.", rule)
    direction: Direction = "good" if one.rose else "bad" if one.fell else "neutral"
    word = "were pulled apart" if one.rose else "overlap more" if one.fell else "stand as far apart as before"
    return Reason("separation", direction, f"Topics {word}: {figures}.", rule)


def _anisotropy(evidence: Evidence, inflated: float) -> Reason | None:
    one = evidence.anisotropy
    if one is None:
        return None
    rule = (
        f"Mean cosine of two texts; inflated where its whole interval lies above 0 and it used up {share(inflated, 0)} "
    )
    rule += "of its way to 1."
    figures = f"mean cosine {one.base:.3f} to {one.tuned:.3f} ({_range(one)})"
    if one.rose and evidence.room_used >= inflated:
        used = share(evidence.room_used, 0)
        return Reason("anisotropy", "bad", f"Anisotropy was inflated by {used} of its way to 1: {figures}.", rule)
    if one.fell and evidence.room_used <= -inflated:
        return Reason("anisotropy", "good", f"Texts fill the sphere more evenly: {figures}.", rule)
    return Reason("anisotropy", "neutral", f"Anisotropy was not inflated: {figures}.", rule)


def _spread(one: Delta | None) -> Reason | None:
    if one is None:
        return None
    rule = "Mean distance of a text to its topic's centroid, as the mean over topics; neither good nor bad by itself."
    word = "narrower" if one.fell else "wider" if one.rose else "as wide as before"
    return Reason("spread", "neutral", f"Topics are {word}: {one.base:.3f} to {one.tuned:.3f} ({_range(one)}).", rule)


def _range(one: Delta) -> str:
    return ranged(one.change, one.low, one.high)
