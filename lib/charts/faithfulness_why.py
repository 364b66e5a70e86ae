"""Figure of one score, or of one document's lead over another, taken apart by the features of the query."""

from collections.abc import Sequence

import plotly.graph_objects as go

from lib.charts.score_parts import parts_figure
from lib.sae.faithfulness import Why


def score_parts(
    result: Why, names: Sequence[str], *, row: int = 0, shown: int = 15, title: str, chosen: int | None = None
) -> go.Figure:
    """What adds up to a score or a lead: the parts that weigh most, all others in one bar, the bias and the error.

    `names` are those of the features of `result` in their order. Arrows mark features without which a lead is lost.
    The feature `chosen` is always shown, with a triangle before its name.
    """
    return parts_figure(
        result.parts[row],
        names,
        features=result.features,
        rest=(float(result.bias[row]), float(result.error[row])),
        title=title,
        shown=shown,
        turns=result.turns(row),
        chosen=chosen,
    )
