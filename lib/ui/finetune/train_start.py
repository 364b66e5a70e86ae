"""From pairs and settings to a training in a process of its own."""

from lib import runs
from lib.encoders import Checkpoint
from lib.finetune.sources import KIND
from lib.finetune.suggestion import (
    Material,
    Widths,
    check_material,
    check_memory,
    estimated_bytes,
    estimated_seconds,
    fitted,
    steps_of,
    suggested,
)
from lib.finetune.training import TrainingSettings, check_tunable
from lib.runs import Run, RunLimits
from lib.ui.finetune.train_data import Data
from lib.ui.runs.starting import handing_over, memory, rate

__all__ = ["COMMAND", "KIND", "advice", "begin", "check", "widths"]

COMMAND = "python -m lib finetune"
"""What does the same in a shell."""
_TITLE = 120  # characters of the data's name


def widths(checkpoint: Checkpoint) -> Widths:
    """What of the encoder the cost of its training depends on."""
    layers, heads = checkpoint.layers or 0, checkpoint.heads
    return Widths(checkpoint.dimensions, layers, checkpoint.parameters, checkpoint.max_tokens, heads)


def advice(checkpoint: Checkpoint, material: Material) -> tuple[TrainingSettings, str | None]:
    """Settings to begin with that fit this machine, and what had to be changed for that, if anything."""
    usual = suggested(checkpoint.source, material, widths(checkpoint))
    fitting = fitted(usual, material, widths(checkpoint), free=memory())
    if fitting.batch == usual.batch:
        return usual, None
    return fitting, (
        f"Memory is short here at present: {fitting.batch} pairs a step are suggested rather than {usual.batch}, so "
        "that each has fewer others to be told from."
    )


def check(checkpoint: Checkpoint, material: Material, settings: TrainingSettings, limits: RunLimits) -> float:
    """The seconds that it will take; refuses what cannot be trained, and what the owner does not allow.

    Raises:
        InputError: see there.
    """
    limits.check(material.pairs, command=COMMAND, less="bring fewer", what="pairs")
    check_material(settings, material)
    settings.check()
    check_tunable(checkpoint, settings)
    of = widths(checkpoint)
    limits.check_size(
        estimated_bytes(settings, material, of), command=COMMAND, less="train an adapter, or a smaller encoder"
    )
    check_memory(settings, material, of, free=memory(), command=COMMAND)
    seconds = estimated_seconds(settings, material, of, rate=rate())
    limits.check_time(seconds, command=COMMAND, less="choose fewer passes, steps or tokens")
    return seconds


def begin(checkpoint: Checkpoint, data: Data, settings: TrainingSettings, *, token: str, seconds: float) -> Run:
    """Write what the training needs into a folder of its own, and put it into the queue.

    Raises:
        InputError: the folder cannot be written, the session has a training that is not done yet, too many wait
            already, or there is no room for it.
    """
    what = f"LoRA, rank {settings.rank}" if settings.method == "lora" else "all weights"
    run = runs.create(
        KIND,
        title=f"{data.name[:_TITLE]}: {what}, {settings.loss}",
        owner=token,
        about={
            "encoder": checkpoint.source,
            "fingerprint": checkpoint.fingerprint,
            "name": data.name,
            "pairs": data.material.pairs,
            "steps": steps_of(settings, data.material),
            "expected_seconds": seconds,
            "settings": settings.to_dict(),
        },
    )
    with handing_over(run, "The texts"):
        return runs.start(
            run, ["finetune", *data.hand_over(run.inputs), *arguments(settings), "--out", str(run.result)]
        )


def arguments(settings: TrainingSettings) -> list[str]:
    """The options of the command that say the same as `settings`, those alone that differ from what it takes anyway."""
    usual = TrainingSettings(settings.encoder)
    given = ["--encoder", settings.encoder]
    for name, value in vars(settings).items():
        if name != "encoder" and value != getattr(usual, name):
            values = value if isinstance(value, tuple) else (value,)
            given += [f"--{name.replace('_', '-')}", *map(str, values)]
    return given
