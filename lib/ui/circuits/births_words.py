"""What the Births view says of its numbers, its map and its lists."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts.circuits_births import everywhere, relative_curves
from lib.sae.circuits.births import Births
from lib.sae.circuits.lens import Lens
from lib.ui.messages import count, counted, share

COLUMNS: dict[str, Any] = {
    "feature": st.column_config.TextColumn(width="medium"),
    "curve": st.column_config.LineChartColumn(
        "by depth", help="Mean activation over the feature's own texts, relative to that at the output.",
        width="small", y_min=0,
    ),
    "born, 95 %": st.column_config.TextColumn(help="Where it is born by the two ends of the intervals of its shares."),
    "at the output": st.column_config.NumberColumn(format="%.3f", help="Mean activation over its own texts."),
}  # fmt: skip
OF_DEPTHS = (
    "“Born by” counts a feature from its birth on; its two ends come from the 95 % intervals of the shares of each "
    "feature's own texts. Few texts behind a feature make them lie far apart. “Firing everywhere” are those of the "
    "features born at a depth that fire there on half of all texts or more, their own or not."
)


def notices(result: Births, lens: Lens) -> list[str]:
    """What a reader should know before looking at the map."""
    said = []
    if result.texts < result.of_texts:
        said.append(f"Followed on a uniform sample of {count(result.texts)} of the {count(result.of_texts)} texts.")
    if lens.kind == "raw":
        said.append(
            "Raw lens: the dictionary knows outputs alone, and states before the last layers lie off what it knows. "
            "That features are born late under it says more about the lens than about the encoder."
        )
    return said


def none_judged(result: Births) -> str:
    """Why there is nothing to show."""
    return (
        f"No feature fires on {count(result.least)} texts or more of the {count(result.texts)} here, so that none can "
        "be judged: take a larger corpus."
    )


def judged(result: Births) -> str:
    """Which features are judged."""
    return (
        f"Features that fire on at least {count(result.least)} of the {count(result.texts)} texts; "
        f"{count(result.rare)} fire on fewer and are left out."
    )


def median(result: Births) -> tuple[str, str]:
    """The depth at which half of the features are born."""
    middle = int(np.median(result.birth))
    low, high = int(np.median(result.earliest)), int(np.median(result.latest))
    return result.depths[middle], (
        "Half of the features judged are born here or earlier: from then on they fire on at least half of the texts on "
        f"which they fire at the output. By the ends of the 95 % intervals: {result.depths[low]} to "
        f"{result.depths[high]}."
    )


def by_share(result: Births) -> list[str]:
    """The verdicts that there are, the most frequent first."""
    return [verdict for verdict, _ in Counter(result.verdicts).most_common()]


def verdict(result: Births, name: str) -> tuple[str, str]:
    """The share of one verdict, and the rule behind it as one of its features got it."""
    these = result.verdicts.count(name)
    return share(these / len(result.verdicts), 0), f"{counted(these, 'feature')}. {result.rules[name]}"


def of_map(result: Births, lens: Lens, shown: int) -> str:
    """How to read the map."""
    of = counted(len(result.features), "feature")
    part = "" if shown == len(result.features) else f"{count(shown)} of {of} shown. "
    read = "" if lens.r2 is None or lens.kind == "raw" else _readable(result, lens)
    return (
        f"{part}A point is a feature, at the first depth from which on it fires on at least half of its own texts: "
        "those on which it fires at the output. Higher up are more frequent features; the place within a depth means "
        "nothing. Colour and shape are the verdict on its mean curve: a feature that fires early but gains most of its "
        "strength late is late-binding all the same. A hollow point fires on half of all texts or more where it is "
        f"born, so that its birth there tells little.{read} Born late does not mean that only late layers matter to a "
        "feature, but that it cannot be read off before."
    )


def _readable(result: Births, lens: Lens) -> str:
    r2 = [float(value) for value in lens.r2] if lens.r2 is not None else []
    listed = ", ".join(f"{value:.2f}" for value in r2[:-1])
    explains = (
        f" The tuned lens explains {listed} of the output's variance on held-out texts, from {result.depths[0]} to "
        f"{result.depths[-2]}: where it explains little, features are born later than they would be under a better one."
    )
    if not lens.unit:
        return explains
    first, last = (float(result.base[:, depth].sum()) for depth in (0, -1))
    return (
        f"{explains} Its guesses are brought to length 1, as the encoder's vectors are: of the features judged "
        f"{first:.0f} fire on a text at {result.depths[0]} then, and {last:.0f} at the output. Left as short as the "
        "map makes them, fewer may fire early, and more be born late."
    )


def of_list(result: Births) -> str:
    """What the list holds."""
    said = (
        "The shown features by birth, the more frequent first, those that fire on half of all texts there after them."
    )
    if len(result.passing):
        said += (
            f" {counted(len(result.passing), 'other feature')} passed by, on {count(result.least)} texts or more at an "
            "earlier depth, but on none at the output: they stand below."
        )
    return said


def table(result: Births, names: list[str], rows: NDArray[np.intp]) -> pd.DataFrame:
    """One row a feature."""
    relative = relative_curves(result)
    return pd.DataFrame(
        {
            "feature": [names[row] for row in rows],
            "curve": [relative[row].round(3).tolist() for row in rows],
            "born": [result.depths[result.birth[row]] for row in rows],
            "born, 95 %": [_span(result, int(row)) for row in rows],
            "peak": [result.depths[result.peak[row]] for row in rows],
            "verdict": [result.verdicts[row] for row in rows],
            "texts": result.firing[rows],
            "at the output": result.curves[rows, -1],
        }
    )


def by_depth(result: Births, lens: Lens) -> dict[str, Any]:
    """Columns of the table of depths."""
    depths, m = len(result.depths), len(result.features)
    until = [np.cumsum(np.bincount(at, minlength=depths)) for at in (result.birth, result.latest, result.earliest)]
    found: dict[str, Any] = {"depth": result.depths, "born here": result.born, "born by": until[0]}
    found["firing everywhere"] = np.bincount(result.birth[everywhere(result)], minlength=depths)
    found |= {"at least": until[1], "at most": until[2], "share born": [share(value / m, 0) for value in until[0]]}
    for name, values in (("lens R²", lens.r2), ("lens FVU", lens.fvu)):
        if values is not None:
            found[name] = np.round(values, 3)
    return found


def _span(result: Births, row: int) -> str:
    low, high = result.depths[result.earliest[row]], result.depths[result.latest[row]]
    return low if low == high else f"{low} – {high}"
