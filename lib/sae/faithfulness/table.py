"""The features of a faithfulness result as a table: one row each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.faithfulness.result import Faithfulness

if TYPE_CHECKING:
    import pandas as pd


def feature_table(result: Faithfulness, labels: Sequence[str | None]) -> "pd.DataFrame":
    """Every feature with its `labels` (f,), the largest drop first; NaN where it was not tested or has no control.

    `peers` is the share of features that fire about as often whose own removal costs as much.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "feature": result.features,
            "label": list(labels),
            "verdict": list(result.verdict),
            "drop": result.drop,
            "low": result.low,
            "high": result.high,
            "fires": result.fires,
            "hurt": result.hurt,
            "helped": result.helped,
            "activation": result.activation,
            "p": result.p_value,
            "q": result.q_value,
            "matched": _mean(result.matched),
            "random": _mean(result.random),
            "peers": result.peers,
            "queries needed": result.needed,
            **{
                f"drop: {topic}": column for topic, column in zip(result.topics, result.topic_drop.T, strict=True)
            },
        }
    )  # fmt: skip


def _mean(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over draws; NaN where there are none."""
    return np.asarray(drawn.mean(axis=1))
