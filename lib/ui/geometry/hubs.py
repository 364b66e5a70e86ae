"""Do a few texts turn up among everyone's neighbours? Hubness."""

import pandas as pd
import streamlit as st

from lib.charts import geometry as charts
from lib.ui import downloads
from lib.ui.geometry import cached
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share, tell
from lib.ui.workspace import Space


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("Do a few texts turn up among everyone's neighbours?")
    k = int(
        st.slider(
            "Neighbours counted (k)",
            1,
            50,
            10,
            key="k",
            bind="query-params",
            persist_state="session",
            width=320,
            help="How many nearest neighbours of each text are counted.",
        )
    )
    result = cached.hubness(space.vectors_key, space.vectors, k=k, seed=0)
    numbers, picture = numbers_over_picture()
    with numbers:
        number(
            "Skewness",
            f"{result.skewness:.2f}",
            f"Of the k-occurrence. 0 = even; {result.chance_skewness:.2f} if neighbours were drawn at random; above "
            "1 = marked hubness.",
        )
        number("Nobody's neighbour", share(result.antihub_share), "Texts that no other has among its k nearest.")
    with picture:
        downloads.picture(
            charts.occurrence_histogram(result),
            key="occurrence",
            name="hubs",
            about="How often texts turn up among the nearest neighbours of others.",
        )
        st.caption(
            f"Every text counts {result.k} neighbours; one that turns up far more often than that is a hub "
            "and crowds into unrelated results. A long tail to the right and many at 0 go together."
        )
    if result.k < k:
        tell([f"Only {result.k} neighbours were counted: there are no more other texts."])
    if len(result.rows) < result.items:
        tell(
            [f"Counted in a sample of {count(len(result.rows))} of {count(result.items)} texts, searched among itself."]
        )
    st.subheader("Top hubs")
    table = pd.DataFrame(
        {
            "times a neighbour": result.hub_counts,
            "id": [space.corpus.ids[row] for row in result.hubs],
            "label": [space.labels[row] if space.labels else None for row in result.hubs],
            "text": [space.corpus.texts[row] for row in result.hubs],
        }
    )
    st.dataframe(table, hide_index=True, column_config={"text": st.column_config.TextColumn(width="large")})
    downloads.offer_table(table, name="hubs")
