"""Checkpoints and folders: half-written and damaged ones are passed over, foreign ones refused; when training ends."""

import json

import pytest

from lib.errors import InputError
from lib.finetune.training import TrainingSettings, check_folder, check_tunable, checkpoints, folder
from lib.finetune.training.course import Course


def save(out, step, *, best=None, content=b"weights"):
    """A checkpoint of `step`."""
    written = checkpoints.part(out) / checkpoints.name_of(step)
    (written / "1_Pooling").mkdir(parents=True)
    (written / "model.safetensors").write_bytes(content)
    (written / "1_Pooling" / "config.json").write_text("{}")
    checkpoints.seal(written, {"best": best, "evaluations": {}, "seconds": 0.0})
    checkpoints.publish(written, out / checkpoints.name_of(step))


def steps(out):
    """Those that are whole."""
    return [one.step for one in checkpoints.saved(out)]


@pytest.fixture
def out(tmp_path):
    """A folder with three checkpoints."""
    for step in (4, 8, 12):
        save(tmp_path, step)
    return tmp_path


@pytest.mark.parametrize("damage", ["truncated", "other bytes", "lost file", "no seal", "half a seal", "odd seal"])
def test_a_damaged_checkpoint_is_passed_over(out, damage):
    latest = out / "checkpoint-12"
    if damage == "truncated":
        (latest / "model.safetensors").write_bytes(b"weigh")
    elif damage == "other bytes":
        (latest / "model.safetensors").write_bytes(b"WEIGHTS")
    elif damage == "lost file":
        (latest / "1_Pooling" / "config.json").unlink()
    elif damage == "no seal":
        (latest / "complete.json").unlink()
    elif damage == "half a seal":
        (latest / "complete.json").write_text((latest / "complete.json").read_text()[:40])
    else:
        (latest / "complete.json").write_text('{"files": [], "course": {}}')
    assert steps(out) == [8, 4]


def test_what_a_kill_left_is_cleared_and_written_over(out):
    (out / ".part" / "checkpoint-16").mkdir(parents=True)
    (out / "checkpoint-16").mkdir()
    (out / "checkpoint-16" / "model.safetensors").write_bytes(b"")
    (out / "checkpoint-of-mine").mkdir()
    assert steps(out) == [12, 8, 4]
    checkpoints.clear(out, after=8)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint-4", "checkpoint-8", "checkpoint-of-mine"]
    save(out, 8, content=b"anew")
    assert steps(out) == [8, 4]
    assert (out / "checkpoint-8" / "model.safetensors").read_bytes() == b"anew"


def test_the_last_two_and_the_best_are_kept(out):
    save(out, 16)
    checkpoints.prune(out, best=4)
    assert steps(out) == [16, 12, 4]


def test_a_checkpoint_whose_best_weights_are_lost_is_not_gone_on_from(tmp_path):
    config = {"settings": {}, "data": {"key": "d"}, "encoder": {"fingerprint": "f"}}
    folder.begin(tmp_path, config, resume=False)
    save(tmp_path, 4, best=4)
    save(tmp_path, 8, best=4)
    save(tmp_path, 12, best=8)
    assert folder.begin(tmp_path, config, resume=True).step == 12
    (tmp_path / "checkpoint-8" / "model.safetensors").unlink()
    assert folder.begin(tmp_path, config, resume=True).step == 4
    assert steps(tmp_path) == [4]
    for part, key, what in (("data", "key", "other data"), ("encoder", "fingerprint", "another state")):
        with pytest.raises(InputError, match=what):
            folder.begin(tmp_path, {**config, part: {key: "other"}}, resume=True)


def test_a_folder_says_what_it_holds(tmp_path):
    settings = TrainingSettings("e", batch=8)
    check_folder(tmp_path / "new", settings, resume=False)
    check_folder(tmp_path / "new", settings, resume=True)
    folder.begin(tmp_path, {"settings": settings.to_dict()}, resume=False)
    check_folder(tmp_path, TrainingSettings("e", batch=4), resume=False)  # nothing to lose
    save(tmp_path, 4)
    with pytest.raises(InputError, match="unfinished training: add --resume"):
        check_folder(tmp_path, settings, resume=False)
    check_folder(tmp_path, TrainingSettings("e", batch=8, checkpoint_every=7), resume=True)
    with pytest.raises(InputError, match="begun with batch 8, not 4"):
        check_folder(tmp_path, TrainingSettings("e", batch=4), resume=True)
    with pytest.raises(InputError, match="begun with matryoshka none, not 8, 4"):
        check_folder(tmp_path, TrainingSettings("e", batch=8, matryoshka=(8, 4)), resume=True)
    (tmp_path / "figures.json").write_text("{}")
    with pytest.raises(InputError, match="holds a finished training"):
        check_folder(tmp_path, settings, resume=True)


def test_when_a_training_is_judged_and_when_it_ends():
    course = Course(steps=25, every=10, patience=2, judged=True)
    assert [step for step in range(1, 26) if course.due(step)] == [10, 20, 25]
    assert course.note(0, {"ndcg@10": 0.5})
    assert course.best is None
    assert not course.early
    assert not course.note(10, {"ndcg@10": 0.4})
    assert course.best == 10  # before training does not count
    assert not course.due(10)
    assert course.note(20, {"ndcg@10": 0.6})
    assert not course.note(25, {"ndcg@10": 0.6})  # the first of equals
    assert (course.best, course.early, course.ended(24), course.ended(25)) == (20, False, False, True)
    course.note(30, {"ndcg@10": 0.5})
    assert course.early
    assert course.ended(24)
    again = Course(steps=25, every=10, patience=2, judged=True)
    again.take(json.loads(json.dumps(course.to_dict())))
    assert again == course
    assert not Course(steps=25, every=10, patience=2, judged=False).due(25)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": " "}, "has no name"),
        ({"method": "ia3"}, "method is one of lora, full, got 'ia3'"),
        ({"loss": "softmax"}, "loss is one of infonce"),
        ({"rank": 0}, "rank of LoRA: expected a whole number from 1 to 1,024, got 0"),
        ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, got 1"),
        ({"temperature": 0.0}, "temperature: expected a number from above 0 to 100, got 0"),
        ({"learning_rate": float("nan")}, "learning rate: expected a number, got nan"),
        ({"target_modules": ()}, "needs the names of the layers"),
        ({"matryoshka": (64, 128)}, "largest first, got 64, 128"),
        ({"matryoshka": (64, 64)}, "named once each"),
        ({"batch": 1}, "Pairs a step: expected a whole number from 2"),
        ({"loss": "triplet", "negatives": "none"}, "needs a negative for each pair"),
        ({"validation": 0.6}, "held out: expected a number from 0 to 0.5"),
        ({"validation": 0.0, "patience": 3}, "early stop needs queries held out"),
        ({"epochs": True}, "Epochs: expected a number"),
        ({"seed": -1}, "A seed: expected a whole number from 0"),
        ({"max_tokens": 4}, "Tokens of a text: expected a whole number from 8"),
    ],
)
def test_settings_that_no_training_can_have(changes, message):
    with pytest.raises(InputError, match=message):
        TrainingSettings(**{"encoder": "e", **changes}).check()


def test_settings_that_a_training_can_have():
    for settings in (
        TrainingSettings("e"),
        TrainingSettings("e", loss="triplet", batch=1, matryoshka=(64, 32), max_steps=1, validation=0.0),
        TrainingSettings("e", method="full", loss="nt-xent", patience=2, epochs=0.5, max_tokens=8),
    ):
        settings.check()
    assert (TrainingSettings("e").rate, TrainingSettings("e", method="full").rate) == (2e-4, 2e-5)
    assert TrainingSettings("e", learning_rate=0.1).rate == 0.1
    assert [TrainingSettings("e").evaluation_steps(steps) for steps in (5, 126, 1_000)] == [10, 13, 100]
    assert TrainingSettings("e", evaluate_every=3).evaluation_steps(126) == 3


def test_encoders_that_cannot_be_tuned():
    from lib.encoders import PACKAGED, PACKAGED_STATIC, describe

    static = describe(PACKAGED_STATIC)
    with pytest.raises(InputError, match="static: it has no layers"):
        check_tunable(static, TrainingSettings(PACKAGED_STATIC))
    check_tunable(static, TrainingSettings(PACKAGED_STATIC, method="full"))
    packaged = describe(PACKAGED)
    check_tunable(packaged, TrainingSettings(PACKAGED, matryoshka=(384, 64)))
    with pytest.raises(InputError, match=r"Matryoshka is 512, and the vectors of .* have 384 numbers"):
        check_tunable(packaged, TrainingSettings(PACKAGED, matryoshka=(512, 64)))
