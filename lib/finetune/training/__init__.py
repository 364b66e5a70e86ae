"""Training: an encoder tuned on pairs of texts, in a process of its own."""

from typing import TYPE_CHECKING, Any

from lib.finetune.training.folder import check_folder
from lib.finetune.training.journal import Journal
from lib.finetune.training.settings import FULL_RATE, IN_BATCH, LORA_RATE, TrainingSettings
from lib.finetune.training.suitability import check_tunable

if TYPE_CHECKING:
    from lib.finetune.training.outcome import Tuned
    from lib.finetune.training.trainer import train

__all__ = [
    "FULL_RATE",
    "IN_BATCH",
    "LORA_RATE",
    "Journal",
    "TrainingSettings",
    "Tuned",
    "check_folder",
    "check_tunable",
    "train",
]


def __getattr__(name: str) -> Any:
    """What imports torch is imported when it is first asked for."""
    if name == "train":
        from lib.finetune.training.trainer import train

        return train
    if name == "Tuned":
        from lib.finetune.training.outcome import Tuned

        return Tuned
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
