"""The Comparison view: the lab, further encoders, cuts, speed, uploads of every odd kind, hostile names."""

import json
from itertools import pairwise

import numpy as np
import pytest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError
from lib.retrieval import exact_ranks, query_metrics, search
from lib.retrieval.bm25 import Bm25Index
from lib.retrieval.comparison import System, compare
from lib.ui import resources
from lib.ui.retrieval import contenders, speeds

MINILM = "all-MiniLM-L6-v2"
HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture
def view(app):
    """Open the view on the lab's set, at an address; two runs where an encoder was typed."""

    def opened(**query):
        return app(page="retrieval", **{"view": "Comparison", "query_sample": "lab", **query})

    return opened


def write_static(folder, seed):
    """A static encoder: random vectors of 12 dimensions for the words of the lab."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    queries = load_query_set("lab")
    words = {word.strip(".?,'").lower() for text in (*queries.queries, *queries.documents) for word in text.split()}
    known = {word: row for row, word in enumerate(["[UNK]", "[PAD]", *sorted(words)])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(seed).normal(size=(len(known), 12)).astype(np.float32)
    StaticModel(vectors, tokenizer, normalize=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """The folder of a static encoder."""
    return write_static(tmp_path_factory.mktemp("static") / "tiny-words", 0)


@pytest.fixture
def fresh(static, request):
    """One whose vectors nobody has asked for yet, beside it."""
    return write_static(static.parent / f"fresh-{len(request.node.name)}", len(request.node.name)).name


@pytest.fixture(autouse=True)
def roots(static, monkeypatch):
    """Only that folder's neighbours may be opened; no speed is known at the start."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(static.parent))
    for kept in (resources.policy, resources.described, speeds._holder):
        kept.clear()
    yield
    resources.policy.clear()
    resources.described.clear()


@pytest.fixture(scope="module")
def lab():
    """What the library says of the lab: BM25 and the packaged encoder."""
    queries = load_query_set("lab")
    encoder = open_encoder(PACKAGED, policy=Policy(allow_hub=False))
    documents = encoder.encode(queries.documents).vectors
    asked = encoder.encode(queries.queries, role="query").vectors
    index = Bm25Index(queries.documents)
    found, words = search(asked, documents, tie_order=queries.tie_order), index.search(queries.queries)
    cutoffs = (1, 3, 5, 10)
    return queries, compare(
        [
            System("BM25", words, query_metrics(index.ranks(queries), cutoffs=cutoffs), None, 1.0),
            System(
                MINILM,
                found,
                query_metrics(exact_ranks(queries, found, asked, documents), cutoffs=cutoffs),
                384,
                1536.0,
            ),
        ],
        metric="precision@3",
    )


def test_the_lab_prints_precision_at_3_of_every_query(view, lab):
    queries, expected = lab
    shown = view()
    assert shown.titles[0] == "Which encoder is better here, and is it luck?"
    table = shown.table("BM25")
    assert list(table.columns) == ["query", "BM25", MINILM]
    assert list(table["query"]) == [*queries.queries, "mean of all"]
    for contender in expected.contenders:
        assert table[contender.name].iloc[-1] == pytest.approx(contender.summary("precision@3").mean)
    assert set(np.round(3 * table[MINILM].iloc[:4])) <= {0, 1, 2, 3}
    best = max(one.summary("precision@3").mean for one in expected.contenders)
    assert shown.numbers["Best mean"] == f"{best:.3f}"
    assert shown.numbers["p-value"] == f"{expected.contenders[1].test.p_value:.2g}"
    assert {"compare_quality", "compare_difference", "compare_outcomes"} <= set(shown.charts)


def test_figures_are_those_of_the_library(view, lab):
    _, expected = lab
    table = view().table("won / equal / lost").set_index("system")
    test = expected.contenders[1].test
    assert table.loc[MINILM, "won / equal / lost"] == f"{test.wins} / {test.ties} / {test.losses}"
    assert table.loc[MINILM, "difference"] == pytest.approx(test.difference)
    assert table.loc["BM25", "Precision@3"] == pytest.approx(expected.contenders[0].summary("precision@3").mean)
    assert table.loc[MINILM, "dimensions"] == 384
    assert table.loc[MINILM, "a document takes"] == "1.54 kB"


def test_a_second_encoder_and_cuts_join_in(view, static):
    shown = view(compare_with="tiny-words", compare_cuts=["64", "256"], compare_baseline=MINILM)
    names = ["BM25", MINILM, f"{MINILM}, first 256", f"{MINILM}, first 64", "tiny-words"]
    assert list(shown.table("won / equal / lost")["system"]) == names
    assert list(shown.table("BM25").columns) == ["query", *names]
    assert f"Precision@3 to {MINILM}" in shown.captions.replace("\\", "")
    difference = shown.charts["compare_difference"]["layout"]["yaxis"]["ticktext"]
    assert difference == [name for name in names if name != MINILM]
    assert "p-values of all pairs" in [box.label for box in shown.page.expander]
    assert not shown.refusals


def test_a_baseline_that_goes_away_gives_way_to_bm25(view):
    page = view(compare_cuts=["64"], compare_baseline=f"{MINILM}, first 64")
    assert f"{MINILM}, first 64 on the same queries" in page.captions.replace("\\", "")
    page.page.multiselect(key="compare_cuts").set_value([])
    assert "to BM25 on the same queries" in page.run().captions


def test_the_same_name_twice_is_told_apart(view, static):
    write_static(static.parent / "again" / "tiny-words", 1)
    shown = view(compare_with=["tiny-words", "again/tiny-words"])
    assert list(shown.table("won / equal / lost")["system"])[-2:] == ["tiny-words", "tiny-words (2)"]


def test_what_cannot_be_opened_does_not_stop_the_others(view, shown):
    page = view(compare_with=["tiny-words", "no/such-model", "./nowhere/at/all"])
    assert "tiny-words" in list(page.table("won / equal / lost")["system"])
    assert len(page.refusals) == 2
    assert page.refusals[0].startswith(shown("no/such-model is left out: no/such-model is not in the model cache"))
    assert page.refusals[1].startswith(shown("./nowhere/at/all is left out:"))


def test_one_that_fails_while_it_runs_is_told_and_not_tried_again(view, monkeypatch, fresh):
    tries, whole = [], resources.encoder

    def failing(of, precision):
        if of.kind == "static":
            tries.append(of.source)
            raise InputError("It needs more memory than there is.")
        return whole(of, precision)

    monkeypatch.setattr(resources, "encoder", failing)
    page = view(compare_with=["tiny-words", fresh])
    page.page.multiselect(key="compare_with").options.extend(["tiny-words", fresh])
    page.choose("compare_words", "any language")
    told = [fault.replace("\\", "") for fault in page.refusals]
    assert told == [f"{fresh} is left out: It needs more memory than there is."]
    assert list(page.table("won / equal / lost")["system"]) == ["BM25", MINILM, "tiny-words"]
    assert tries == [fresh]


def test_the_chosen_encoder_itself_is_not_compared_twice(view):
    shown = view(compare_with=PACKAGED)
    assert list(shown.table("won / equal / lost")["system"]) == ["BM25", MINILM]
    assert "is compared already" in shown.captions


def test_long_work_is_asked_for_with_its_cost(view, monkeypatch, fresh):
    monkeypatch.setattr(contenders, "_AT_ONCE", 0)
    page = view(compare_with=fresh)
    told = next(info.value for info in page.page.info if "To be encoded" in info.value).replace("\u202f", " ")
    assert "19 texts" in told
    assert "× the chosen encoder's" in told
    assert list(page.table("won / equal / lost")["system"]) == ["BM25", MINILM]
    page.page.multiselect(key="compare_with").options.append(fresh)
    page.press("Encode with it")
    assert list(page.table("won / equal / lost")["system"]) == ["BM25", MINILM, fresh]


def test_encoding_that_was_stopped_waits_to_be_asked_for(view, monkeypatch, fresh):
    monkeypatch.setattr(contenders, "_AT_ONCE", 0)
    page = view(compare_with=fresh)
    page.page.multiselect(key="compare_with").options.append(fresh)
    key = next(button.key for button in page.page.button if button.label == "Encode with it")
    page.page.session_state[f"_work_{key.removesuffix('_begin')}"] = "stopped"
    page.run()
    assert any(info.value.startswith("Stopped. To be encoded") for info in page.page.info)
    assert fresh not in list(page.table("won / equal / lost")["system"])


def test_the_lab_says_what_the_lesson_compares_with(view, app):
    said = view().captions.replace("\\", "")
    assert "sentence-transformers/all-mpnet-base-v2" in said
    assert "cut to its first 128 dimensions" in said
    assert "mpnet" not in app(page="retrieval", view="Comparison", query_sample="late").captions


def test_bm25_on_a_large_set_is_asked_for_too(view, monkeypatch):
    monkeypatch.setattr(contenders, "_PAIRS_AT_ONCE", 0)
    contenders._by_words.clear()
    page = view()
    told = next(info.value for info in page.page.info)
    assert told == "BM25 is to rank 15 documents for 4 queries."
    assert not page.charts
    page.press("Rank by BM25")
    assert list(page.table("won / equal / lost")["system"]) == ["BM25", MINILM]


def test_speed_is_measured_when_asked_for(view):
    page = view(compare_cuts="64")
    assert "compare_speed_chart" not in page.charts
    table = page.table("won / equal / lost").set_index("system")
    assert np.isnan(table.loc[MINILM, "documents/s"])
    assert table.loc["BM25", "documents/s"] > 0
    page.press("Measure speed")
    table = page.table("won / equal / lost").set_index("system")
    assert table.loc[MINILM, "documents/s"] == table.loc[f"{MINILM}, first 64", "documents/s"] > 0
    drawn = page.charts["compare_speed_chart"]
    assert len(drawn["data"]) == 3
    assert drawn["layout"]["xaxis"]["type"] == "log"
    assert "Measure speed" not in page.buttons


def test_queries_won_and_lost_show_both_answers(view):
    table = view(compare_metric_few="ndcg@10").table(f"first: {MINILM}")
    values = table[f"NDCG@10: {MINILM}"] - table["NDCG@10: BM25"]
    assert all(before >= after for before, after in pairwise(values))
    assert (values != 0).all()
    documents = set(load_query_set("lab").documents)
    assert set(table[f"first: {MINILM}"]) <= documents
    assert set(table["first: BM25"].dropna()) <= documents


def test_a_larger_set_compares_ndcg_and_lists_no_query_by_query_table(app, lab):
    shown = app(page="retrieval", view="Comparison", query_sample="topics")
    assert "Query by query" not in shown.titles
    assert "NDCG@10 of" in " ".join(metric.help for metric in shown.page.metric)
    assert "written to share the words of the query" in shown.captions


def uploaded(app, rows):
    """The view on an uploaded file of pairs."""
    opened = app(page="retrieval", view="Comparison", queries="Upload")
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    opened.page.file_uploader(key="query_files").set_value([("mine.jsonl", content, "application/json")])
    return opened.run()


def test_hostile_texts_are_shown_as_they_are(app):
    rows = [{"query": f"{HOSTILE} {n}", "document": f"{HOSTILE} document {n}"} for n in range(3)]
    page = uploaded(app, rows)
    assert page.table("won / equal / lost") is not None
    for text in (page.captions, *page.refusals):
        assert ":red[hot]" not in text
        assert "<img" not in text


def test_one_query_and_one_document(app):
    page = uploaded(app, [{"query": "who fell", "document": "rates fell"}])
    assert page.table("BM25")["query"].iloc[0] == "who fell"
    assert "unknown" in " ".join(metric.help for metric in page.page.metric)


def test_texts_without_words_and_scripts_without_spaces(app):
    page = uploaded(app, [{"query": "?!", "document": "..."}, {"query": "黑豹队的防守", "document": "黑豹队丢了分"}])
    assert "BM25 finds hardly any words" in page.captions


def test_no_relevant_document_at_all(app):
    page = uploaded(app, [{"query": "a cat", "document": "a dog", "relevance": 0}])
    assert any("no document is relevant" in fault for fault in page.refusals)
