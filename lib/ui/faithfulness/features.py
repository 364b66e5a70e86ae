"""What retrieval loses without each feature: the picture of drops, the feature that is looked at, and all of them."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import faithfulness as charts
from lib.sae.faithfulness import Faithfulness
from lib.sae.faithfulness.table import feature_table
from lib.ui import downloads
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.one_feature import show_feature
from lib.ui.faithfulness.words import of_drops, of_scatter
from lib.ui.messages import count, tell
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae_space import SaeQuerySpace

CHART, FEATURE = "faithfulness_drops", "faithfulness_feature"
_MOST_LISTED = 1_000
_LARGEST, _RISES = 15, 5


def show(space: SaeQuerySpace, settings: Settings, found: Faithfulness) -> None:
    """Draw the picture, the feature looked at, and the table of all."""
    st.subheader("What does retrieval lose without each?")
    names = [feature_name(space.database, feature) for feature in found.features.tolist()]
    place = st.container()
    chosen = _chosen(space, names)
    shown = _shown(found, chosen)
    with place:
        fig = charts.drops(found, shown, [names[at] for at in shown.tolist()], chosen=chosen)
        downloads.picture(
            fig,
            key=CHART,
            name="faithfulness",
            on_select=partial(_pick_clicked, names),
            selection_mode="points",
            quiet=True,
            about="For each feature, what retrieval quality loses without it, with intervals.",
        )  # fmt: skip
        st.caption(of_drops(found))
    show_feature(space, settings, found, chosen)
    _topics(found, shown, names)
    _all(space, found, names)


def _chosen(space: SaeQuerySpace, names: list[str]) -> int:
    typed = st.selectbox(
        "Feature", names[:_MOST_LISTED], key=FEATURE, bind="query-params", persist_state="session",
        accept_new_options=True, width=460,
        help="The largest drop first. Or click a mark, or type the number of any other.",
    )  # fmt: skip
    return feature_named(str(typed or names[0]), names, space.sae.features)


def _pick_clicked(names: list[str]) -> None:
    """Choose the feature whose mark was clicked, of those called `names`."""
    for point in st.session_state[CHART]["selection"]["points"]:
        if point.get("customdata") and isinstance(point["customdata"][0], str):
            clicked = point["customdata"][0]
            st.session_state[FEATURE] = next((name for name in names if clicked in name.split()[:2]), clicked)


def _shown(found: Faithfulness, chosen: int) -> NDArray[np.int64]:
    """The largest drops and rises, and the feature that is looked at, in the order of their drop."""
    f = len(found.features)
    rises = np.flatnonzero(found.drop < 0)[-_RISES:]
    at = found.place_of(chosen)
    return np.unique(np.concatenate([np.arange(min(_LARGEST, f)), rises, [] if at is None else [at]]).astype(np.int64))


def _topics(found: Faithfulness, shown: NDArray[np.int64], names: list[str]) -> None:
    if len(found.topics) < 2:
        return
    with st.expander("Does a feature carry one topic more than another?"):
        downloads.picture(
            charts.topic_drops(found, shown, [names[at] for at in shown.tolist()]),
            key="faithfulness_topics",
            quiet=True,
            about="For each feature and topic, what retrieval quality loses without the feature.",
        )  # fmt: skip
        st.caption(
            "Each cell is what the mean NDCG over a topic's queries (their number in brackets) loses without the "
            "feature; violet cells are better without it. The same features as above, chosen by their drop over all "
            "queries: few queries make large cells by chance, and no cell is tested by itself."
        )


def _all(space: SaeQuerySpace, found: Faithfulness, names: list[str]) -> None:
    labels = [space.database.label(one) if space.database else None for one in found.features.tolist()]
    table: pd.DataFrame = feature_table(found, labels)
    with st.expander(f"All {count(len(names))} features that fire on these queries"):
        downloads.picture(
            charts.drop_by_activation(found, names),
            key="faithfulness_scatter",
            about="Every feature by how strongly it fires and by what retrieval quality loses without it.",
        )
        st.caption(of_scatter(found))
        st.dataframe(
            table, hide_index=True,
            column_config={
                "label": st.column_config.TextColumn(width="medium"),
                **{
                    name: st.column_config.NumberColumn(format="%+.4f")
                    for name in table.columns
                    if name in ("drop", "low", "high", "matched", "random") or name.startswith("drop: ")
                },
                "peers": st.column_config.NumberColumn(
                    format="percent", help="Of the 50 features that fire about as often, how many cost as much."
                ),
                "queries needed": st.column_config.NumberColumn(
                    format="%.0f", help="Queries like these that would call a drop of this size, four times in five."
                ),
                **{name: st.column_config.NumberColumn(format="%.2g") for name in ("activation", "p", "q")},
            },
        )  # fmt: skip
        tell([found.rule])
        downloads.offer_table(table, name="faithfulness")
    downloads.offer_result(found, name="faithfulness")
