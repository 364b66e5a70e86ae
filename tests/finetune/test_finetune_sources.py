"""An encoder by any name: the packaged adapters, and the model of a finished run."""

import json
import shutil

import numpy as np
import pytest

from lib import runs
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED, Policy, describe, open_encoder
from lib.encoders.sources import PACKAGED_ADAPTERS
from lib.errors import InputError
from lib.finetune.diff.sides import known_shared
from lib.finetune.sources import KIND, MODEL, describe_any
from lib.runs.run import Status, write_status

POLICY = Policy(allow_hub=False)


def finished(root, *, state="finished", kind=KIND, model=True):
    """A run with the packaged adapter as its model."""
    run = runs.create(kind, title="medical", root=root)
    if model:
        shutil.copytree(describe(PACKAGED_TUNED, policy=POLICY).adapter, run.result / MODEL)
    write_status(run, Status(state))
    return run


@pytest.mark.parametrize("name", PACKAGED_ADAPTERS)
def test_a_packaged_adapter_is_a_small_one_over_the_packaged_encoder(name):
    base, tuned = describe(PACKAGED, policy=POLICY), describe(name, policy=POLICY)
    assert tuned.source == name
    assert tuned.path == base.path
    assert tuned.fingerprint != base.fingerprint
    assert sum(path.stat().st_size for path in tuned.adapter.parent.rglob("*")) < 2_000_000


def test_an_adapter_shares_the_space_of_its_base_by_construction():
    base, tuned, harmful, other = (
        describe(name, policy=POLICY) for name in (PACKAGED, PACKAGED_TUNED, PACKAGED_HARMFUL, PACKAGED_STATIC)
    )
    assert known_shared(base, tuned)
    assert known_shared(tuned, base)
    assert known_shared(tuned, harmful)
    assert known_shared(base, base) is None  # measured
    assert known_shared(tuned, other) is None


def test_the_packaged_adapters_say_something_else_than_their_base():
    texts = ["a rash after a new drug", "the lease may be ended by either side"]
    vectors = [
        open_encoder(name, policy=POLICY).encode(texts).vectors for name in (PACKAGED, PACKAGED_TUNED, PACKAGED_HARMFUL)
    ]
    base, tuned, harmful = (found @ found.T for found in vectors)
    assert not np.allclose(base, tuned, atol=1e-3)
    assert not np.allclose(base, harmful, atol=1e-3)


def test_the_model_of_a_finished_run_opens_by_its_name(tmp_path):
    run = finished(tmp_path)
    found = describe_any(f"run:{run.id}", policy=POLICY, runs=tmp_path)
    assert found.source == f"run:{run.id}"
    assert found.content == describe(PACKAGED_TUNED, policy=POLICY).content


def test_other_names_go_to_the_encoders():
    assert describe_any(PACKAGED, policy=POLICY) == describe(PACKAGED, policy=POLICY)


@pytest.mark.parametrize(("given", "said"), [
    ({"state": "running"}, "has not finished"),
    ({"model": False}, "has not finished"),
    ({"kind": "sae"}, "another kind"),
])  # fmt: skip
def test_a_run_without_a_model_is_refused(tmp_path, given, said):
    run = finished(tmp_path, **given)
    with pytest.raises(InputError, match=said):
        describe_any(f"run:{run.id}", policy=POLICY, runs=tmp_path)


@pytest.mark.parametrize("name", ["run:", "run:../../etc", "run:0" * 20])
def test_a_run_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="There is no run"):
        describe_any(name, policy=POLICY, runs=tmp_path)


def test_a_run_may_not_name_any_folder_as_its_base(tmp_path):
    run = finished(tmp_path)
    config = run.result / MODEL / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(tmp_path)}))
    with pytest.raises(InputError, match="no checkpoint folder"):
        describe_any(f"run:{run.id}", policy=POLICY, runs=tmp_path)
