"""Sources: an encoder by any name that may be opened; also `run:ID`, the model of a finished run of fine-tuning."""

import dataclasses
from pathlib import Path

from lib.encoders import Checkpoint, Policy, describe
from lib.errors import InputError
from lib.runs import default_root, find_run, status

RUN = "run:"
"""What the source of a finished run begins with."""
KIND = "finetune"
"""What kind of run a fine-tune is."""
MODEL = "model"
"""The folder below a run's results that holds what was trained."""


def describe_any(source: str, *, policy: Policy, runs: Path | None = None) -> Checkpoint:
    """What `source` is: `run:ID`, or whatever `lib.encoders.describe` takes.

    Raises:
        InputError: see there; also no such run, one that has not finished, or one of another kind.
    """
    name = source.strip()
    if not name.startswith(RUN):
        return describe(source, policy=policy)
    run = find_run(name.removeprefix(RUN), root=runs or default_root())
    if run.kind != KIND:
        raise InputError(f"{name} is a run of another kind: name one that tuned an encoder.")
    folder = run.result / MODEL
    if status(run).state != "finished" or not folder.is_dir():
        raise InputError(f"The training {name} has not finished, so it has no model yet: wait for it, or resume it.")
    opened = describe(str(folder), policy=dataclasses.replace(policy, model_roots=(*policy.model_roots, folder)))
    return dataclasses.replace(opened, source=name)
