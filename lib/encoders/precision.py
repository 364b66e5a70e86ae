"""Precision: the number format that an encoder computes in, and whether this processor has it.

float32 is the default: what it shows can be reproduced. bfloat16 keeps float32's range with 8 bits of precision; the
matrix products of the layers run in it, pooling and normalising in float32 again.
"""

import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lib.errors import InputError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
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


def check_precision(precision: str) -> None:
    """Refuse a precision that is none, or that this machine lacks.

    Raises:
        InputError: with what can be chosen.
    """
    if precision not in PRECISIONS:
        raise InputError(f"An encoder's precision is one of {', '.join(PRECISIONS)}, got {precision!r}.")
    if precision == "bfloat16" and not bfloat16_available():
        raise InputError("This processor has no bfloat16 (AVX-512 BF16, AMX or ARM bf16); choose float32.")


def torch_dtype(precision: Precision) -> "torch.dtype":
    """The torch type of a precision."""
    import torch

    return torch.bfloat16 if precision == "bfloat16" else torch.float32
