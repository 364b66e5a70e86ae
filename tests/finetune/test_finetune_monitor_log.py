"""Logs as they are read: one's own, resumed and torn ones, hostile ones, and those that others write."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.finetune.monitor import findings, foreign, read_log, read_upload
from tests.toy_monitor import events


def lines(found):
    return b"\n".join(json.dumps(event).encode() for event in found) + b"\n"


def test_a_log_says_what_its_events_say():
    log = read_log(events(40))
    assert log.step.tolist() == list(range(1, 41))
    assert log.evaluation_step.tolist() == [0, 10, 20, 30, 40]
    assert (log.metric, log.best, log.last, log.steps, log.reason) == ("ndcg@10", 40, 40, 40, "finished")
    assert (log.loss_name, log.pairs, log.method, log.batch, log.examples) == ("infonce", "in batch", "lora", 16, 320)
    assert log.sides == ("adapter",)
    assert log.gradients("adapter").shape == (40, 4)
    assert log.monitor_share == pytest.approx(0.02)
    assert log.seconds_left == 0
    assert json.loads(json.dumps(log.to_dict()))["gradients_adapter"][0][0] is None
    assert read_upload("events.jsonl", lines(events(40))).loss.tolist() == log.loss.tolist()


def test_what_a_resumption_did_again_counts_once():
    first = [event for event in events(20, end=None) if event.get("step", 0) <= 14]
    again = [event for event in events(20) if event["event"] != "begin" and event.get("step", 99) > 9]
    again = [event | {"loss": 9.0} if event["event"] == "step" else event for event in again]
    log = read_log([*first, {"event": "begin", "resumes": True, "steps": None}, *again])
    assert log.step.tolist() == list(range(1, 21))
    assert log.loss[9:].tolist() == [9.0] * 11
    assert log.loss[8] < 9
    assert log.evaluation_step.tolist() == [0, 10, 20]
    assert (log.resumed, log.steps, log.encoder) == ((9,), 20, "a toy")


def test_a_second_training_in_the_same_file_is_the_one_that_is_read():
    log = read_log(events(30) + events(10))
    assert log.last == 10
    assert "last one" in log.notices[0]


@pytest.mark.parametrize("kept", [[], ["begin"], ["begin", "doing"], ["begin", "evaluation"]])
def test_a_log_without_steps_yet(kept):
    log = read_log([event for event in events(10) if event["event"] in kept])
    assert log.step.shape == (0,)
    assert np.isnan(log.seconds_left)
    assert np.isnan(log.monitor_share)
    assert findings(log).gap == "cannot be told"
    assert (log.doing == "mining hard negatives") == ("doing" in kept)


def test_what_is_no_number_is_none():
    odd = [
        {"event": "begin", "layers": ["a", 3], "steps": "many", "encoder": ["x"], "loss": "y" * 999},
        {"event": "step", "step": "3"},
        {"event": "step", "step": -1},
        {"event": "step", "step": 1.5},
        {"event": "step", "step": True},
        {"event": "step", "step": 1, "loss": "inf", "positive": True, "gradients": {"base": [1, {}], "adapter": 3}},
        {"event": "step", "step": 2, "gradients": [], "not_finite": "loss"},
        {"event": "step", "step": 3, "loss": 10**400, "not_finite": ["loss", None]},
        {"event": "evaluation", "step": 2, "metrics": {"ndcg@10": "x", "mrr@10": None}},
        {"event": "evaluation", "step": 2, "metrics": [1]},
        {"event": ["begin"]},
        {},
    ]
    log = read_log(odd)
    assert log.step.tolist() == [1, 2, 3]
    assert np.isnan(log.loss[:2]).all()
    assert np.isnan(log.positive).all()
    np.testing.assert_array_equal(log.gradients_base[0], [1, np.nan])
    assert log.layers == ("a", "?")
    assert log.encoder is None
    assert len(log.loss_name) == 200
    assert len(log.evaluation_step) == 0
    findings(log)


def history(entries, **others):
    return json.dumps({"log_history": entries, "max_steps": 30, **others}).encode()


def test_a_trainers_state_gives_what_it_has():
    entries = [
        {"step": 10, "epoch": 0.3, "loss": 2.0, "learning_rate": 1e-4, "grad_norm": 3.0},
        {"step": 10, "eval_cosine_ndcg@10": 0.5, "eval_loss": 1.0, "eval_runtime": 3.0, "epoch": 0.3},
        {"step": 20, "epoch": 0.6, "loss": float("nan"), "grad_norm": None},
        {"step": 20, "eval_cosine_ndcg@10": 0.6, "eval_loss": 2.0},
        {"step": 20, "train_runtime": 9.0, "train_loss": 1.0},
    ]
    log = read_upload("trainer_state.json", history(entries, best_global_step=10))
    assert log.source == "sentence-transformers"
    assert (log.step.tolist(), log.steps, log.best) == ([10, 20], 30, 10)
    assert sorted(log.metrics) == ["cosine_ndcg@10", "loss"]
    assert log.metric == "cosine_ndcg@10"
    assert log.grad_norm[0] == 3.0
    assert not log.has_pairs
    assert log.not_finite == ((20, "loss"),)
    assert len(log.notices) == 2
    assert findings(log).items[0].kind == "not finite"
    assert read_upload("checkpoint.json", history(entries)).best == 20


def test_a_tensorboard_file_as_torch_writes_it(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        for step in range(1, 6):
            writer.add_scalar("train/loss", 1 / step, step)
            writer.add_scalar("train/grad_norm", 0.25 * step, step, new_style=True)
            writer.add_scalar("other", 3.0, step)
        writer.add_scalar("eval/ndcg@10", 0.75, 5)
        writer.add_text("args", "{}")
    (path,) = tmp_path.iterdir()
    name, content = path.name, path.read_bytes()
    log = read_upload(name, content)
    np.testing.assert_allclose(log.loss, 1 / np.arange(1, 6), rtol=1e-6)
    assert log.grad_norm.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25]
    assert (log.evaluation_step.tolist(), log.metrics["ndcg@10"].tolist(), log.source) == ([5], [0.75], "tensorboard")
    assert len(read_upload(name, content[:-30]).step) == 5  # the last record is not whole
    with pytest.raises(InputError, match="Record 1 of the TensorBoard file"):
        read_upload(name, b"not at all such a file, but long enough to be one")
    with pytest.raises(InputError, match="cannot be read"):
        read_upload(name, content[:60] + b"\xff" * 40 + content[100:])


def test_an_evaluators_table():
    log = read_upload(
        "eval_results.csv", b"epoch,steps,cosine-Recall@1,cosine-NDCG@10\n0.5,10,0.3,0.4\n1.0,20,0.5,0.6\n"
    )
    assert log.evaluation_step.tolist() == [10, 20]
    assert (log.metric, log.best) == ("cosine-ndcg@10", 20)
    assert "no steps" in log.notices[0]
    log = read_upload("r.csv", b"epoch,steps,accuracy\n0,-1,0.5\n1,-1,0.4\n")
    assert log.evaluation_step.tolist() == [0, 1]
    assert "numbered in their order" in log.notices[-1]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.txt", b"x", "no log of a training"),
        ("log.zip", b"PK", "no log of a training"),
        ("state.json", b"[1]", 'a list "log_history"'),
        ("state.json", b"{" * 100_000, 'a list "log_history"'),
        ("state.json", b'{"log_history": [3]}', "no step of a training"),
        ("events.jsonl", b"\xff\xfe\nnull\n[]\n3\n", "no step of a training"),
        ("events.jsonl", b"", "no step of a training"),
        ("events.out.tfevents.1", b"", "no step of a training"),
        ("results.csv", b"a,b\n1,2\n", '"epoch" and "steps"'),
    ],
)
def test_what_is_no_log_is_refused(name, content, says):
    with pytest.raises(InputError, match=says):
        read_upload(name, content)


def test_a_log_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(foreign, "MOST_BYTES", 2**20)
    with pytest.raises(InputError, match="at most 1 MB"):
        read_upload("events.jsonl", b"x" * (2**20 + 1))


def test_the_monitors_reader_needs_neither_torch_nor_transformers():
    import subprocess
    import sys

    code = (
        "import sys, lib.finetune.monitor as m; m.read_log([]); assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
