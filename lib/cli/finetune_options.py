"""The options of `python -m lib finetune` that are settings of the training: one each, under its own name."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args

from lib.encoders import PACKAGED
from lib.finetune.training.settings import (
    FULL_RATE,
    LORA_RATE,
    Loss,
    Method,
    Negatives,
    TrainingPrecision,
    TrainingSettings,
)

_CHOICES = {
    "method": get_args(Method),
    "loss": get_args(Loss),
    "negatives": get_args(Negatives),
    "precision": get_args(TrainingPrecision),
}
_SEVERAL: dict[str, Callable[[str], Any]] = {"target_modules": str, "matryoshka": int}
_WHOLE = {field.name for field in fields(TrainingSettings) if field.type in (int, int | None)}
_GROUPS = {
    "the encoder": {
        "encoder": "hub id, folder or run:ID (default: the packaged one)",
        "method": "low-rank matrices beside frozen weights, or all weights",
        "rank": "of LoRA's matrices",
        "alpha": "LoRA's change is scaled by alpha / rank",
        "dropout": "of what enters LoRA's matrices",
        "target_modules": "layers that LoRA stands beside (default: query key value)",
    },
    "the loss": {
        "loss": "what is made small",
        "temperature": "of infonce, cached infonce and nt-xent",
        "margin": "of triplet: cosine distance",
        "matryoshka": "widths at which the first dimensions are to serve alone, such as 384 256 128 64",
    },
    "the negatives": {
        "negatives": "of each pair: none, those given, or mined where none are given, by BM25 or by the encoder",
        "negatives_each": "mined for each pair",
        "false_negative_margin": "share of the positive's cosine; what comes closer may be relevant and is not taken",
    },
    "the steps": {
        "epochs": "how often each pair is seen",
        "max_steps": "end after so many",
        "batch": "pairs a step",
        "mini_batch": "pairs in memory at once, of cached infonce",
        "learning_rate": f"the highest (default: {LORA_RATE:g}, {FULL_RATE:g} for a full fine-tune)",
        "warmup": "share of the steps over which the learning rate rises",
        "weight_decay": "of AdamW",
        "max_tokens": "of a text that are read (default: what the encoder reads)",
        "precision": "auto: bf16 or fp16 on a graphics processor, float32 elsewhere",
        "seed": "of all that is drawn",
    },
    "the judging": {
        "validation": "share of the queries that are held out; 0: none",
        "evaluate_every": "steps between evaluations (default: a tenth of all, at least 10)",
        "patience": "evaluations without a gain after which it ends; 0: never",
        "checkpoint_every": "steps between checkpoints",
    },
}


def add_settings(command: argparse.ArgumentParser) -> None:
    """An option for every setting."""
    known = {field.name: field for field in fields(TrainingSettings)}
    for title, options in _GROUPS.items():
        group = command.add_argument_group(title)
        for name, what in options.items():
            default = PACKAGED if name == "encoder" else known[name].default
            _add(group, name, default, what)


def settings_of(chosen: argparse.Namespace) -> TrainingSettings:
    """The settings that the options name.

    Raises:
        InputError: no training can have them.
    """
    given: dict[str, Any] = {field.name: getattr(chosen, field.name) for field in fields(TrainingSettings)}
    settings = TrainingSettings(**given | {name: tuple(given[name]) for name in _SEVERAL})
    settings.check()
    return settings


def _add(group: Any, name: str, default: Any, what: str) -> None:
    option = f"--{name.replace('_', '-')}"
    if "default" not in what and default not in (None, ()):
        what += f" (default: {default})"
    if name in _SEVERAL:
        group.add_argument(option, nargs="+", type=_SEVERAL[name], default=default, metavar="X", help=what)
    elif name in _CHOICES:
        group.add_argument(option, choices=_CHOICES[name], default=default, help=what)
    elif isinstance(default, str):
        group.add_argument(option, default=default, metavar="E", help=what)
    else:
        whole = name in _WHOLE
        group.add_argument(
            option, type=int if whole else float, default=default, metavar="N" if whole else "X", help=what
        )
