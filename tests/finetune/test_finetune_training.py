"""Training: what may change does and nothing else; stopped or killed at any moment it ends as if it had not been."""

import json
import shutil
from itertools import count

import numpy as np
import pytest

from lib.encoders import Policy, describe, open_encoder
from lib.errors import InputError, Stopped
from lib.finetune.data import prepare
from lib.finetune.monitor import read_log
from lib.finetune.training import Journal, TrainingSettings, train
from lib.runs import all_events
from tests.toy_tuning import tiny_model, toy_examples

TEXTS = ["ba1 ke2 mi3", "ta9", "po4 su5 su6 ba7 ke8 ke9"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Folder of a tiny encoder that drops a fifth of its states in training."""
    made = tmp_path_factory.mktemp("encoder")
    tiny_model(tmp_path_factory.mktemp("transformer"), dropout=0.2).save_pretrained(str(made), create_model_card=False)
    return made


@pytest.fixture(scope="module")
def tune():
    """Train with settings; what it is trained on is the same each time."""

    def trained(encoder, out, *, resume=False, should_stop=None, pairs=14, **changes):
        settings = TrainingSettings(str(encoder), **{**USUAL, **changes})
        data = prepare(toy_examples(pairs, negatives=1), settings)
        return train(
            settings,
            data,
            checkpoint=describe(str(encoder), policy=policy_of(encoder)),
            out=out,
            journal=Journal(out, resumes=resume),
            resume=resume,
            should_stop=should_stop,
        )

    return trained


USUAL = {
    "batch": 4,
    "epochs": 3,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "validation": 0.25,
    "evaluate_every": 2,
    "checkpoint_every": 2,
    "rank": 2,
    "dropout": 0.1,
}
LORA = {"method": "lora", "matryoshka": (16, 8)}
FULL = {"method": "full", "loss": "cosine"}


def policy_of(*folders):
    return Policy(model_roots=tuple(folder.absolute() for folder in folders))


def weights(out):
    """The numbers of the model in `out`."""
    from safetensors.numpy import load_file

    return load_file(next((out / "model").glob("*model.safetensors")))


def told(out):
    """What the log says of each step and evaluation, the last word on each."""
    found = {}
    for event in all_events(out / "events.jsonl"):
        if event["event"] == "step":
            found[event["step"]] = [event[name] for name in ("epoch", "loss", "learning_rate", "positive", "grad_norm")]
        elif event["event"] == "evaluation":
            found[f"evaluation {event['step']}"] = event["metrics"]
    return found


def same_weights(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(tune, encoder, tmp_path_factory):
    """An uninterrupted training by LoRA, and one of all weights: what each made, its folder, its outcome."""
    made = {}
    for name, settings in (("lora", LORA), ("full", FULL)):
        out = tmp_path_factory.mktemp(name) / "out"
        made[name] = (out, tune(encoder, out, **settings))
    return made


def test_the_folder_that_it_leaves(whole, encoder):
    out, tuned = whole["lora"]
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json", "environment.json", "events.jsonl", "figures.json", "model", "validation.json",
    ]  # fmt: skip
    kinds = [event["event"] for event in all_events(out / "events.jsonl")]
    assert (kinds.count("begin"), kinds.count("step"), kinds[-1]) == (1, tuned.steps, "end")
    begin = next(event for event in all_events(out / "events.jsonl") if event["event"] == "begin")
    assert (begin["layers"], begin["resumes"]) == (["embeddings", "layer 1", "layer 2", "after the layers"], False)
    assert begin["trainable"] == tuned.trainable == 2 * 3 * 2 * 2 * 16  # layers, projections, matrices, rank, width
    assert tuned.steps == tuned.planned == 3 * -(-tuned.examples // 4)
    figures = json.loads((out / "figures.json").read_text())
    assert figures["validation"]["tests"][0]["difference"] == pytest.approx(
        tuned.evaluations[tuned.best_step]["ndcg@10"] - tuned.evaluations[0]["ndcg@10"]
    )
    assert tuned.widths[16].to_dict() == tuned.validation.to_dict()  # all of them
    assert tuned.widths[8].before[0].mean != tuned.validation.before[0].mean
    assert str(encoder.parent) not in (out / "model" / "README.md").read_text()


def test_only_lora_changes_and_the_adapter_opens_merged(whole, encoder):
    import torch

    from lib.finetune.training.model import open_tunable

    out, tuned = whole["lora"]
    assert tuned.adapter
    assert all(".lora_" in name for name in weights(out))
    assert any(np.abs(values).max() > 0 for name, values in weights(out).items() if "lora_B" in name)
    torch.manual_seed(5)
    tunable = open_tunable(
        describe(str(encoder), policy=policy_of(encoder)), TrainingSettings(str(encoder), rank=2, dropout=0.5)
    )
    tunable.load(out / "model")
    merged = open_encoder(str(out / "model"), policy=policy_of(out, encoder)).encode(TEXTS).vectors
    assert np.abs(merged - tunable.model.encode(TEXTS)).max() < 1e-5
    base = open_encoder(str(encoder), policy=policy_of(encoder)).encode(TEXTS).vectors
    assert np.abs(merged - base).max() > 1e-3


def test_gradients_reach_what_may_change_and_nothing_else(encoder):
    from lib.finetune.losses import build_loss
    from lib.finetune.training.model import open_tunable

    checkpoint = describe(str(encoder), policy=policy_of(encoder))
    for method in ("lora", "full"):
        settings = TrainingSettings(str(encoder), method=method, rank=2, learning_rate=0.1)
        model = open_tunable(checkpoint, settings).model
        anchors, positives = (model.preprocess(texts) for texts in (TEXTS, TEXTS[::-1]))
        model.train()
        build_loss(model, settings)([anchors, positives], None).backward()
        for name, parameter in model.named_parameters():
            reached = parameter.grad is not None
            if method == "lora":
                assert reached == parameter.requires_grad == (".lora_" in name), name
            else:
                assert parameter.requires_grad
                assert reached == (".pooler." not in name), name  # no vector passes through the pooler


def test_a_full_fine_tune_changes_every_layer(whole, encoder):
    from safetensors.numpy import load_file

    before, after = load_file(encoder / "model.safetensors"), weights(whole["full"][0])
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert {name for name in before if "pooler" not in name} - changed <= {"embeddings.token_type_embeddings.weight"}
    assert not any("pooler" in name for name in changed)
    assert not whole["full"][1].adapter


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_a_stopped_training_goes_on_as_if_it_had_not_been(tune, encoder, whole, tmp_path, kind):
    out, uninterrupted = whole[kind]
    settings = {"lora": LORA, "full": FULL}[kind]
    stops = 0
    for asked in (4, 1, 7, None):  # in the middle of a pass, before an evaluation, at the end of a pass
        calls = count()
        try:
            tuned = tune(
                encoder,
                tmp_path,
                resume=stops > 0,
                should_stop=lambda calls=calls, asked=asked: asked is not None and next(calls) >= asked,
                **settings,
            )
        except Stopped:
            stops += 1
    assert stops == 3
    assert told(tmp_path) == told(out)
    log, usual = (read_log(all_events(folder / "events.jsonl")) for folder in (tmp_path, out))
    assert (log.best, log.last, log.reason) == (usual.best, usual.last, "finished")
    assert same_weights(weights(tmp_path), weights(out))
    assert (tuned.best_step, tuned.evaluations) == (uninterrupted.best_step, uninterrupted.evaluations)


def test_a_kill_in_the_middle_of_a_write_loses_no_run(tune, encoder, whole, tmp_path):
    calls = count()
    with pytest.raises(Stopped, match=r"at step \d+ of \d+: the checkpoint in .* is kept"):
        tune(encoder, tmp_path, should_stop=lambda: next(calls) >= 15, **LORA)
    steps = sorted(int(path.name.split("-")[1]) for path in tmp_path.glob("checkpoint-*"))
    assert len(steps) >= 2
    latest, before = (tmp_path / f"checkpoint-{step}" for step in steps[:-3:-1])
    half = tmp_path / f"checkpoint-{steps[-1] + 2}"
    shutil.copytree(latest, half, ignore=shutil.ignore_patterns("complete.json"))
    (latest / "optimizer.pt").write_bytes((latest / "optimizer.pt").read_bytes()[:100])
    (tmp_path / ".part" / "checkpoint-99").mkdir(parents=True)
    with (tmp_path / "events.jsonl").open("ab") as log:
        log.write(b'{"event": "st')
    tune(encoder, tmp_path, resume=True, **LORA)
    events = all_events(tmp_path / "events.jsonl")
    resumed = max(place for place, event in enumerate(events) if event["event"] == "begin")
    first = next(event["step"] for event in events[resumed:] if event["event"] == "step")
    assert f"checkpoint-{first - 1}" == before.name
    assert told(tmp_path) == told(whole["lora"][0])
    assert same_weights(weights(tmp_path), weights(whole["lora"][0]))


def test_an_early_stop_keeps_the_best(tune, encoder, tmp_path):
    tuned = tune(encoder, tmp_path, patience=1, evaluate_every=1, epochs=20, learning_rate=0.5, **LORA)
    assert tuned.reason == "early stop"
    assert tuned.steps < tuned.planned
    assert tuned.best_step == tuned.steps - 1
    assert all_events(tmp_path / "events.jsonl")[-1]["reason"] == "early stop"


def test_weights_that_are_no_numbers_end_it(tune, encoder, tmp_path, monkeypatch):
    from lib.finetune.training.tuning import Tuning

    step = Tuning.training_step

    def spoil(trainer, *given, **named):
        if trainer.state.global_step == 3:
            next(p for p in trainer.model.parameters() if p.requires_grad).data[0] = float("inf")
        return step(trainer, *given, **named)

    monkeypatch.setattr(Tuning, "training_step", spoil)
    with pytest.raises(InputError, match=r"diverged: by step 4 .* lower learning rate"):
        tune(encoder, tmp_path, **LORA)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-2"]


def test_an_adapter_is_tuned_further_as_a_whole_encoder(tune, encoder, whole, tmp_path):
    adapter = tmp_path / "adapter"
    shutil.copytree(whole["lora"][0] / "model", adapter)
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(encoder)
    from lib.finetune.training.model import open_tunable

    checkpoint = describe(str(adapter), policy=policy_of(adapter, encoder))
    tunable = open_tunable(checkpoint, TrainingSettings(str(adapter), rank=2, dropout=0.0))
    for name, parameter in tunable.model.named_parameters():
        if "lora_B" in name:
            parameter.data += 0.3
    expected = tunable.model.encode(TEXTS)
    tunable.save_result(tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert not (tmp_path / "model" / "adapter_config.json").exists()
    found = open_encoder(str(tmp_path / "model"), policy=policy_of(tmp_path)).encode(TEXTS).vectors
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - open_encoder(checkpoint).encode(TEXTS).vectors).max() > 1e-3


def test_what_lora_stands_beside():
    from lib.finetune.training.model import lora_targets

    usual = ("query", "key", "value")
    for linear, expected in (
        (["query", "key", "value", "dense"], ("query", "key", "value")),
        (["q", "k", "v", "o"], ("q", "k", "v")),
        (["q_proj", "k_proj", "v_proj", "o_proj"], ("q_proj", "k_proj", "v_proj")),
        (["q_lin", "k_lin", "v_lin", "out_lin"], ("q_lin", "k_lin", "v_lin")),
        (["Wqkv", "Wo"], ("Wqkv",)),
    ):
        assert lora_targets(linear, usual, name="e") == expected
    assert lora_targets(["query", "dense"], ["dense"], name="e") == ("dense",)
    with pytest.raises(InputError, match="e has no linear layer 'gate' for LoRA to stand beside; it has query, dense"):
        lora_targets(["query", "dense"], ["gate"], name="e")


def test_prompts_stand_before_texts_as_at_inference(tmp_path):
    from types import SimpleNamespace

    from lib.encoders.prompts import Prompts
    from lib.finetune.training.trainer import _prompts

    def made(prompts, columns):
        work = SimpleNamespace(
            tunable=SimpleNamespace(checkpoint=SimpleNamespace(prompts=prompts)),
            rows=SimpleNamespace(column_names=columns),
        )
        return _prompts(work)

    both = Prompts("query: ", "passage: ")
    assert made(both, ["anchor", "positive", "negative_1"]) == {
        "anchor": "query: ", "positive": "passage: ", "negative_1": "passage: ",
    }  # fmt: skip
    assert made(both, ["anchor", "document", "score"]) == {"anchor": "query: ", "document": "passage: "}
    assert made(Prompts("Find: ", ""), ["anchor", "positive"]) == {"anchor": "Find: "}


def test_pairs_that_a_pass_does_not_hold_are_told():
    from types import SimpleNamespace

    from lib.finetune.training.finishing import _unseen

    def told(groups, loss="infonce"):
        settings = TrainingSettings("e", batch=4, loss=loss)
        data = SimpleNamespace(train=SimpleNamespace(groups=np.array(groups)))
        return _unseen(SimpleNamespace(rows=groups, settings=settings, data=data))

    assert told([0, 0, 1, 1, 2, 3, 4, 5]) == []
    assert told([0, 0, 0, 1, 2, 3, 4, 5], loss="cosine") == []
    assert "up to 3 pairs, and a pass has 2 batches" in told([0, 0, 0, 1, 2, 3, 4, 5])[0]


def test_a_card_names_no_run():
    from types import SimpleNamespace

    from lib.finetune.training.card import base_name

    assert base_name(SimpleNamespace(source=f"run:{'a' * 32}")) == "an earlier fine-tune"


def test_precisions_that_this_machine_lacks(monkeypatch):
    import torch

    from lib.finetune.training import environment

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(environment, "bfloat16_available", lambda: False)
    assert environment.computed_in("auto") == "float32"
    for precision in ("fp16", "bf16"):
        with pytest.raises(InputError, match="choose auto or float32"):
            environment.computed_in(precision)
    monkeypatch.setattr(environment, "bfloat16_available", lambda: True)
    assert environment.computed_in("bf16") == "bf16"


def test_a_full_disk_is_told(tune, encoder, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from lib.finetune.training import tuning

    def full(*_):
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(tuning.SentenceTransformerTrainer, "_save_optimizer_and_scheduler", full)
    with pytest.raises(RuntimeError, match="PytorchStreamWriter"):
        tune(encoder, tmp_path / "room", validation=0.0, **LORA)
    monkeypatch.setattr(tuning.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(InputError, match="There is no room for a checkpoint"):
        tune(encoder, tmp_path / "none", validation=0.0, **LORA)
