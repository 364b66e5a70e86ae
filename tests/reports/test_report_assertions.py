"""Assertions: what they may say, what they find, and what is told where a number cannot be had."""

import pytest

from lib.errors import InputError
from lib.reports.assertions import check_topics, cutoffs, demand, judged, lines
from lib.reports.names import NAMES, listing, parsed

ALL = ("corpus", "layers", "queries", "against")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ndcg@10>=0.55", True),
        (" ndcg@10  >  0.55 ", False),
        ("ndcg@10 <= 55%", True),
        ("ndcg@10<0.55", False),
        ("ndcg@10 == .55", True),
        ("ndcg@10.low >= 5e-1", True),
        ("ndcg@10[law and order] < 1", True),
        ("anisotropy >= -1", True),
    ],
)
def test_each_operator_at_its_bound(text, holds):
    facts = {"ndcg@10": 0.55, "ndcg@10.low": 0.5, "ndcg@10[law and order]": 0.2, "anisotropy": 0.0}
    (found,) = judged([demand(text)], facts, {}, parts=ALL)
    assert found.holds is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ndgc@10>=0.5", "ndcg@10"),
        ("anisotrpy<1", "anisotropy"),
        ("ndcg@0>0", "ndcg@0"),
        ("ndcg@10", "as in ndcg@10>=0.55"),
        ("ndcg@10>=much", "a number"),
        ("ndcg@10>=nan", "a number"),
        (">=1", "a name"),
        ("", "a name"),
        ("0.2<=ndcg@10<=0.5", "a number"),
        ("x" * 300 + ">1", "at most"),
        ("ndcg@999999>=0", "at most 1,000, got 999,999"),
    ],
)
def test_what_is_no_assertion_says_why(text, told):
    with pytest.raises(InputError, match=told.replace("(", "\\(")):
        demand(text)


def test_a_number_that_cannot_be_had_fails_with_its_reason():
    asked = [demand(text) for text in ("silhouette>0", "ndcg@10>0", "settled<5", "anisotropy.low>0", "two_nn>1")]
    facts, reasons = {"anisotropy": 0.1}, {"silhouette": "It needs labels."}
    found = judged(asked, facts, reasons, parts=("corpus",))
    assert not any(one.holds for one in found)
    told = [one.reason for one in found]
    assert told[0] == "It needs labels."
    assert "no query set" in told[1]
    assert "layers were not run" in told[2]
    assert "no interval" in told[3]
    assert told[4] == "It is not defined for these texts."
    assert lines(found)[0].startswith("FAIL  silhouette > 0")


def test_the_cutoffs_and_topics_that_are_needed():
    asked = [demand("recall@20>0"), demand("bm25.ndcg@3[a]>0"), demand("map>0")]
    assert cutoffs(asked) == (1, 3, 5, 10, 20)
    check_topics(asked, ["a"])
    with pytest.raises(InputError, match="no topic 'a'"):
        check_topics(asked, ["b"])


def test_every_name_is_known_and_listed():
    for name, (needs, _) in NAMES.items():
        assert parsed(name).needs == needs
        assert name in listing()


def test_every_number_of_a_report_has_a_name(report):
    assert [name for name in report.facts if parsed(name) is None] == []
    missing = {name for name, (needs, _) in NAMES.items() if needs in ("corpus", "queries")} - set(report.facts)
    assert missing == set()
