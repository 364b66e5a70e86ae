"""Precision: the number format that an encoder computes in, and whether this processor has it.

float32 is the default: what it shows can be reproduced. bfloat16 keeps float32's range with 8 bits of precision; the
matrix products of the layers run in it, pooling and normalising in float32 again. "openvino" is bfloat16 too, where the
processor has it, computed by another library, which is optional.
"""

import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lib.errors import InputError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "openvino"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
"""Those that need no optional package; `precisions_available` says which can be chosen on this machine."""
_FLAGS = {"avx512_bf16", "amx_bf16", "avx10_1", "bf16"}
"""Processor flags, x86's and ARM's, that mean products in bfloat16; without one they would be emulated, slowly."""


@cache
def bfloat16_available() -> bool:
    """Whether the processor multiplies bfloat16 itself. Known for Linux; elsewhere the answer is no."""
    if platform.system() != "Linux":
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return False
    return any(_FLAGS & set(line.split()) for line in lines if line.lower().startswith(("flags", "features")))


def openvino_available() -> bool:
    """Whether the optional package is installed; it is not imported for the answer."""
    return find_spec("openvino") is not None


def precisions_available() -> tuple[Precision, ...]:
    """What can be chosen here: exactly what `check_precision` accepts."""
    available: dict[Precision, bool] = {
        "float32": True,
        "bfloat16": bfloat16_available(),
        "openvino": openvino_available(),
    }
    return tuple(precision for precision, here in available.items() if here)


def check_precision(precision: str) -> None:
    """Refuse a precision that is none, or that this machine lacks.

    Raises:
        InputError: with what can be chosen.
    """
    if precision == "openvino" and not openvino_available():
        raise InputError(
            "The precision openvino needs a package that is not installed here; install it with "
            "pip install -r requirements-openvino.txt."
        )
    if precision == "bfloat16" and not bfloat16_available():
        raise InputError("This processor has no bfloat16 (AVX-512 BF16, AMX or ARM bf16); choose float32.")
    if precision not in precisions_available():
        raise InputError(f"An encoder's precision is one of {', '.join(precisions_available())}, got {precision!r}.")


def torch_dtype(precision: Precision) -> "torch.dtype":
    """The torch type of a precision."""
    import torch

    return torch.bfloat16 if precision == "bfloat16" else torch.float32
