"""The Monitor view: the sample's log, an uploaded one, a training of this server while it runs and after it."""

import io
import json
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from lib import runs
from lib.encoders import PACKAGED
from lib.finetune.monitor import read_upload
from lib.runs.run import write_json
from lib.ui.finetune import monitor_end, monitor_logs, monitor_words
from lib.ui.messages import plain
from tests import toy_monitor
from tests.toy_view import keys, press, run, said

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold**"


def _script():
    from lib.ui.finetune import monitor, train
    from lib.ui.views import show_views
    from tests.app.test_app_finetune_train import chosen

    show_views({"Monitor": monitor.show, "Train": train.show, "Drift": lambda _: None}, chosen())


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of runs, and of a sample, of this test's own."""
    sample = tmp_path / "samples" / "medical"
    sample.mkdir(parents=True)
    (sample / "events.jsonl").write_bytes(toy_monitor.lines(toy_monitor.events()))
    monkeypatch.setattr(monitor_logs, "FOLDER", sample.parent)
    monkeypatch.setattr(monitor_end, "FOLDER", sample.parent)
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def view(root):
    """Open the view at an address."""

    def opened(**query):
        at = AppTest.from_function(_script, default_timeout=60)
        at.query_params.update(query)
        return run(at)

    return opened


@pytest.fixture
def planted(root):
    """A run in some state, its files as its command would have left them."""

    def make(state, *, events=(), figures=None):
        made = runs.create("finetune", title=HOSTILE, about={"encoder": PACKAGED, "pairs": 320})
        write_json(made.folder / "state.json", runs.Status(state, since=1.0).to_dict())
        made.event_file.write_bytes(toy_monitor.lines(events))
        if figures:
            write_json(made.result / "figures.json", figures)
            (made.result / "model").mkdir()
            (made.result / "model" / "adapter_config.json").write_text("{}")
            (made.result / "model" / "README.md").write_text("# A card")
        return made

    return make


def charts(at):
    return {chart.proto.id.rsplit("-", 1)[1] for chart in at.get("plotly_chart")}


def numbers(at):
    return {metric.label: metric.value.replace("−", "-") for metric in at.metric}


ALL = {"monitor_pairs", "monitor_learning", "monitor_gradients_adapter", "monitor_pace"}


def test_the_sample_comes_first(view):
    at = view()
    assert charts(at) == ALL
    assert {"Loss", "Positive pairs", "Negative pairs", "Gap", plain("NDCG@10"), "Monitor's share"} <= set(numbers(at))
    assert numbers(at)[plain("NDCG@10")] == "0.500 → 0.580"
    assert numbers(at)["Monitor's share"].replace("\u202f", " ") == "2 %"
    text = said(at)
    assert "a toy · on planted pairs · LoRA adapter · loss infonce · 400 of 20 000 numbers trained" in text
    assert "Nothing else was found in 40 steps" in text
    assert "SentenceTransformerTrainer(..., callbacks=[Monitor(" in "".join(code.value for code in at.code)
    assert {"CSV", "Parquet", "Log as JSON", "Findings as JSON"} <= {b.label for b in at.get("download_button")}


def test_what_a_log_cannot_tell_is_not_said_to_be_absent():
    lines = [{"step": step, "loss": 2.0 - 0.01 * step, "learning_rate": 1e-5} for step in range(5, 45, 5)]
    log = read_upload("trainer_state.json", json.dumps({"log_history": lines}).encode())
    told = monitor_words.nothing_found(log)
    assert "no dead layer" not in told
    assert "no gradients by layer" in told
    assert "held out below" not in monitor_words.of_learning(log)
    assert "pace" not in monitor_words.of_pace(log)


def test_a_narrowing_gap_is_told_with_its_step(view, planted):
    narrowing = toy_monitor.events(120, gap=lambda step: 0.5 - 0.004 * max(step - 40, 0))
    at = view(run=planted("stopped", events=narrowing).id)
    assert "narrow" in said(at)
    assert any("step" in text.value and "warning" in text.value for text in at.markdown)


def test_an_uploaded_log(view):
    at = view(run="upload")
    assert "Upload the log of a training" in said(at)
    content = toy_monitor.lines(toy_monitor.events()).replace(b"a toy", HOSTILE.encode())
    at.file_uploader(key="monitor_file").set_value(("events.jsonl", content, "application/json"))
    run(at)
    assert charts(at) == ALL
    assert "**bold**" not in "".join(caption.value for caption in at.caption)
    at.file_uploader(key="monitor_file").set_value(("events.jsonl", b"no log", "application/json"))
    run(at)
    assert at.error


STATE = {"log_history": [{"step": 10, "epoch": 0.5, "loss": 1.5, "grad_norm": 0.4, "learning_rate": 1e-5},
                         {"step": 20, "epoch": 1.0, "loss": 1.2, "grad_norm": 0.3, "learning_rate": 5e-6},
                         {"step": 20, "epoch": 1.0, "eval_cosine_ndcg@10": 0.6}], "max_steps": 20}  # fmt: skip
TABLE = b"epoch,steps,cosine-Accuracy@1,cosine-NDCG@10\n1,10,0.5,0.6\n2,20,0.6,0.7\n"


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("trainer_state.json", json.dumps(STATE).encode(), {"monitor_learning", "monitor_pace"}),
        ("evaluation.csv", TABLE, {"monitor_learning"}),
    ],
)
def test_logs_of_others_show_what_they_have(view, name, content, shown):
    at = view(run="upload")
    at.file_uploader(key="monitor_file").set_value((name, content, "application/octet-stream"))
    run(at)
    assert charts(at) == shown
    assert "cannot be told" in said(at)
    assert "read from a log of" in said(at)


def test_a_run_that_waits_and_one_that_works(view, planted, monkeypatch):
    made = planted("running", events=toy_monitor.events(20, planned=200, end=None))
    monkeypatch.setattr(runs, "status", lambda run: runs.Status("running", since=1.0))
    at = view(run=made.id)
    text = said(at)
    assert "How does the training go?" in text
    assert charts(at) == ALL
    assert f"`view=Monitor&run={made.id}`" in text
    assert "monitor_stop" in keys(at)
    monkeypatch.setattr(runs, "status", lambda run: runs.Status("waiting", since=1.0))
    made.event_file.unlink()
    text = said(view(run=made.id))
    assert "It waits: one training works at a time here" in text
    assert "There are no figures yet" in text


def test_a_run_that_is_deleted_while_it_is_watched(view, planted, monkeypatch):
    made = planted("running", events=toy_monitor.events(20, planned=200, end=None))
    fares = iter([runs.Status("running", since=1.0)])
    monkeypatch.setattr(runs, "status", lambda run: next(fares, runs.Status()))
    at = view(run=made.id)
    assert not list(fares)
    assert "monitor_stop" not in keys(at)
    assert "monitor_new" in keys(at)


def test_what_came_of_a_finished_run(view, planted):
    made = planted("finished", events=toy_monitor.events(), figures=toy_monitor.figures())
    at = view(run=made.id)
    assert charts(at) == ALL
    text = said(at)
    assert "It **gained** on queries held out: NDCG@10 rose by +0.080" in text
    assert "On 30 queries held out, over 300 documents." in text
    table = next(frame.value for frame in at.dataframe if "change" in frame.value.columns)
    assert table.change[0] == "+0.080 (+0.010 to +0.150)"
    assert table.p[0] == "0.03"
    assert "It took 40 of 40 steps and 23 seconds. Kept are the weights after step 40" in text
    assert "Documents are shared." in text
    assert "**bold**" not in "".join(caption.value for caption in at.caption)
    assert "monitor_delete" not in keys(at)
    assert "Download the model" in {button.label for button in at.get("download_button")}
    at = press(at, "monitor_compare")
    assert {key: at.session_state[key] for key in ("encoder", "tuned", "view")} == {
        "encoder": PACKAGED, "tuned": f"run:{made.id}", "view": "Drift"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (toy_monitor.figures(low=-0.2, high=-0.01), "It **lost** on queries held out"),
        (toy_monitor.figures(low=-0.1, high=0.2), "cannot be told"),
        (toy_monitor.figures(low=None, high=None), "cannot be told"),
        (toy_monitor.figures(validation=False), "No queries were held out"),
    ],
)
def test_a_gain_is_told_from_a_loss_and_from_neither(view, planted, figures, words):
    assert words in said(view(run=planted("finished", figures=figures).id))


def test_it_becomes_the_encoder(view, planted):
    made = planted("finished", figures=toy_monitor.figures())
    assert press(view(run=made.id), "monitor_use").session_state["encoder"] == f"run:{made.id}"


def test_the_archive_holds_the_model_and_what_came_of_it(planted):
    made = planted("finished", figures=toy_monitor.figures())
    with zipfile.ZipFile(io.BytesIO(monitor_end.model_zip(made.result))) as archive:
        assert set(archive.namelist()) == {"model/adapter_config.json", "model/README.md", "figures.json"}
        assert json.loads(archive.read("figures.json"))["steps"] == 40


def test_a_failure_is_one_sentence_and_can_be_resumed(view, planted):
    made = planted("failed")
    at = view(run=made.id)
    assert {"monitor_resume", "monitor_new"} <= keys(at)
    assert "There are no figures yet" in said(at)
    at = press(at, "monitor_new")
    assert at.session_state["view"] == "Train"


def test_who_began_it_can_delete_it(view, root):
    at = view(run="upload")
    token = at.session_state["_runs_token"]
    made = runs.create("finetune", title="mine", owner=token, about={})
    write_json(made.folder / "state.json", runs.Status("stopped", since=1.0).to_dict())
    run(at)
    (box,) = [box for box in at.selectbox if box.key == "run"]
    assert box.options == ["sample", "harmful", "upload", made.id]
    at.session_state["run"] = made.id
    at = press(run(at), "monitor_delete")
    assert runs.list_runs(root=root) == []
    assert at.session_state["view"] == "Train"


def test_an_address_without_a_training(view):
    for name in ("../../etc", HOSTILE, "0" * 32):
        at = view(run=name)
        assert "There is no run" in said(at)
    assert charts(press(at, "monitor_sample")) == ALL


def test_a_run_of_another_page(view, root):
    other = runs.create("sae", title="other", about={})
    assert "look at it on the page SAE Features" in said(view(run=other.id))
    assert "packaged fine-tune" in said(view(run="new"))  # what another page calls one that is yet to begin
