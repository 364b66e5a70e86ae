"""The Late interaction view: the example, this set, own texts, a ColBERT checkpoint, reranking, what cannot be done."""

import re

import numpy as np
import pytest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, open_encoder, open_multi_vector
from lib.retrieval import judged_ranks, query_metrics, search
from lib.retrieval.late import maxsim, maxsim_rerank, tokens_of
from lib.ui import resources
from lib.ui.retrieval import late_cached, late_rerank
from tests.toy_colbert import write_colbert, write_static

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tiny ColBERT checkpoint, and a tiny static encoder."""
    top = tmp_path_factory.mktemp("models")
    return write_colbert(top / "colbert"), write_static(top / "static")


@pytest.fixture(autouse=True)
def roots(folders, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(folders[0].parent))
    for cached in (resources.policy, resources.described, late_cached.checkpoint, late_cached.kept_reranks):
        cached.clear()
    yield
    resources.policy.clear()
    resources.described.clear()


@pytest.fixture
def late(app):
    """Open the view on the small sample about exact terms."""
    return lambda **query: app(page="retrieval", view="Late interaction", query_sample="late", **query)


@pytest.fixture(scope="module")
def packaged():
    return open_encoder(PACKAGED, policy=Policy())


def own(encoder, query, document, *, special=False):
    q, d = tokens_of(encoder, query, role="query"), tokens_of(encoder, document, role="document")
    return maxsim(q.vectors[q.scored(special=special)], d.vectors[d.scored(special=special)], normalise=False)


@pytest.mark.parametrize("tokens", ["words only", "all"])
def test_the_example_is_what_the_library_finds(late, packaged, tokens):
    queries = load_query_set("late")
    shown = late(late_tokens=tokens)
    first, second = (own(packaged, queries.queries[0], queries.documents[i], special=tokens == "all") for i in (0, 1))
    cosines = (
        packaged.encode(queries.documents[:2]).vectors @ packaged.encode(queries.queries[:1], role="query").vectors[0]
    )
    assert shown.numbers["MaxSim margin"] == f"{first.score - second.score:+.2f}"
    assert shown.numbers["Margin a token"] == f"{first.mean - second.mean:+.3f}"
    assert shown.numbers["Cosine margin"] == f"{cosines[0] - cosines[1]:+.3f}"
    table = shown.table("MaxSim")
    assert np.allclose(table["MaxSim"], [first.score, second.score], atol=1e-4)
    assert list(table["judged"]) == ["relevant", "not relevant"]
    assert set(shown.charts) == {"late_margins", "late_document_1", "late_document_2"}
    assert "not for late interaction" in shown.captions
    assert "Both put document 1, the relevant one, first" in shown.captions
    ticks = shown.charts["late_document_1"]["layout"]["yaxis"]["ticktext"]
    assert ("[CLS]" in ticks) == (tokens == "all")
    assert "##qa" in ticks


def test_another_example_stands_in_the_address(late):
    queries = load_query_set("late")
    shown = late(late_example=queries.queries[2])
    assert shown.table("MaxSim")["text"][0] in queries.documents[4:6]


def test_a_query_of_this_set_with_its_hardest_rival(late, packaged):
    queries = load_query_set("late")
    shown = late(late_texts="This query set").choose("late_from_set", f"q2: {queries.queries[1]}")
    texts = list(shown.table("MaxSim")["text"])
    run = search(packaged.encode(queries.queries, role="query").vectors, packaged.encode(queries.documents).vectors, 12)
    right = queries.judged_document[(queries.judged_query == 1) & (queries.relevance > 0)][0]
    assert texts[0] == queries.documents[right]
    assert texts[1] == queries.documents[next(row for row in run.documents[1] if row != right)]


def test_own_texts_are_asked_for_and_escaped(late):
    shown = late(late_texts="My own")
    assert "late_margins" not in shown.charts
    shown = late(late_texts="My own", late_own_query=HOSTILE, late_own_first=HOSTILE, late_own_second="Something else")
    assert shown.numbers["MaxSim margin"].startswith("+")
    for sign in ("<img", "red[hot]", "*bold", "](java", "$math"):
        assert not re.search(rf"(?<!\\){re.escape(sign)}", shown.captions)
    ticks = shown.charts["late_document_1"]["layout"]["yaxis"]["ticktext"]
    assert "&lt;" in ticks
    assert list(shown.table("MaxSim")["judged"]) == ["", ""]


def test_a_long_document_is_cut_in_the_picture_and_says_so(late):
    text = "the heart of the matter " * 60  # 300 tokens, of which 254 are read
    shown = late(late_texts="My own", late_own_query="heart", late_own_first=text[:1000], late_own_second="matter")
    assert "The first 160 of" in shown.captions
    axes = [axis for axis in shown.charts["late_document_1"]["layout"] if axis.startswith("xaxis")]
    assert len(axes) == 5


def test_reranking_is_asked_for_and_is_the_librarys(late, packaged):
    queries = load_query_set("late")
    shown = late(late_top=5)
    assert "NDCG@10, MaxSim" not in shown.numbers
    shown.press("Rerank by MaxSim")
    vectors = packaged.encode(queries.queries, role="query").vectors, packaged.encode(queries.documents).vectors
    run = search(*vectors, 12, tie_order=queries.tie_order)
    made = maxsim_rerank(queries, run, packaged, top=5)
    means = [query_metrics(judged_ranks(queries, each)).means["ndcg@10"] for each in (run, made.run)]
    assert shown.numbers["NDCG@10, one vector"] == f"{means[0]:.3f}"
    assert shown.numbers["NDCG@10, MaxSim"] == f"{means[1]:.3f}"
    assert len(shown.table("compared")) == 5
    assert "late_effect" in shown.charts
    again = late(late_top=5)  # kept for all sessions
    assert "NDCG@10, MaxSim" in again.numbers


def test_stopped_work_begins_again_when_asked_for(late):
    shown = late(late_top=4)
    key = next(button.key for button in shown.page.button if button.label == "Rerank by MaxSim")
    shown.page.session_state[f"_work_{key.removesuffix('_begin')}"] = "stopped"
    shown.run()
    assert any(info.value.startswith("Stopped. ") for info in shown.page.info)
    assert "NDCG@10, MaxSim" not in shown.numbers
    shown.press("Rerank by MaxSim")
    assert "NDCG@10, MaxSim" in shown.numbers


def test_stop_ends_it_before_anything_is_kept(late, monkeypatch):
    from streamlit.proto.WidgetStates_pb2 import WidgetStates
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    real, begun = late_rerank.maxsim_rerank, []

    def stopped(*given, progress, **options):
        if not begun:
            begun.append(True)
            context = get_script_run_ctx()
            states = WidgetStates()
            button = states.widgets.add()
            keys = context.session_state._state._key_id_mapper
            button.id = next(keys.get_id_from_key(key) for key in keys._key_id_mapping if key.endswith("_stop"))
            button.trigger_value = True
            context.script_requests.request_rerun(
                RerunData(context.query_string, states, page_script_hash=context.page_script_hash)
            )
        return real(*given, progress=progress, **options)

    monkeypatch.setattr(late_rerank, "maxsim_rerank", stopped)
    shown = late(late_top=3).press("Rerank by MaxSim")
    assert begun
    assert any(info.value.startswith("Stopped. ") for info in shown.page.info)
    assert "NDCG@10, MaxSim" not in shown.numbers


def test_every_download_has_a_name_of_its_own(late):
    shown = late(late_top=2).press("Rerank by MaxSim")
    files = {"HTML", "CSV", "Parquet"}  # beneath each picture and table, which their help names
    labels = [label for button in shown.page.get("download_button") if (label := button.proto.label) not in files]
    assert len(labels) == len(set(labels))
    assert {"Document 1 as JSON", "Document 2 as JSON", "TREC run, reranked"} <= set(labels)


def test_a_colbert_checkpoint(late, folders):
    shown = late(late_encoder="a ColBERT checkpoint")
    assert "late_margins" not in shown.charts
    shown = late(late_encoder="a ColBERT checkpoint", late_checkpoint=str(folders[0]))
    encoder = open_multi_vector(str(folders[0]), policy=Policy(model_roots=(folders[0].parent,)))
    queries = load_query_set("late")
    first, second = (own(encoder, queries.queries[0], queries.documents[i], special=True) for i in (0, 1))
    assert shown.numbers["MaxSim margin"] == f"{first.score - second.score:+.2f}"
    assert "was trained for this: 8 dimensions a token" in shown.captions.replace("\\", "")
    assert "its end is missing here" in shown.captions  # documents of 20 tokens
    short = {"late_own_query": "the contract", "late_own_first": "aspirin", "late_own_second": "bank"}
    typed = late(late_encoder="a ColBERT checkpoint", late_checkpoint=str(folders[0]), late_texts="My own", **short)
    assert "[MASK]" in typed.charts["late_document_1"]["layout"]["yaxis"]["ticktext"]
    shown.press("Rerank by MaxSim")
    assert "NDCG@10, MaxSim" in shown.numbers


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("owner/unknown", "not in the model cache"),
        ("../colbert", "no checkpoint folder"),
        (PACKAGED, "one vector for a"),
    ],
)
def test_what_is_no_colbert_checkpoint_is_refused(late, name, sentence):
    shown = late(late_encoder="a ColBERT checkpoint", late_checkpoint=name)
    assert sentence in "".join(shown.refusals).replace("\\", "")


def test_a_static_encoder_says_what_its_tokens_are(late, folders):
    shown = late(encoder=str(folders[1]))
    assert "one fixed vector for each token" in shown.captions
    assert "MaxSim margin" in shown.numbers
