"""The Train view: what it says of few and many texts, a training from Start to its files, addresses, limits."""

import io
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lib import runs, sae
from lib.corpora import Corpus
from lib.encoders import PACKAGED, describe
from lib.sae.training import TrainingSettings
from lib.ui.sae import train_end, train_start
from lib.ui.workspace import Space
from tests.toy_sae import planted
from tests.toy_view import keys, press, run, said, until

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold**"


def space_of(texts=300, *, name="toy", labels=None):
    corpus = Corpus(name, tuple(f"text {n}" for n in range(texts)), tuple(map(str, range(texts))), labels=labels)
    return Space(corpus, None, "float32", planted(texts).vectors, f"key {texts}", f"vectors {texts}")


def encoded_space(**prompts):
    """As if the packaged encoder had made the vectors, with other prompts perhaps."""
    checkpoint = describe(PACKAGED)
    if prompts:
        checkpoint = checkpoint.with_prompts(document="", **prompts)
    corpus = Corpus("toy", tuple(f"text {n}" for n in range(300)), tuple(map(str, range(300))))
    return Space(corpus, checkpoint, "float32", planted(300, 384).vectors, "packaged", "packaged vectors")


SPACES = {
    "plain": space_of,
    "many": lambda: space_of(40_000),
    "three": lambda: space_of(3),
    "hostile": lambda: space_of(name=HOSTILE),
    "packaged": lambda: encoded_space(),
    "edited": lambda: encoded_space(query="ask: "),
    "labels": lambda: space_of(labels=tuple("ab"[n % 2] for n in range(300))),
}


def _script():
    import os

    from lib.ui.sae import train
    from lib.ui.views import show_views
    from tests.app import test_app_sae_train as tests

    show_views({"Train": train.show}, tests.SPACES[os.environ["TESTED_SPACE"]]())


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of runs of this test's own; what still works in it at the end is killed."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(folder))
    monkeypatch.setattr(train_start, "rate", lambda: 1e11)
    yield folder
    for made in runs.list_runs(root=folder):
        runs.delete(made)


@pytest.fixture
def view(root, monkeypatch):
    """Open the view alone on one of SPACES."""

    def opened(space="plain", **query):
        monkeypatch.setenv("TESTED_SPACE", space)
        at = AppTest.from_function(_script, default_timeout=60)
        at.query_params.update(query)
        return run(at)

    return opened


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished training, and the folder of runs that it lies in."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDSCOPE_RUNS", str(folder))
        settings = TrainingSettings(features=24, k=3, batch_size=64, passes=5, held_out=0.1, device="cpu")
        made = train_start.begin(space_of(), settings, group=None, token="me", seconds=1.0)
        end = time.monotonic() + 120
        while not runs.status(made).ended:
            assert time.monotonic() < end, made.log()
            time.sleep(0.1)
    assert runs.status(made).state == "finished", made.log()
    return made


def test_few_texts_are_called_few(view):
    text = said(view())
    assert "300 texts are few" in text
    assert "64 features, 4 of them active a text, BatchTopK" in text
    assert "1 000 texts fill a dictionary of about 64 features" in text
    assert "seconds" in text


def test_more_texts_bear_more(view):
    text = said(view("many"))
    assert "40 000 texts bear about 1 024" in text
    assert "are few" not in text


def test_three_texts_are_refused(view):
    at = view("three")
    assert "64 features are more than 3 texts can fill" in said(at)
    assert "train_start" not in keys(at)


def test_settings_of_one_s_own_stand_in_the_address(view):
    at = view(train_settings="my own", train_features="128", train_k="16", train_rule="TopK", train_nested="true")
    assert "128 features, 16 of them active a text, TopK" in said(at)
    assert {slider.key for slider in at.select_slider} >= {"train_features", "train_k", "train_passes", "train_batch"}


def test_a_k_above_the_features_is_refused(view):
    at = view(train_settings="my own", train_features="32", train_k="64")
    assert "k should lie between 1 and the 32 features, got 64" in said(at)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EMBEDSCOPE_TRAINING", "off", "has switched training off"),
        ("EMBEDSCOPE_TRAINING_TEXTS", "299", "300 texts are more than the 299"),
        ("EMBEDSCOPE_TRAINING_MINUTES", "0.001", "a training may take 0.001 here"),
        ("EMBEDSCOPE_TRAINING", "perhaps", "should be on or off"),
        ("EMBEDSCOPE_RUNS_GB", "0.00001", "all runs together may take 0.01 MB here: choose a smaller corpus"),
    ],
)
def test_what_the_owner_does_not_allow(view, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    at = view()
    assert words in said(at)
    assert "train_start" not in keys(at)


def test_from_start_to_stop_to_the_dictionary(view, root):
    at = press(view(train_settings="my own", train_features="32", train_k="4", train_passes="50"), "train_start")
    (made,) = runs.list_runs(root=root)
    assert at.session_state["run"] == made.id
    assert "train_stop" in keys(at)
    at = press(at, "train_stop")
    at = until(at, "train_resume")
    assert "Its checkpoint is kept" in said(at)
    at = until(press(at, "train_resume"), "train_use")
    trained = sae.load(made.result)
    assert (trained.features, trained.k, trained.about.encoder) == (32, 4, None)
    assert trained.about.trained_on["name"] == "toy"
    assert not made.inputs.exists()  # the vectors are gone
    assert {metric.label for metric in at.metric} >= {"Held-out FVU", "Dead"}
    assert "None of this says that the features can be read" in said(at)
    at = press(at, "train_use")
    assert at.session_state["sae"] == f"run:{made.id}"


def test_an_address_opens_a_training_of_another_session(view, finished, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(finished.root))
    at = view(run=finished.id)
    assert "It explains" in said(at)
    assert {"train_use", "train_new"} <= keys(at)
    assert "train_delete" not in keys(at)  # only who began it
    assert len(at.get("plotly_chart")) == 2  # how often features fire, and the curves
    assert "Counted on 30 held-out texts and 270 training texts." in said(at)
    assert "on no text at all" not in said(at)
    assert "Download it to keep it. All trainings on this server together may take 2 GB" in said(at).replace("**", "")
    assert "Search on" not in said(at)
    assert {"Download", "Download for SAELens"} <= {button.label for button in at.get("download_button")}
    at = press(at, "train_new")
    assert "train_start" in keys(at)


def test_other_sessions_trainings_are_not_listed(view, finished, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(finished.root))
    (chosen,) = [box for box in view().selectbox if box.key == "run"]
    assert chosen.options == ["new"]


def test_what_is_kept_of_retrieval_is_said(view, finished, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(finished.root))
    one = {"share": 0.912, "share_low": 0.85, "share_high": 0.96, "ndcg": 0.731}
    kept = {"name": HOSTILE, "queries": 156, "items": 643, "raw": 0.801, "raw_low": 0.75, "raw_high": 0.85,
            "both": one, "documents": one | {"share": None, "share_low": None, "share_high": None}}  # fmt: skip
    real = train_end.load

    def loaded(folder):
        made = real(folder)
        return replace(made, about=replace(made.about, figures=made.about.figures | {"ndcg": [kept]}))

    monkeypatch.setattr(train_end, "load", loaded)
    train_end._opened.clear()
    at = view(run=finished.id)
    train_end._opened.clear()
    assert {metric.label: metric.value for metric in at.metric}["NDCG@10 kept"].replace("\u202f", " ") == "91.2 %"
    assert "NDCG@10 is 0.801 (0.750 to 0.850) with the embeddings and 0.731 with" in said(at)
    assert "91.2 % is kept (85.0 % to 96.0 %); with documents alone reconstructed –. In" in said(at)
    (told,) = [caption.value for caption in at.caption if "Search on" in caption.value]
    assert "**bold**" not in told


def test_retrieval_is_measured_where_the_encoder_can_be_opened_by_its_name(view, root, monkeypatch):
    toggles = {toggle.key for toggle in view("packaged").toggle}
    assert "train_ndcg" in toggles
    at = view("edited")
    assert "train_ndcg" not in {toggle.key for toggle in at.toggle}
    assert "prompts were changed" in said(at)
    assert "train_ndcg" not in {toggle.key for toggle in view("plain").toggle}
    begun = []
    monkeypatch.setattr(train_start.runs, "start", lambda run, arguments: begun.append(arguments) or run)
    for told, there in (("true", True), ("false", False)):
        press(view("packaged", train_ndcg=told), "train_start")
        assert (
            begun[-1][-6:] == ["--encoder", PACKAGED, "--precision", "float32", "--queries", "sample:topics"]
        ) is there


def test_one_training_at_a_time(view, root):
    at = press(view(train_settings="my own", train_features="32", train_k="4", train_passes="500"), "train_start")
    first = at.session_state["run"]
    at.session_state["run"] = "new"
    run(at)
    assert "you can have one at a time" in said(at)
    assert next(button for button in at.button if button.key == "train_start").disabled
    assert press(at, "train_look").session_state["run"] == first


@pytest.mark.parametrize("name", ["0" * 32, "../../etc", "x", HOSTILE])
def test_an_address_without_a_training(view, name):
    at = view(run=name)
    assert "There is no run" in said(at)
    assert "train_start" in keys(press(at, "train_new"))


def test_who_began_it_can_delete_it(view, root):
    at = press(view(), "train_start")
    at = until(press(at, "train_stop"), "train_delete")
    at = press(at, "train_delete")
    assert runs.list_runs(root=root) == []
    assert "train_start" in keys(at)


def test_a_failure_is_one_sentence(view, root):
    made = runs.create("sae", title=HOSTILE, about={"texts": 1})
    runs.start(made, ["sae", "train", "--embeddings", "none.npy", "--out", str(made.result)])
    at = until(view(run=made.id), "train_resume")
    assert [error.value.replace("\\", "") for error in at.error] == ["none.npy: does not exist."]
    assert "**bold**" not in "".join(caption.value for caption in at.caption)


def test_files_to_take_away(finished):
    made = sae.load(finished.result)
    with zipfile.ZipFile(io.BytesIO(train_end.own_zip(finished))) as archive:
        assert set(archive.namelist()) == {"sae/sae.safetensors", "sae/config.json"}
        assert str(finished.root) not in archive.read("sae/config.json").decode()
    with zipfile.ZipFile(io.BytesIO(train_end.saelens_zip(made))) as archive:
        assert {"sae/cfg.json", "sae/sae_weights.safetensors"} <= set(archive.namelist())


def test_texts_that_belong_together(root):
    assert train_start.groups_of(space_of(), None) is None
    by_label = train_start.groups_of(SPACES["labels"](), train_start.LABEL)
    assert by_label[:4].tolist() == [0, 1, 0, 1]
    twice = Corpus("t", ("a", "b", "a"), ("1", "2", "3"), duplicates=1)
    space = Space(twice, None, "float32", np.ones((3, 2), np.float32), "k", "v")
    assert train_start.groups_of(space, None).tolist() == [0, 1, 0]
    some = Corpus("t", ("a", "b", "c"), ("1", "2", "3"), labels=("x", None, None))
    space = Space(some, None, "float32", np.ones((3, 2), np.float32), "k", "v")
    assert train_start.groups_of(space, train_start.LABEL).tolist() == [0, 1, 2]
