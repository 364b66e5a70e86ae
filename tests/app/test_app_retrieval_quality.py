"""The Quality view: the sample against the library, gains and cut-offs, odd sets, downloads, hostile names."""

import dataclasses
import json
import re

import pytest

from lib.corpora import load_query_set
from lib.embeddings import embed
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.retrieval import evaluate, summarise
from lib.retrieval.ranks import topic_ranks
from lib.store import default_store
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.quality_cached import Report, quality
from tests.query_spaces import made_set, made_space

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
SPACES = {
    "plain": lambda: made_space(made_set(12, 30, topics=3)),
    "no topics": lambda: made_space(made_set(12, 30)),
    "one query": lambda: made_space(made_set(1, 5)),
    "one document": lambda: made_space(made_set(1, 1)),
    "perfect": lambda: made_space(made_set(6, 6), noise=0),
    "nothing relevant": lambda: made_space(made_set(4, 9, grade=0)),
    "one without": lambda: made_space(made_set(6, 20, skip=2)),
    "hostile": lambda: made_space(made_set(6, 20, topics=2, word=HOSTILE)),
    "many topics": lambda: made_space(made_set(120, 130, topics=60)),
}


@pytest.fixture(scope="module")
def sample_vectors():
    """The sample set and the vectors of its queries and documents."""
    queries, policy = load_query_set("topics"), Policy.from_environment()
    checkpoint = describe(PACKAGED, policy=policy)
    sides = (("query", queries.queries), ("document", queries.documents))
    made = [
        embed(texts, checkpoint, lambda: open_encoder(checkpoint, policy=policy), default_store(), role=role).vectors
        for role, texts in sides
    ]
    return queries, *made


@pytest.fixture
def view(view_alone):
    """Run the view alone on one of SPACES, with query parameters."""
    return lambda space, **query: view_alone("quality", "tests.app.test_app_retrieval_quality", space, **query)


def numbers(at):
    return {metric.label: metric.value.replace("\u202f", " ").replace("−", "-") for metric in at.metric}


def said(at):
    return "\n".join(text.value for text in (*at.caption, *at.markdown, *at.subheader, *at.error, *at.info))


def test_the_sample_shows_what_the_library_finds(app, sample_vectors):
    shown = app(page="retrieval", view="Quality")
    expected = evaluate(*sample_vectors)
    of = {(s.metric, s.group): s for s in expected.summaries}
    for label, name in {
        "Recall@1": "recall@1", "Recall@5": "recall@5", "Recall@10": "recall@10", "MRR": "mrr", "NDCG@10": "ndcg@10",
        "Hit rate@1": "hit@1", "Hit rate@5": "hit@5", "Hit rate@10": "hit@10",
    }.items():  # fmt: skip
        found = of[name, None]
        assert shown.numbers[label] == f"{found.mean:.3f}"
        metric = next(metric for metric in shown.page.metric if metric.label == label)
        assert metric.delta == f"{found.low:.3f} to {found.high:.3f}"
    table = shown.table("metric").set_index("metric")
    assert table.columns.tolist() == ["all queries (156)", "finance (52)", "legal (52)", "medical (52)"]
    legal = of["map", "legal"]
    assert table.loc["MAP", "legal (52)"] == f"{legal.mean:.3f}  ({legal.low:.3f} to {legal.high:.3f})"
    assert shown.numbers["Median rank"] == f"{expected.ranks.median:g}"
    assert len(shown.charts["by_topic"]["data"][0]["customdata"]) == 3
    assert set(shown.charts) == {"by_topic", "first_ranks", "rank_curve"}
    tail = shown.table("closest true document")
    assert tail["rank"].tolist() == sorted(expected.ranks.rank.tolist(), reverse=True)[:50]
    assert "Recall@k** is the share" in shown.captions
    assert "Hit rate@k** (success@k) counts a query" in shown.captions


def test_gain_and_cut_offs_stand_in_the_address(app, sample_vectors):
    shown = app(page="retrieval", view="Quality", quality_gain="exponential", quality_k=["3", "7"])
    expected = evaluate(*sample_vectors, gain="exponential", cutoffs=[3, 7, 10])
    of = {s.metric: s for s in expected.summaries if s.group is None}
    assert shown.numbers["NDCG@10"] == f"{of['ndcg@10'].mean:.3f}"
    table = shown.table("metric").set_index("metric")
    assert table.index.tolist() == [
        "Recall@3", "Hit rate@3", "NDCG@3", "Precision@3", "MRR@3",
        "Recall@7", "Hit rate@7", "NDCG@7", "Precision@7", "MRR@7", "MRR", "MAP",
    ]  # fmt: skip
    assert table.loc["NDCG@7"].iloc[0].startswith(f"{of['ndcg@7'].mean:.3f}")
    assert table.loc["MRR@7"].iloc[0].startswith(f"{of['mrr@7'].mean:.3f}")
    assert "MRR@10 is what MS MARCO reports" in shown.captions


def test_ranks_by_topic(app, view, sample_vectors):
    shown = app(page="retrieval", view="Quality")
    table = shown.table("median rank")
    expected = topic_ranks(evaluate(*sample_vectors).ranks, sample_vectors[0].topics)
    assert table["topic"].tolist() == [one.topic for one in expected]
    assert set(table["topic"]) == {"finance", "legal", "medical"}
    assert table["median rank"].tolist() == [one.median for one in expected]
    assert table["at rank 1"].tolist() == [100 * one.first for one in expected]
    assert table["beyond 100"].tolist() == [100 * one.beyond_100 for one in expected]
    assert table["queries"].sum() == 156
    assert not [frame for frame in view("no topics").dataframe if "median rank" in frame.value.columns]


def test_the_main_figure_can_be_taken_away(view):
    assert "HTML" in [button.label for button in view("plain").get("download_button")]


def test_another_metric_by_topic(view):
    at = view("plain", quality_metric="hit@5")
    (chart,) = [c for c in at.get("plotly_chart") if c.proto.id.endswith("by_topic")]
    assert "Hit rate@5" in json.loads(chart.proto.spec)["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize("cutoff", ["0", "x", "-3", "1.5", "10000000", "²"])
def test_a_cut_off_that_is_none_is_refused(view, cutoff):
    at = view("plain", quality_k=["10", cutoff])
    assert "A cut\\-off should be a whole number of 1 or more" in at.error[0].value


def test_no_cut_off_means_10(view):
    assert view("plain", quality_k=[]).dataframe


@pytest.mark.parametrize("space", ["plain", "no topics", "one query", "one document", "perfect", "many topics"])
def test_ordinary_and_odd_sets_are_shown(view, space):
    at = view(space)
    assert numbers(at)["MRR"]
    assert ("Which topics does it find harder?" in said(at)) == (space in ("plain", "many topics"))


def test_one_query_has_no_interval(view):
    at = view("one query")
    assert {metric.delta for metric in at.metric if "@" in metric.label} == {"one query: no interval"}


def test_where_all_succeed_there_is_no_tail(view):
    at = view("perfect")
    assert numbers(at)["At rank 1"] == "100.0 %"
    assert "every query has a relevant document at rank 1" in said(at)


def test_queries_without_a_relevant_document_are_counted(view):
    at = view("one without")
    assert "2 of 6 queries have no relevant document: left out of every mean" in said(at).replace("\\", "")
    assert "Means over 4 queries" in said(at)


def test_nothing_relevant_at_all_is_refused(view):
    at = view("nothing relevant")
    assert "None of the 4 queries has a relevant document" in at.error[0].value.replace("\\", "")


def test_hostile_names_are_shown_as_they_are(view):
    at = view("hostile")
    drawn = re.sub(r"\\.", "", said(at))  # what is escaped is only shown
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math"))
    for chart in at.get("plotly_chart"):
        assert "<img" not in chart.proto.spec


def test_only_so_many_topics_make_columns(view):
    at = view("many topics")
    table = next(frame.value for frame in at.dataframe if "metric" in frame.value.columns)
    assert len(table.columns) == 42
    assert "The 40 lowest of 60 are drawn" in said(at)


def test_the_download_is_the_command_lines_report(sample_vectors):
    queries, left, right = sample_vectors
    checkpoint = describe(PACKAGED, policy=Policy.from_environment())
    space = QuerySpace(queries, checkpoint, "float32", left, right, "test of the download", 0, 0)
    made = Report(space, "cosine", quality(space, "cosine", "linear", (1, 5, 10))).to_dict()
    assert made == evaluate(queries, left, right).report()
    json.dumps(made, allow_nan=False)


def test_summaries_are_those_of_the_chosen_depths():
    space = made_space(made_set(12, 30, topics=3))
    found = quality(space, "cosine", "linear", (2,))
    expected = summarise(found.metrics, groups=space.queries.topics)
    assert [made.to_dict() for made in found.summaries] == [made.to_dict() for made in expected]
    assert [summary.group for summary in found.of("hit@2")] == [None, "topic 0", "topic 1", "topic 2"]


def test_ids_with_blanks_are_said(monkeypatch, view):
    odd = dataclasses.replace(made_set(3, 4), document_ids=("a b", "c", "d", "e"))
    monkeypatch.setattr("tests.app.test_app_retrieval_quality.SPACES", {"odd ids": lambda: made_space(odd)})
    assert "all document ids are percent" in said(view("odd ids")).replace("\\", "")
