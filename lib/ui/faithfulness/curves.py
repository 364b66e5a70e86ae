"""Is retrieval carried by few features or many? NDCG as they are taken out, or kept, one after another."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import faithfulness as charts
from lib.sae.faithfulness import Curves
from lib.ui import downloads
from lib.ui.faithfulness.words import reading_of_curves
from lib.ui.messages import share

_ALL = "all queries"


def show(found: Curves | None, *, several: bool) -> None:
    """Draw the curves, where there are any; `several` tells whether queries differ."""
    st.subheader("Few features, or many?")
    if not several:
        st.caption("One query has no other half to measure the order of its features on: two are needed.")
    if found is None:
        return
    topic = _topic(found)
    fig = charts.curves(found, topic=topic)
    downloads.picture(
        fig,
        key="faithfulness_curves",
        about="How much of the retrieval quality is left as features are kept or taken out, one after another.",
    )
    st.caption(reading_of_curves(found, topic))
    table = pd.DataFrame(
        {
            "features": found.steps,
            "taken out, by drop": found.removed,
            "kept, by drop": found.kept,
            "taken out, by activation": found.removed_by_activation,
            "kept, by activation": found.kept_by_activation,
            "taken out, at random": found.removed_at_random.mean(axis=0),
            "kept, at random": found.kept_at_random.mean(axis=0),
        }
    )
    _topics(found)
    with st.expander("The curves as a table"):
        st.dataframe(table, hide_index=True)
        downloads.offer_table(table, name="faithfulness_curves")
    with st.container(horizontal=True):
        downloads.offer_result(found, name="faithfulness_curves")


def _topics(found: Curves) -> None:
    """What the first tenth of the features is to each topic."""
    if len(found.topics) < 2:
        return
    kept = found.topic_kept if found.won_back >= found.won_by_activation else found.topic_kept_by_activation
    first = f"first {found.few}"
    st.markdown("**Is one topic carried by fewer features than another?**")
    downloads.table(
        pd.DataFrame(
            {
                "topic": found.topics,
                "queries": found.topic_queries,
                "all": found.topic_removed[:, 0],
                first: kept[:, np.flatnonzero(found.steps == found.few)[0]],
                "none": found.topic_kept[:, 0],
                "won back": [
                    "—" if np.isnan(won) else f"{share(won, 0)}  ({share(low, 0)} to {share(high, 0)})"
                    for won, low, high in found.topic_won.tolist()
                ],
            }
        ),
        name="features_by_topic",
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in ("all", first, "none")},
    )
    st.caption(
        f"NDCG@{found.k} over each topic's queries with all features, with the first tenth alone (in the better of the "
        "two orders, that of all queries), and with none: bias and error alone. Won back: the share of what all "
        "features add, and its 95 % interval over the topic's queries. Topics whose intervals overlap may be alike."
    )


def _topic(found: Curves) -> str | None:
    if len(found.topics) < 2:
        return None
    chosen = st.selectbox(
        "Queries", [_ALL, *found.topics], key="faithfulness_topic", bind="query-params", persist_state="session",
        width=260,
        help="The order of the features stays that of all queries.",
    )  # fmt: skip
    return str(chosen) if chosen in found.topics else None
