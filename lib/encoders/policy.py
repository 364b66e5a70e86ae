"""Policy: what whoever runs the server allows an encoder to be opened from."""

import os
from dataclasses import dataclass, field
from pathlib import Path

_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Policy:
    """What may be opened. The default allows the packaged encoder and the hub, no local folder, no remote code."""

    model_roots: tuple[Path, ...] = field(default=())
    """Folders below which local checkpoints may lie; links are followed before the comparison."""
    allow_remote_code: bool = False
    """Whether Python code that comes with a checkpoint may run here."""
    allow_hub: bool = True
    """Whether the model hub may be asked; what is already in its cache opens either way."""

    @classmethod
    def from_environment(cls) -> "Policy":
        """Read `EMBEDSCOPE_MODEL_ROOTS` (separated by `os.pathsep`), `EMBEDSCOPE_ALLOW_REMOTE_CODE`,
        `EMBEDSCOPE_OFFLINE` and `HF_HUB_OFFLINE`; a switch is on when it is 1, true, yes or on.
        """  # noqa: D205
        roots = os.environ.get("EMBEDSCOPE_MODEL_ROOTS", "").split(os.pathsep)
        return cls(
            model_roots=tuple(Path(root).expanduser() for root in roots if root.strip()),
            allow_remote_code=_switch("EMBEDSCOPE_ALLOW_REMOTE_CODE"),
            allow_hub=not (_switch("EMBEDSCOPE_OFFLINE") or _switch("HF_HUB_OFFLINE")),
        )


def _switch(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in _TRUE
