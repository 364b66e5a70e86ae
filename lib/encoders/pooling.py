"""Pooling: how a checkpoint's files say that token states become one vector.

Ways, by the names that sentence-transformers uses: `cls` (the first token), `mean`, `max`, `mean_sqrt_len_tokens`
(the sum over the root of the length), `weightedmean` (weights 1, 2, 3, ... along the text: the later a token, the
more it counts), `lasttoken`. Several ways joined by "+" are concatenated.
"""

from dataclasses import dataclass
from typing import Any

from lib.errors import InputError

STATIC_POOLING = "token mean (static)"
POOLING_WAYS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")

_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""The older spelling, one switch a way, in the order in which several are concatenated."""


@dataclass(frozen=True)
class PoolingChoice:
    """What a pooling config says."""

    ways: tuple[str, ...]
    """One or more of `POOLING_WAYS`."""
    include_prompt: bool = True
    """Whether the tokens of the prompt take part."""

    @property
    def name(self) -> str:
        """The ways joined by "+"."""
        return "+".join(self.ways)


def read_pooling(config: dict[str, Any], *, name: str) -> PoolingChoice:
    """Read `1_Pooling/config.json`, in its newer spelling (`pooling_mode`) or the older one; `name` is for messages.

    Raises:
        InputError: a way that does not exist.
    """
    mode = config.get("pooling_mode")
    if mode is not None:
        ways = tuple(str(way) for way in mode) if isinstance(mode, list | tuple) else (str(mode),)
    else:
        ways = tuple(way for switch, way in _SWITCHES.items() if config.get(switch)) or ("mean",)
    for way in ways:
        if way not in POOLING_WAYS:
            raise InputError(f"The pooling of {name} is {way!r}, which is none of {', '.join(POOLING_WAYS)}.")
    return PoolingChoice(ways or ("mean",), bool(config.get("include_prompt", True)))
