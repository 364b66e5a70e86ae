"""The verdict: each rule from evidence made for it, in the order in which rules are gone through."""

from dataclasses import replace
from typing import get_args

import pytest

from lib.finetune.diff import topic_verdicts as states
from lib.finetune.diff.calibration import ROUNDING
from lib.finetune.diff.evidence import Delta, Evidence, TopicEvidence
from lib.finetune.diff.verdict import RULES, Code, judge
from lib.finetune.diff.words import named, ranged, signed
from lib.retrieval.bootstrap import PairedTest

NAN = float("nan")


def paired(difference, *, p=0.001, queries=100):
    """A paired test with this difference."""
    ends = difference - 0.02, difference + 0.02
    return PairedTest("ndcg@10", 0.6, 0.6 + difference, difference, *ends, p, 30, 40, 30, queries)


LUCK = paired(0.01, p=0.4)


def delta(base, tuned, *, reach=0.01):
    return Delta(base, tuned, tuned - base, tuned - base - reach, tuned - base + reach)


def topic(name, *, spread=(0.5, 0.5), kept=0.9, test=LUCK, p=None):
    p = test.p_value if p is None and test is not None else p
    return TopicEvidence(name, delta(*spread), kept, kept + 0.05, test, p)


WORSE, BETTER = paired(-0.1), paired(0.1)
PLAIN = Evidence(
    identical=False, shared=True, composite=0.2, ndcg=LUCK, recall=LUCK,
    anisotropy=delta(0.1, 0.1), spread=delta(0.5, 0.5),
    separation=delta(0.6, 0.6), distance=delta(0.5, 0.5), topics=(topic("law"), topic("tax"), topic("cats")),
)  # fmt: skip
GONE = topic("tax", spread=(0.5, 0.2), test=WORSE)
APART = {"shared": False, "anisotropy": delta(0.1, 0.6), "spread": delta(0.6, 0.25), "separation": delta(0.5, 0.7)}
COLLAPSE = {"anisotropy": delta(0.1, 0.95), "spread": delta(0.5, 0.05)}
CASES = {
    "unchanged": [{"identical": True, "composite": 0.0}, {"composite": ROUNDING}, {"composite": 0.001, "ndcg": None}],
    "two spaces, better": [APART | {"ndcg": BETTER}, APART | {"topics": (topic("law", test=BETTER), topic("tax"))}],
    "two spaces, worse": [
        APART | {"ndcg": WORSE},
        APART | {"ndcg": WORSE, "topics": (topic("law", spread=(0.5, 0.2), kept=0.1), GONE)},  # no collapse
    ],
    "two spaces": [
        APART,
        APART | {"composite": 0.0},
        APART | {"ndcg": None, "topics": (topic("law", spread=(0.5, 0.2), test=None, kept=0.1),)},
        APART | {"ndcg": BETTER, "topics": (topic("law"), topic("tax", test=WORSE))},
    ],
    "collapsed": [
        COLLAPSE | {"ndcg": WORSE},
        COLLAPSE | {"ndcg": None},
        COLLAPSE,  # ranks may outlive it
        {"topics": (replace(GONE, topic="law"), GONE), "ndcg": WORSE},
    ],
    "improved one topic by collapsing another": [
        {"topics": (topic("law", test=BETTER), GONE), "ndcg": LUCK, "recall": BETTER},
        {"topics": (topic("law"), GONE), "ndcg": BETTER},
        {"topics": (topic("law", test=BETTER), GONE), "ndcg": WORSE},
    ],
    "improved, at the price of anisotropy": [
        {"ndcg": BETTER, "anisotropy": delta(0.1, 0.3)},
        COLLAPSE | {"ndcg": BETTER, "topics": ()},
    ],
    "improved": [
        {"ndcg": BETTER},
        {"ndcg": BETTER, "separation": delta(0.6, 0.9)},
        {"ndcg": BETTER, "anisotropy": delta(0.1, 0.12)},  # too little to count
        {"ndcg": BETTER, "anisotropy": delta(0.1, 0.3, reach=0.5)},  # or no more than chance
        {"topics": (topic("law", test=BETTER), topic("tax"))},
        {"ndcg": BETTER, "topics": (topic("law", spread=(0.5, 0.2)),)},  # drawn together, no harm done
        {"ndcg": BETTER, "anisotropy": None, "spread": None, "separation": None, "topics": ()},  # no texts
    ],
    "mixed": [
        {"ndcg": BETTER, "topics": (topic("law"), topic("tax", test=WORSE))},
        {"topics": (topic("law", test=BETTER), topic("tax", test=WORSE))},
    ],
    "worse": [
        {"ndcg": WORSE},
        {"ndcg": WORSE, "topics": (topic("law", test=BETTER),)},
        {"topics": (topic("law"), topic("tax", test=WORSE))},
        {"topics": (topic("law"), GONE)},
        {"anisotropy": delta(0.1, 0.3)},
    ],
    "moved without effect": [{}, {"ndcg": paired(0.004)}, {"separation": delta(0.6, 0.9)}, {"composite": 0.9}],
    "cannot be told": [
        {"ndcg": None, "recall": None, "topics": ()},
        {"ndcg": paired(0.3, queries=9)},
        {"ndcg": None, "separation": delta(0.6, 0.9), "topics": (topic("law", test=None),)},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("code", "changed"), [(code, case) for code, cases in CASES.items() for case in cases])
def test_each_verdict_is_given_where_its_rule_says(code, changed):
    found = judge(replace(PLAIN, **changed))
    assert found.code == code
    assert found.rule == RULES[code]
    begin = "Improved " if code.startswith("improved one") else code.split(",")[0].capitalize()
    assert found.sentence.startswith(begin)
    assert found.sentence.endswith(".")
    assert [one.topic for one in found.topics] == [one.topic for one in replace(PLAIN, **changed).topics]


def test_every_verdict_has_its_cases_and_its_direction():
    assert set(CASES) == set(RULES) == set(get_args(Code))
    good = {code for code, cases in CASES.items() if judge(replace(PLAIN, **cases[0])).direction == "good"}
    bad = {code for code, cases in CASES.items() if judge(replace(PLAIN, **cases[0])).direction == "bad"}
    assert good == {"improved", "two spaces, better"}
    assert bad == {"collapsed", "improved one topic by collapsing another", "worse", "two spaces, worse"}


def test_a_collapse_paid_for_by_recall_is_told_with_both_topics():
    case = {"topics": (topic("law", test=BETTER), GONE), "ndcg": BETTER, "recall": paired(0.05)}
    found = judge(replace(PLAIN, **case))
    assert found.direction == "bad"
    assert "Improved law by collapsing tax" in found.sentence
    assert "Recall@1 rose by 0.050 all the same" in found.sentence
    assert {one.topic: one.state for one in found.topics} == {"law": "improved", "tax": "collapsed"}
    assert {one.what: one.direction for one in found.reasons}["topics"] == "bad"


def test_pulling_topics_apart_is_said_only_where_it_was_found():
    apart = judge(replace(PLAIN, ndcg=BETTER, separation=delta(0.6, 0.9)))
    assert "by pulling topics apart without inflating anisotropy" in apart.sentence
    assert "pulling" not in judge(replace(PLAIN, ndcg=BETTER)).sentence
    unknown = judge(replace(PLAIN, ndcg=BETTER, separation=replace(delta(0.6, 0.9), low=NAN, high=NAN)))
    assert "pulling" not in unknown.sentence
    assert "too few for an interval" in " ".join(one.sentence for one in unknown.reasons)


@pytest.mark.parametrize(
    "shrunk",
    [COLLAPSE | {"ndcg": WORSE, "separation": delta(0.6, 1.6)}, {"ndcg": BETTER, "distance": delta(0.5, 0.3)}],
)
def test_topics_of_a_space_that_shrank_were_not_pulled_apart(shrunk):
    found = judge(replace(PLAIN, **({"separation": delta(0.6, 0.9)} | shrunk)))
    (told,) = [one for one in found.reasons if one.what == "separation"]
    assert told.direction == "neutral"
    assert "no further apart" in told.sentence
    assert "pull" not in found.sentence + told.sentence


def test_two_encoders_of_their_own_are_compared_by_retrieval_alone():
    found = judge(replace(PLAIN, **APART | {"ndcg": WORSE}, topics=(topic("law"), GONE)))
    assert {one.topic: one.state for one in found.topics} == {"law": "unchanged", "tax": "worse"}
    assert {one.what: one.direction for one in found.reasons} == {
        "retrieval": "bad", "topics": "bad", "separation": "neutral", "anisotropy": "neutral", "spread": "neutral",
    }  # fmt: skip
    assert "ollapsed on" not in found.sentence
    assert not any("pulled" in one.sentence or "inflated" in one.sentence for one in found.reasons)
    only = judge(replace(PLAIN, **APART, topics=(topic("law", test=BETTER), topic("tax"))))
    assert "the better one on law" in only.sentence


@pytest.mark.parametrize(
    ("state", "one"),
    [
        ("collapsed", GONE),
        ("collapsed", topic("tax", spread=(0.5, 0.2), test=None, kept=0.3)),  # no queries: its neighbours tell
        ("collapsed", topic("tax", spread=(0.5, 0.2), test=paired(-0.3, queries=4), kept=0.3)),
        ("drawn together", topic("tax", spread=(0.5, 0.2), test=None, kept=0.8)),
        ("collapsed", topic("tax", spread=(0.5, 0.2), kept=0.3)),  # its neighbours tell, whatever its queries say
        ("improved", topic("tax", spread=(0.5, 0.2), kept=0.3, test=BETTER)),
        ("drawn together", topic("tax", spread=(0.5, 0.2))),
        ("drawn together", topic("tax", spread=(0.5, 0.3), test=None, kept=0.3)),  # not to half
        ("improved", topic("tax", spread=(0.5, 0.2), test=BETTER)),
        ("worse", topic("tax", spread=(0.5, 0.45), test=WORSE)),
        ("unchanged", topic("tax", test=paired(-0.004))),  # too little
        ("unchanged", topic("tax", test=WORSE, p=0.06)),  # after Holm's correction
        ("unchanged", TopicEvidence("tax", Delta(0.5, 0.2, -0.3, NAN, NAN), 0.9, None, None, None)),  # one text
        ("worse", TopicEvidence("tax", None, None, None, WORSE, 0.01)),  # only queries have it
    ],
)
def test_what_became_of_a_topic(state, one):
    (found,) = states.topic_verdicts(replace(PLAIN, topics=(one,)))
    assert found.state == state
    assert found.rule == states.RULES[state]


def test_evidence_is_told_with_its_figures():
    told = {one.what: one for one in judge(replace(PLAIN, ndcg=WORSE, anisotropy=delta(0.1, 0.3))).reasons}
    assert list(told) == ["retrieval", "topics", "separation", "anisotropy", "spread"]
    assert told["retrieval"].direction == told["anisotropy"].direction == "bad"
    assert "0.600 to 0.500" in told["retrieval"].sentence
    assert "22" in told["anisotropy"].sentence  # (.3 - .1) / (1 - .1)


def test_a_difference_too_small_to_count_is_not_called_luck():
    found = judge(replace(PLAIN, ndcg=paired(0.004)))
    assert "changed by too little to count" in found.sentence
    assert "changed by too little to count" in found.reasons[0].sentence
    assert "did not change beyond luck" in judge(PLAIN).sentence


def test_words():
    assert [signed(value) for value in (0.5, -0.5, 0.0)] == ["+0.500", "−0.500", "±0.000"]
    assert ranged(0.1, 0.05, 0.2) == "+0.100, 95 % interval +0.050 to +0.200"
    assert ranged(0.1, NAN, NAN) == "+0.100, too few for an interval"
    assert [named("abcde"[:n]) for n in range(5)] == ["", "a", "a and b", "a, b and c", "a, b, c and 1 more"]
