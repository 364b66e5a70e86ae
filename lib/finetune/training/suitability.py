"""Suitability: whether an encoder can be tuned at all, told from its description alone. Knows no torch."""

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.finetune.training.settings import TrainingSettings


def check_tunable(checkpoint: Checkpoint, settings: TrainingSettings) -> None:
    """Refuse an encoder that cannot be tuned so; no weights are read for it.

    Raises:
        InputError: with what to choose instead.
    """
    name = checkpoint.source
    if checkpoint.kind == "static" and settings.method == "lora":
        raise InputError(
            f"{name} is static: it has no layers that LoRA could stand beside; take a full fine-tune, or another "
            "encoder."
        )
    if checkpoint.own_code:
        raise InputError(f"{name} runs with Python code of its own, which cannot be tuned here; take another encoder.")
    if checkpoint.task_adapters:
        raise InputError(
            f"{name} keeps an adapter for each role of a text, and cannot be tuned here; take another encoder."
        )
    widest = max(settings.matryoshka, default=0)
    if widest > checkpoint.dimensions:
        raise InputError(
            f"A width of Matryoshka is {widest:,}, and the vectors of {name} have {checkpoint.dimensions:,} numbers: "
            "give that at most."
        )
