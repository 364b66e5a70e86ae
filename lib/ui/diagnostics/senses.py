"""The senses of one feature: words and examples of each, and a map of the examples."""

import pandas as pd
import streamlit as st

from lib.charts import diagnostics_polysemy as charts
from lib.sae.diagnostics import Polysemy, Sense, Senses
from lib.ui import downloads
from lib.ui.diagnostics import cached
from lib.ui.messages import counted, plain, share
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace


def show_senses(space: SaeSpace, found: Polysemy, place: int) -> None:
    """The senses of the feature at `place`."""
    feature = int(found.feature[place])
    result = cached.senses(space, feature, found.top, found.unrelated)
    st.subheader(f"How many things is feature {feature} about?")
    st.markdown(_sentence(space, found, place, result))
    map_place, words = st.columns([2, 3])
    with map_place:
        texts = [space.space.corpus.texts[row] for row in result.rows.tolist()]
        downloads.picture(
            charts.examples_map(result, texts),
            key="senses_map",
            name="senses",
            quiet=True,
            about="The examples of this feature on the two directions along which they differ most, in their groups.",
        )
        st.caption(
            f"Its examples on the two directions along which they differ most ({share(result.explained, 0)} of their "
            "variance): groups that overlap here may still be apart."
        )
    with words:
        for one, sense in enumerate(result.senses):
            _show_sense(space, sense, f"Sense {one + 1}")
        if result.strays is not None:
            _show_sense(space, result.strays, "Strays: near to none")
    with st.container(horizontal=True):
        st.page_link(
            "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
            query_params={"view": "Browser", "feature": str(feature)},
        )  # fmt: skip
        downloads.offer_result(result, name=f"senses_{feature}", label="Senses as JSON")


def _sentence(space: SaeSpace, found: Polysemy, place: int, result: Senses) -> str:
    name = plain(feature_name(space.database, int(found.feature[place])))
    size, percentile = int(found.examples[place]), found.percentile[place]
    said = (
        f"The {size} strongest examples of **{name}** have a semantic variance of {result.variance:.2f}; random texts "
        f"of this corpus have {found.random_mean:.2f}, and {share(1 - percentile, 0)} of the draws of {size} vary "
        "more. "
    )
    if len(result.senses) > 1:
        return said + (
            f"They fall into {len(result.senses)} groups: the two largest lie {result.apart[0, 1]:.2f} apart and hold "
            f"{result.apart[0, 0]:.2f} and {result.apart[1, 1]:.2f} within. Read them: two groups may share what the "
            "feature is about in a way that the embedding does not show as nearness."
        )
    if found.unspecific[place]:
        return (
            said + "They are no tighter than chance and fall into no clear groups: it is about nothing in particular."
        )
    return said + "They make one group, or none that stands clear: as far as these texts show, one thing."


def _show_sense(space: SaeSpace, sense: Sense, title: str) -> None:
    words = f": {plain(', '.join(sense.keywords))}" if sense.keywords else ""
    st.markdown(f"**{title}**{words} ({counted(len(sense.rows), 'example')})")
    corpus, rows = space.space.corpus, sense.rows.tolist()
    table = {"activation": sense.activations, "text": [corpus.texts[row] for row in rows]}
    if corpus.labels:
        table["label"] = [corpus.labels[row] for row in rows]
    downloads.table(
        pd.DataFrame(table),
        name="_".join(title.split(":")[0].lower().split()), hide_index=True, height=min(38 + 35 * len(rows), 220),
        column_config={
            "activation": st.column_config.NumberColumn(format="%.3f", width="small"),
            "text": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
