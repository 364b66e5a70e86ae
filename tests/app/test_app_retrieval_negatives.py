"""The Hard negatives view: the sample against the library, sources, triplets, a cross-encoder, odd sets."""

import io
import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from lib.corpora import load_query_set
from lib.encoders.cross_encoder import open_cross_encoder
from lib.retrieval import bm25_search, search
from lib.retrieval.negatives import hard_negatives
from lib.retrieval.pairs import judged_scores, rescored
from lib.retrieval.triplets import triplet_lines, triplets
from lib.ui import resources
from lib.ui.retrieval import contenders, reranking_cached
from tests.query_spaces import made_set, made_space
from tests.toy_reranking import save, toy_space, trained

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
SPACES = {
    "plain": lambda: made_space(made_set(12, 30, topics=3), noise=3),
    "one query": lambda: made_space(made_set(1, 5)),
    "none judged 0": lambda: made_space(made_set(6, 6), noise=3),
    "only one document": lambda: made_space(made_set(1, 1)),
    "nothing relevant": lambda: made_space(made_set(4, 9, grade=0)),
    "one without": lambda: made_space(made_set(6, 20, skip=2)),
    "hostile": lambda: made_space(made_set(6, 20, topics=2, word=HOSTILE)),
    "toy": toy_space,
}


@pytest.fixture
def view(monkeypatch):
    """Run the view alone on one of SPACES, with query parameters and session state."""

    def page():
        import os

        from lib.ui.retrieval import negatives
        from lib.ui.views import show_views
        from tests.app.test_app_retrieval_negatives import SPACES

        show_views({"Hard negatives": negatives.show}, SPACES[os.environ["TESTED_SPACE"]]())

    def opened(space, *, cross_encoder=None, **query):
        monkeypatch.setenv("TESTED_SPACE", space)
        at = AppTest.from_function(page, default_timeout=60)
        at.query_params.update(query)
        if cross_encoder:
            at.session_state[reranking_cached.CHOICE] = str(cross_encoder)
        return checked(at.run())

    return opened


def checked(at):
    assert not at.exception, [fault.value for fault in at.exception]
    return at


def numbers(at):
    return {metric.label: metric.value.replace("\u202f", " ").replace("−", "-") for metric in at.metric}


def said(at):
    return "\n".join(text.value for text in (*at.caption, *at.markdown, *at.error, *at.info))


def gaps_of(space, **settings):
    """Run, scores of judged pairs and hard negatives, from the library."""
    queries = space.queries
    run = search(space.query_vectors, space.document_vectors, 100, tie_order=queries.tie_order)
    scores = judged_scores(queries, space.query_vectors, space.document_vectors)
    return run, scores, hard_negatives(queries, run, judged_scores=scores, **settings)


def chart(at, key):
    (found,) = [chart for chart in at.get("plotly_chart") if chart.proto.id.rsplit("-", 1)[1] == key]
    return json.loads(found.proto.spec)


@pytest.mark.parametrize("source", ["mined", "explicit"])
def test_shows_what_the_library_finds(view, source):
    at = view("plain", negatives_source=source)
    space = SPACES["plain"]()
    run, scores, found = gaps_of(space, source=source)
    made = triplets(space.queries, run, judged_scores=scores, source=source)
    shown = numbers(at)
    assert shown["Hard-negative gap"] == f"{found.hard_negative_gap:.3f}"
    assert shown["Below 0"] == f"{100 * found.share_below:.1f} %"
    assert shown["Maybe unlabelled"].startswith(f"{found.suspicious.sum()} (")
    assert shown["Queries"] == "12"
    assert shown["Triplets"] == str(len(made.query))
    assert shown["Passed over"] == str(made.left_out)
    table = next(frame.value for frame in at.dataframe if "gap" in frame.value.columns)
    assert table["gap"].tolist() == pytest.approx(sorted(found.gap))
    marks = [("judged 0" if e else "◇ maybe unlabelled" if s else "") for e, s in
             zip(found.explicit[found.worst], found.suspicious[found.worst], strict=True)]  # fmt: skip
    assert table["mark"].tolist() == marks
    assert ("6 queries with no document judged 0" in said(at)) == (source == "explicit")
    assert {chart.proto.id.rsplit("-", 1)[1] for chart in at.get("plotly_chart")} == {
        "gaps",
        "gap_scores",
        "gap_by_topic",
    }


def test_the_sample(app):
    shown = app(page="retrieval", view="Hard negatives")
    assert shown.numbers["Queries"] == "156"
    queries = load_query_set("topics")
    table = shown.table("hardest negative")
    assert len(table) == 50
    assert set(table["hardest negative"]) <= set(queries.documents)
    assert f"{table['true score'][0]:.3f}" in shown.captions  # the pair that is read in full


def test_the_pair_that_is_read_stands_in_the_address(view):
    at = view("plain", negatives_pair="3")
    table = next(frame.value for frame in at.dataframe if "gap" in frame.value.columns)
    assert table["query"][2] in said(at)
    assert table["hardest negative"][2] in said(at)


def test_triplets_follow_their_settings(view):
    at = view("plain", triplets_negatives="3", triplets_margin="0.2", triplets_doubtful="marked")
    space = SPACES["plain"]()
    run, scores, _ = gaps_of(space)
    made = triplets(space.queries, run, judged_scores=scores, negatives=3, margin=0.2, keep_suspicious=True)
    assert numbers(at)["Triplets"] == str(len(made.query)) == "36"
    assert numbers(at)["Marked"] == str(made.suspicious.sum())
    assert "and suspicious: filter by it" in said(at)
    lines = [json.loads(line) for line in io.StringIO(triplet_lines(space.queries, made, marks=True))]
    assert sum(line["suspicious"] for line in lines) == made.suspicious.sum()


def test_the_relative_margin(view):
    at = view("plain", triplets_negatives="4", triplets_margin="0.05", triplets_relative="0.4")
    space = SPACES["plain"]()
    run, scores, _ = gaps_of(space)
    made = triplets(space.queries, run, judged_scores=scores, negatives=4, margin=0.05, relative_margin=0.4)
    assert numbers(at)["Passed over"] == str(made.left_out)
    assert made.left_out > triplets(space.queries, run, judged_scores=scores, negatives=4, margin=0.05).left_out


def test_without_judged_negatives_explicit_ones_are_not_to_choose(view):
    for query in ({}, {"negatives_source": "explicit"}):
        at = view("none judged 0", **query)
        (choice,) = [group for group in at.button_group if group.key == "negatives_source"]
        assert choice.options == ["mined", "BM25"]
        assert "No document is judged 0" in said(at)
        assert numbers(at)["Hard-negative gap"] == numbers(view("none judged 0"))["Hard-negative gap"]


def test_gaps_by_topic(view):
    drawn = chart(view("plain"), "gap_by_topic")
    *_, found = gaps_of(SPACES["plain"]())
    lowest_first = sorted(found.by_topic, key=lambda one: one.mean)
    assert drawn["data"][0]["x"] == pytest.approx([one.mean for one in lowest_first])
    assert drawn["data"][1]["x"] == pytest.approx([found.hard_negative_gap])
    assert "hard-negative gap (cosine)" in drawn["layout"]["xaxis"]["title"]["text"]
    assert "gap_by_topic" not in str([c.proto.id for c in view("one query").get("plotly_chart")])


def of_bm25(space):
    """Hard negatives and triplets out of BM25's ranking, from the library."""
    queries, vectors = space.queries, (space.query_vectors, space.document_vectors)
    run = rescored(bm25_search(queries.queries, queries.documents, 100, tie_order=queries.tie_order), *vectors)
    scores = judged_scores(queries, *vectors)
    found = hard_negatives(queries, run, judged_scores=scores, source="BM25")
    return found, triplets(queries, run, judged_scores=scores, source="BM25")


def test_negatives_of_bm25(view):
    at = view("plain", negatives_source="BM25")
    found, made = of_bm25(SPACES["plain"]())
    assert numbers(at)["Hard-negative gap"] == f"{found.hard_negative_gap:.3f}"
    assert numbers(at)["Queries"] == str(len(found.gap))
    assert numbers(at)["Triplets"] == str(len(made.query))
    assert "share the query's words without answering it" in said(at)
    assert "Negatives come in BM25's order" in said(at)


def test_bm25_ranks_once_for_this_view_and_the_comparison(view, monkeypatch):
    contenders._by_words.clear()
    ranked = []
    real = contenders._ranked_by_words
    monkeypatch.setattr(contenders, "_ranked_by_words", lambda *given: ranked.append(given) or real(*given))
    view("plain", negatives_source="BM25")
    view("plain", negatives_source="BM25", triplets_negatives="2")
    contenders.by_words(SPACES["plain"]().queries, "english")
    assert len(ranked) == 1


def test_a_large_set_is_asked_about_before_bm25_ranks_it(view, monkeypatch):
    contenders._by_words.clear()
    monkeypatch.setattr(contenders, "_PAIRS_AT_ONCE", 1)
    at = view("plain", negatives_source="BM25")
    assert "Hard-negative gap" not in numbers(at)
    next(button for button in at.button if button.label == "Rank by BM25").click()
    assert "Hard-negative gap" in numbers(checked(at.run()))


def test_explicit_triplets_take_documents_judged_0_first(view):
    at = view("plain", negatives_source="explicit")
    assert "Documents judged 0 come first" in said(at)
    space = SPACES["plain"]()
    run, scores, _ = gaps_of(space)
    made = triplets(space.queries, run, judged_scores=scores, source="explicit")
    assert made.explicit.sum() == 6
    assert numbers(at)["Passed over"] == str(made.left_out)


def test_the_main_figure_can_be_taken_away(view):
    assert "HTML" in [button.label for button in view("plain").get("download_button")]


@pytest.mark.parametrize("space", ["only one document", "nothing relevant"])
def test_without_pairs_it_says_what_to_do(view, space):
    assert "No query has both a relevant document and another one" in view(space).error[0].value.replace("\\", "")


def test_left_out_queries_are_counted(view):
    assert "2 queries without a relevant document left out." in said(view("one without")).replace("\\", "")


def test_one_query_has_no_interval(view):
    metric = next(metric for metric in view("one query").metric if metric.label == "Hard-negative gap")
    assert metric.delta == "one query: no interval"


def test_hostile_texts_are_shown_as_they_are(view):
    at = view("hostile")
    drawn = re.sub(r"\\.", "", said(at))  # what is escaped is only shown
    assert "document" in drawn
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math", "**bold"))
    for chart in at.get("plotly_chart"):
        assert "<img" not in chart.proto.spec


def test_another_similarity_is_said_and_used(view):
    at = view("plain", measure="l2")
    space = SPACES["plain"]()
    run = search(space.query_vectors, space.document_vectors, 100, measure="l2", tie_order=space.queries.tie_order)
    assert numbers(at)["Hard-negative gap"] == f"{hard_negatives(space.queries, run).hard_negative_gap:.3f}"
    assert "Scores by l2 are negative distances" in said(at).replace("\\", "")


# A cross-encoder


@pytest.fixture
def cross_encoder(tmp_path, monkeypatch):
    """The folder of a small trained one."""
    folder = save(trained(), tmp_path / "toy-reranker")
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    for cached in (resources.policy, reranking_cached.checkpoint, reranking_cached._scores):
        cached.clear()
    yield folder
    resources.policy.clear()


def test_a_cross_encoder_is_asked_about_suspicious_negatives(view, cross_encoder):
    at = view("toy", cross_encoder=cross_encoder)
    assert "Cross-encoder agrees" not in numbers(at)
    assert "can be asked about the suspicious negatives" in said(at).replace("\\", "")
    next(button for button in at.button if button.label == "Ask the cross-encoder").click()
    checked(at.run())
    space = toy_space()
    *_, found = gaps_of(space)
    reader, rows = open_cross_encoder(str(cross_encoder), policy=resources.policy()), found.suspicious.nonzero()[0]
    texts = space.queries
    agreed = 0
    for row in rows:
        pairs = [
            (texts.queries[found.query[row]], texts.documents[d]) for d in (found.positive[row], found.negative[row])
        ]
        scored = next(iter(reader.stream(pairs)))
        true, false = scored.logits[scored.items.argsort()]
        agreed += false > true
    assert len(rows) > 3
    assert numbers(at)["Cross-encoder agrees"] == f"{agreed} of {len(rows)}"
    table = next(frame.value for frame in at.dataframe if "gap" in frame.value.columns)
    assert (table["mark"] == "◆ cross-encoder agrees").sum() == agreed
    run, scores, _ = gaps_of(space)
    known = reranking_cached.scores(space, reranking_cached.checkpoint(str(cross_encoder)))
    made = triplets(texts, run, judged_scores=scores, opinion=known.find)
    assert len(made.query) >= len(triplets(texts, run, judged_scores=scores).query)
    assert made.suspicious.any()  # those that the cross-encoder clears
    assert numbers(at)["Cleared"] == str(made.suspicious.sum())
    assert numbers(at)["Passed over"] == str(made.left_out)


def test_without_a_cross_encoder_it_says_where_to_choose_one(view):
    assert "Choose a cross\\-encoder under Reranking" in said(view("plain"))


def test_one_that_cannot_be_opened_is_as_none(view, cross_encoder):
    assert "Choose a cross\\-encoder under Reranking" in said(view("plain", cross_encoder=cross_encoder.parent / "no"))
