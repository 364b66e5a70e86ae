"""What the command line opens: what the pages open, and besides any folder that its user may read."""

import os
from dataclasses import replace
from pathlib import Path

from lib.encoders import Checkpoint, Policy
from lib.finetune.sources import describe_any
from lib.sae.sources import PACKAGED_SAE, OpenedSae, open_sae


def policy_of(source: str) -> Policy:
    """What `source` may be opened under."""
    return _widened(_own_folder(source))


def described(source: str) -> Checkpoint:
    """The encoder that `source` names; a finished run of fine-tuning by `run:ID`.

    Raises:
        InputError: it cannot be opened.
    """
    folder = _own_folder(source)
    return describe_any(str(folder or source), policy=_widened(folder))


def opened_sae(source: str) -> OpenedSae:
    """The dictionary that `source` names.

    Raises:
        InputError: it cannot be opened.
    """
    folder = _own_folder(source) if source.strip() != PACKAGED_SAE else None
    return open_sae(str(folder or source), policy=_widened(folder))


def _own_folder(source: str) -> Path | None:
    """The folder that `source` is the path of, if it is one."""
    named = os.path.expanduser(source.strip())  # noqa: PTH111 - never raises
    return Path(named).resolve() if named and os.path.isdir(named) else None  # noqa: PTH112 - a name too long is none


def _widened(folder: Path | None) -> Policy:
    policy = Policy.from_environment()
    return policy if folder is None else replace(policy, model_roots=(*policy.model_roots, Path(folder.anchor)))
