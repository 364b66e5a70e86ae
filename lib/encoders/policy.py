"""Policy: what whoever runs the server allows an encoder to be opened from."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from lib.errors import InputError
from lib.settings import ANY, allows_hub_id, value

_TRUE = {"1", "true", "yes", "on"}
_SHOWN = 5


@dataclass(frozen=True)
class Policy:
    """What may be opened. The default allows the packaged encoder and the hub, no local folder, no remote code."""

    model_roots: tuple[Path, ...] = field(default=())
    """Folders below which local checkpoints may lie; links are followed before the comparison."""
    allow_remote_code: bool = False
    """Whether Python code that comes with a checkpoint may run here."""
    allow_hub: bool = True
    """Whether the model hub may be asked; what is already in its cache opens either way."""
    hub_ids: tuple[str, ...] = (ANY,)
    """What may be opened by a hub id, from its cache as well: exact ids, `owner/*`, or `any`; () for nothing."""

    def check(self, hub_id: str) -> None:
        """Refuse what is not among the hub ids that may be opened.

        Raises:
            InputError: with some that may.
        """
        if not allows_hub_id(hub_id, self.hub_ids):
            those = ", ".join(self.hub_ids[:_SHOWN]) + (", …" if len(self.hub_ids) > _SHOWN else "")
            raise InputError(
                f"{hub_id} may not be opened here: whoever runs the server allows {those or 'nothing'} from the hub "
                "(EMBEDSCOPE_HUB_IDS); choose another, or run Embedscope on your own machine."
            )

    @classmethod
    def from_environment(cls) -> "Policy":
        """Read the owner's settings, and `HF_HUB_OFFLINE`, which the hub's own library knows.

        Raises:
            InputError: a setting that is nothing it may be.
        """
        told_offline = os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in _TRUE
        return cls(
            model_roots=value("EMBEDSCOPE_MODEL_ROOTS"),
            allow_remote_code=value("EMBEDSCOPE_ALLOW_REMOTE_CODE"),
            allow_hub=not (value("EMBEDSCOPE_OFFLINE") or told_offline),
            hub_ids=value("EMBEDSCOPE_HUB_IDS"),
        )
