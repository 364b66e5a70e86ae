"""Results: what every analysis returns, and how it leaves the program as plain JSON values."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


class Result:
    """Base of every frozen result: numbers, the settings that took effect, and how many items stood behind them."""

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values: arrays become lists, nested results dictionaries, NaN and infinities None."""
        if not is_dataclass(self):
            raise TypeError(f"{type(self).__name__} is no dataclass: a result's fields are its JSON keys")
        return {field.name: to_json(getattr(self, field.name)) for field in fields(self)}


def to_json(value: object) -> Any:
    """`value` in the types that JSON has; None stands for a number that is not finite."""
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
