"""The Reranking view: nothing chosen, a trained cross-encoder, a stop, bad folders, hostile names."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy
from lib.encoders.cross_encoder import open_cross_encoder
from lib.retrieval.exports import trec_run
from lib.retrieval.pair_scores import PairScores
from lib.retrieval.reranking import Reranked, reorder, rerank
from lib.retrieval.reranking_effect import reranking_effect
from lib.ui import resources
from lib.ui.retrieval import reranking_cached
from lib.ui.retrieval.run_download import reranked_alone
from tests.toy_reranking import blank, save, toy_set, toy_space, trained, words_run


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The folder of the trained cross-encoder."""
    return save(trained(), tmp_path_factory.mktemp("toy") / "toy-reranker")


@pytest.fixture(autouse=True)
def roots(toy, tmp_path, monkeypatch):
    """Only these folders may be opened; nothing is known at the start."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", f"{toy.parent}:{tmp_path}")
    for cached in (resources.policy, reranking_cached.checkpoint, reranking_cached._scores):
        cached.clear()
    yield
    resources.policy.clear()


def page():
    """The view alone, on the toy set."""
    from lib.ui.retrieval import reranking
    from lib.ui.views import show_views
    from tests.toy_reranking import toy_space

    show_views({"Reranking": reranking.show}, toy_space())


class View:
    """The view, run once; `at` is Streamlit's own test double."""

    def __init__(self, **query):
        self.at = AppTest.from_function(page, default_timeout=60)
        self.at.query_params.update({key: str(value) for key, value in query.items()})
        self.run()

    def run(self):
        """Run it as the browser would."""
        for box in self.at.selectbox:
            if box.value is not None and box.value not in box.options:  # typed by the user: the double knows it not
                box.options.append(box.value)
        self.at.run()
        assert not self.at.exception, [fault.value for fault in self.at.exception]
        return self

    def press(self, label):
        next(button for button in self.at.button if button.label == label).click()
        return self.run()

    @property
    def numbers(self):
        return {metric.label: metric.value.replace("−", "-") for metric in self.at.metric}

    @property
    def told(self):
        """All that is said, as one text without Markdown's escapes."""
        kinds = (self.at.info, self.at.error, self.at.caption, self.at.markdown)
        return "\n".join(item.value for kind in kinds for item in kind).replace("\u202f", " ").replace("\\", "")

    @property
    def buttons(self):
        return [button.label for button in self.at.button]

    def table(self, column):
        return next(frame.value for frame in self.at.dataframe if column in frame.value.columns)


def test_without_a_cross_encoder_it_says_what_to_do():
    view = View()
    assert "None comes with Embedscope" in view.told
    assert "cross-encoder/ms-marco-MiniLM-L6-v2" in list(view.table("about")["cross-encoder"])
    assert not view.numbers
    assert "Rerank" not in view.buttons


def test_it_says_what_it_costs_before_it_begins(toy):
    view = View(cross_encoder=toy, rerank_top=10)
    assert "250 pairs to score (25 queries × 10 documents" in view.told
    assert "How long that takes shows after the first pairs" in view.told
    assert "one raw score, shown through a sigmoid" in view.told
    assert not view.numbers


def test_it_shows_what_the_library_finds(toy):
    view = View(cross_encoder=toy, rerank_top=20).press("Rerank")
    queries = toy_set()
    run = words_run(queries)
    scorer = open_cross_encoder(str(toy), policy=Policy(model_roots=(toy,)))
    made = rerank(queries, run, scorer, top=20)
    effect = reranking_effect(queries, run, made)
    for name, metric in (("NDCG@10", "ndcg@10"), ("MRR", "mrr")):
        change = effect.change(metric)
        assert view.numbers[name] == f"{change.before.mean:.3f} → {change.after.mean:.3f}"
    assert view.numbers["Ceiling"] == f"{effect.change('ndcg@10').ceiling:.3f}"
    assert float(view.numbers["Seconds a query"]) > 0
    assert "raises NDCG@10 by" in view.told
    assert "more than chance explains" in view.told
    assert len(view.at.get("plotly_chart")) == 3
    won = view.table("top before")
    assert len(won) == effect.change("ndcg@10").test.wins
    assert (won["change"] > 0).all()
    assert list(won["change"]) == sorted(won["change"], reverse=True)


def test_all_metrics_are_tested_and_the_new_order_can_be_taken_away(toy):
    view = View(cross_encoder=toy, rerank_top=20).press("Rerank")
    queries = toy_set()
    run = words_run(queries)
    scorer = open_cross_encoder(str(toy), policy=Policy(model_roots=(toy,)))
    made = rerank(queries, run, scorer, top=20)
    effect = reranking_effect(queries, run, made)
    table = view.table("compared")
    assert list(table["metric"]) == ["NDCG@10", "MRR", "Recall@1", "Recall@5", "Recall@10", "MAP"]
    for row, change in zip(table.itertuples(), effect.changes, strict=True):
        assert (row.better, row.same, row.worse) == (change.test.wins, change.test.ties, change.test.losses)
        assert row.difference == pytest.approx(change.test.difference)
        assert row.p == f"{change.test.p_value:.2g}"
    assert "TREC run, reranked" in [button.proto.label for button in view.at.get("download_button")]


def test_the_run_to_take_away_is_of_the_reranked_queries_alone():
    queries = toy_set()
    run, rows = words_run(queries), np.array([2, 5])
    backwards = np.tile(np.arange(4.0), (len(run.documents), 1))  # the last of four first
    made = Reranked(reorder(queries, run, backwards, rows=rows), "toy", 4, rows, 8, 0, None)
    lines = [line.split() for line in trec_run(queries, reranked_alone(made)).text.splitlines()]
    assert {line[0] for line in lines} == {queries.query_ids[row] for row in rows}
    own = [line for line in lines if line[0] == queries.query_ids[2]]
    assert [line[2] for line in own] == [queries.document_ids[d] for d in made.run.documents[2]]
    scores = [float(line[4]) for line in own]
    assert scores == sorted(scores, reverse=True)


def test_a_stop_keeps_what_was_scored_and_the_rest_can_be_asked_for(toy, monkeypatch):
    from streamlit.proto.WidgetStates_pb2 import WidgetStates
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    real, scored = PairScores.score, []

    def stopped(self, query, document, scorer, *, progress=None, should_stop=None):
        """The browser's Stop is pressed after the first two pairs."""
        if not scored:
            real(self, query[:2], document[:2], scorer)
            context = get_script_run_ctx()
            states = WidgetStates()
            button = states.widgets.add()
            keys = context.session_state._state._key_id_mapper
            button.id = next(keys.get_id_from_key(key) for key in keys._key_id_mapping if key.endswith("_stop"))
            button.trigger_value = True
            context.script_requests.request_rerun(
                RerunData(context.query_string, states, page_script_hash=context.page_script_hash)
            )
        scored.append(len(query))
        real(self, query, document, scorer, progress=progress, should_stop=should_stop)

    monkeypatch.setattr(PairScores, "score", stopped)
    view = View(cross_encoder=toy, rerank_top=10).press("Rerank")
    assert scored == [250]
    assert view.at.info[0].value.startswith("Stopped. ")
    assert not view.numbers
    left = int(view.told.split(" pairs to score")[0].split()[-1])
    assert 0 < left <= 248
    view.run()
    assert not view.numbers  # it stays stopped
    assert view.press("Rerank").numbers["NDCG@10"]


def test_the_chosen_query_is_shown_before_and_after(toy):
    view = View(cross_encoder=toy, rerank_top=5).press("Rerank")
    queries = toy_set()
    first = view.table("top before").iloc[0]
    row = queries.queries.index(first["query"])
    after = view.table("was at")
    assert after["document"][0] == first["top after"]
    assert sorted(after["was at"]) == [1, 2, 3, 4, 5]
    assert ((after["score"] > 0) & (after["score"] < 1)).all()  # through the sigmoid
    before = next(frame.value for frame in view.at.dataframe if "was at" not in frame.value and "score" in frame.value)
    assert list(before["document"]) == [queries.documents[d] for d in words_run(queries).documents[row, :5]]


def test_a_deeper_reranking_asks_for_the_rest_alone_and_knows_the_speed(toy):
    view = View(cross_encoder=toy, rerank_top=10).press("Rerank")
    view.at.number_input(key="rerank_top").set_value(14)
    view.run()
    assert "100 pairs to score" in view.told
    assert "At the speed seen here, about 1 s" in view.told
    view.press("Rerank")
    assert view.numbers["NDCG@10"]
    view.at.number_input(key="rerank_top").set_value(12)  # all known
    view.run()
    assert view.numbers["NDCG@10"]
    assert "Rerank" not in view.buttons


def test_fewer_queries_are_the_same_ones_every_time(toy):
    view = View(cross_encoder=toy, rerank_top=1000, rerank_queries=50)
    assert "1 250 pairs to score (25 queries × 50 documents" in view.told  # no more than there are


def test_won_lost_and_as_before_are_all_queries(toy):
    view = View(cross_encoder=toy, rerank_top=20).press("Rerank")
    listed = 0
    for kind in ("won", "lost", "as before"):
        next(group for group in view.at.button_group if group.key == "rerank_show").set_value(kind)
        view.run()
        listed += sum(len(frame.value) for frame in view.at.dataframe if "top before" in frame.value.columns)
    assert listed == 25


def test_known_scores_can_be_had_by_other_views(toy):
    view = View(cross_encoder=toy, rerank_top=3).press("Rerank")
    assert view.numbers
    space = toy_space()
    found = reranking_cached.scores(space, reranking_cached.checkpoint(str(toy)))
    assert len(found) > 0
    documents = words_run(toy_set()).documents[0, :3]
    assert np.isfinite(found.find(np.zeros(3, dtype=np.int64), documents)).all()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("/no/such/folder", "is no checkpoint folder below the folders that may be opened here"),
        ("cross-encoder/ms-marco-MiniLM-L6-v2", "is not in the model cache and the hub may not be asked"),
        (PACKAGED, "is no cross-encoder: it reads one text at a time"),
        ("<b>*x*</b> [a](javascript:x)", "nor a folder that may be opened here, nor a hub id"),
        ("x" * 400, "at most 300 characters"),
    ],
)
def test_what_cannot_be_opened_is_told(name, sentence):
    view = View(cross_encoder=name)
    assert len(view.at.error) == 1
    assert sentence in view.told.replace("\u2060", "")
    assert "**" not in view.at.error[0].value.replace("\\*", "")
    assert "[a](" not in view.at.error[0].value
    assert "Rerank" not in view.buttons


def test_a_folder_with_classes_is_told(tmp_path):
    view = View(cross_encoder=save(blank(labels=3), tmp_path / "nli", plain=True))
    assert "gives 3 scores for a pair" in view.told


def test_damaged_weights_are_told_when_they_are_opened(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = save(blank(), tmp_path / "headless", plain=True)
    tensors = {k: v for k, v in load_file(folder / "model.safetensors").items() if "classifier" not in k}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    view = View(cross_encoder=folder).press("Rerank")
    assert "so its scores would be random" in view.told


@pytest.mark.parametrize("value", ["", "nonsense", "-1", "0", "1e99", "nan"])
def test_a_parameter_that_makes_no_sense_falls_back(toy, value):
    view = View(cross_encoder=toy, rerank_top=value, rerank_queries=value, rerank_by=value, rerank_show=value)
    assert "500 pairs to score" in view.told


def test_the_page_shows_it_on_the_sample(app, toy):
    shown = app(page="retrieval", view="Reranking", cross_encoder=str(toy), rerank_top="3")
    box = next(box for box in shown.page.selectbox if box.key == "cross_encoder")
    box.options.append(box.value)
    queries = load_query_set("topics")
    pairs = f"{3 * int((queries.relevant > 0).sum())} pairs"
    assert any(pairs in info.value for info in shown.page.info)
    shown.press("Rerank")
    assert "→" in shown.numbers["NDCG@10"]
    assert set(shown.charts) == {"rerank_metrics", "rerank_ranks", "rerank_moves"}
