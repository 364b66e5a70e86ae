"""Environment: the machine and the versions that a training ran with, and the precision that it can compute in."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from lib.encoders import bfloat16_available
from lib.errors import InputError
from lib.finetune.training.settings import TrainingPrecision

_PACKAGES = ("torch", "sentence-transformers", "transformers", "peft", "accelerate", "datasets", "numpy")


def computed_in(asked: TrainingPrecision) -> Literal["float32", "bf16", "fp16"]:
    """The precision that `asked` means on this machine.

    `auto` is bf16, or else fp16, on a graphics processor, and float32 on others: there, bf16 saves time only where the
    processor multiplies it, and its rounding makes small batches noisy.

    Raises:
        InputError: this machine does not have it.
    """
    import torch

    graphics = torch.cuda.is_available()
    bf16 = torch.cuda.is_bf16_supported() if graphics else bfloat16_available()
    if asked == "auto":
        return "float32" if not graphics else "bf16" if bf16 else "fp16"
    if asked == "fp16" and not graphics:
        raise InputError("fp16 needs a graphics processor, and this machine has none: choose auto or float32.")
    if asked == "bf16" and not bf16:
        raise InputError("No processor here multiplies bf16: choose auto or float32.")
    return asked


def environment(precision: str, *, device: str, seed: int) -> dict[str, Any]:
    """What a run folder says of the machine: nothing that names it or its user."""
    import torch

    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        "precision": precision,
        "seed": seed,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
