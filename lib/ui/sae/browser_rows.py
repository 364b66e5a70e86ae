"""The Browser's list: features as rows, the chosen one expanded where it stands, and all of them as a table."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import sae_browser as charts
from lib.sae.database import FeatureDatabase
from lib.sae.labels import is_weak
from lib.ui import downloads
from lib.ui.messages import count
from lib.ui.sae.browser_address import chosen_feature, toggle_feature
from lib.ui.sae.browser_cached import Part
from lib.ui.sae.browser_feature import show_feature
from lib.ui.sae_space import SaeSpace

_SHOWN = 15  # rows of a picture
_FLAG = "◇"


def show_rows(space: SaeSpace, part: Part, database: FeatureDatabase | None, ranked: list[int]) -> None:
    """Draw the features `ranked`, the first on top."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = chosen_feature(space.sae.features)
        shown = _page(ranked, chosen)
    cut = shown.index(chosen) + 1 if chosen in shown else len(shown)
    widest = float(part.statistics.frequency[shown].max())
    longest = max(len(_name(database, feature)) for feature in shown)
    scores = _scores(database, shown)
    for place, rows in enumerate((shown[:cut], shown[cut:])):
        if rows:
            picture = charts.feature_rows(
                part.statistics, np.array(rows), [_name(database, f) for f in rows],
                scores=[scores[f] for f in rows], widest=widest, chosen=chosen,
                headed=not place, longest=longest,
            )  # fmt: skip
            downloads.picture(
                picture,
                key=f"browser_rows_{place}",
                name="features",
                on_select=_clicked,
                selection_mode="points",
                quiet=True,
                offered=False,
                about="Features as rows: number, label, frequency as a bar, maximum, label score.",
            )  # fmt: skip
        if not place and chosen is not None:
            with st.container(border=True):
                show_feature(space, part, database, chosen)
    st.caption(
        "Click a row to expand it, and again to close it. The bar is the share of texts on which the feature fires, "
        "from violet (rare) to amber (the most frequent of this page). A label is a guess: its score says how well it "
        "predicts, on texts that it was not made from, whether the feature fires (.5 = chance, 1 = always); "
        f"{_FLAG} = no better than chance as far as one can tell, or not scored. A feature with a poor label may still "
        "be a clear one."
    )
    with st.expander(f"All {count(len(ranked))} as a table"):
        table = _table(part, database, ranked)
        st.dataframe(table, hide_index=True, column_config=_CONFIG, key="browser_table")
        downloads.offer_table(table, name="features")


def _page(ranked: list[int], chosen: int | None) -> list[int]:
    """The features of one page; it opens where the chosen one stands."""
    pages = -(-len(ranked) // _SHOWN)
    page = 1
    if pages > 1:
        first = ranked.index(chosen) // _SHOWN + 1 if chosen in ranked else 1
        # Its key goes with what is listed: another list, or a feature on another page, begins where it should.
        key = f"browser_page_{first}_{len(ranked)}_{ranked[0]}"
        page = int(
            st.number_input(
                f"Page of {count(pages)}",
                1,
                pages,
                first,
                key=key,
                bind="query-params",
                width=140,
                help="Which page of the list is shown.",
            )
        )
    return ranked[_SHOWN * (page - 1) : _SHOWN * page]


def _clicked() -> None:
    """Open the feature whose row was clicked, or close it where it was open."""
    for place in (0, 1):
        points = st.session_state.get(f"browser_rows_{place}", {}).get("selection", {}).get("points", [])
        if points:
            held = points[-1].get("customdata")
            feature = str(held[0] if isinstance(held, list | tuple) else held["0"])
            toggle_feature(feature)


def _name(database: FeatureDatabase | None, feature: int) -> str:
    return (database.label(feature) if database is not None else None) or "no label"


def _scores(database: FeatureDatabase | None, features: list[int]) -> dict[int, str]:
    """The scores of labels for the rows: with a flag where they are weak."""
    if database is None:
        return dict.fromkeys(features, "–")
    values, errors = (_or_unknown(database, name) for name in ("score", "score_error"))
    errors = np.nan_to_num(errors)
    return {f: _score(database.label(f), float(values[f]), float(errors[f])) for f in features}


def _or_unknown(database: FeatureDatabase, column: str) -> NDArray[np.float64]:
    held = database.numbers(column)
    return np.full(len(database.table), np.nan) if held is None else held


def _score(label: str | None, value: float, error: float) -> str:
    if label is None:
        return "–"
    if value != value:
        return f"{_FLAG} not scored"
    return f"{f'{_FLAG} ' if is_weak(value, error) else ''}{value:.2f}"


def _table(part: Part, database: FeatureDatabase | None, ranked: list[int]) -> pd.DataFrame:
    statistics = part.statistics
    stability = database.numbers("stability") if database is not None else None
    made = pd.DataFrame(
        {
            "feature": ranked,
            "label": [database.label(feature) if database is not None else None for feature in ranked],
            "label score": list(_scores(database, ranked).values()),
            "frequency": 100 * statistics.frequency[ranked],
            "texts": statistics.count[ranked],
            "max activation": statistics.maximum[ranked],
            "mean activation": statistics.mean[ranked],
            "total activation": statistics.total[ranked],
        }
    )
    if database is not None:
        sources = database.table["label_source"].tolist() if "label_source" in database.table else []
        made.insert(3, "scored on", [database.scored_on[feature] for feature in ranked])
        made.insert(4, "made by", [sources[feature] if sources else None for feature in ranked])
    if part.counts is not None:
        made["specificity"] = statistics.specificity[ranked]
    if stability is not None:
        made["stability"] = stability[ranked]
    return made


_CONFIG = {
    "frequency": st.column_config.ProgressColumn(format="%.3g %%", min_value=0, max_value=100),
    **{
        name: st.column_config.NumberColumn(format="%.3g")
        for name in ("max activation", "mean activation", "total activation", "specificity", "stability")
    },
}
