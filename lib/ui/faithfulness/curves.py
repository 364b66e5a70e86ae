"""Is retrieval carried by few features or many? NDCG as they are taken out, or kept, one after another."""

import pandas as pd
import streamlit as st

from lib.charts import faithfulness as charts
from lib.sae.faithfulness import Curves
from lib.ui import downloads
from lib.ui.faithfulness import cached
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.words import of_curves, reading_of_curves
from lib.ui.sae_space import SaeQuerySpace

_ALL = "all queries"


def show(space: SaeQuerySpace, settings: Settings) -> None:
    """Draw the curves, or what begins them."""
    st.subheader("Few features, or many?")
    if int((space.space.queries.relevant > 0).sum()) < 2:
        st.caption("One query has no other half to measure the order of its features on: two are needed.")
        return
    found = cached.curves(space, settings)
    if found is None:
        return
    topic = _topic(found)
    st.markdown(of_curves(found))
    fig = charts.curves(found, topic=topic)
    st.plotly_chart(fig, key="faithfulness_curves")
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
    with st.expander("The curves as a table"):
        st.dataframe(table, hide_index=True)
        downloads.offer_table(table, name="faithfulness_curves")
    with st.container(horizontal=True):
        downloads.offer_result(found, name="faithfulness_curves")
        downloads.offer_figure(fig, name="faithfulness_curves")


def _topic(found: Curves) -> str | None:
    if len(found.topics) < 2:
        return None
    chosen = st.selectbox(
        "Queries", [_ALL, *found.topics], key="faithfulness_topic", bind="query-params", persist_state="session",
        width=260,
        help="The order of the features stays that of all queries.",
    )  # fmt: skip
    return str(chosen) if chosen in found.topics else None
