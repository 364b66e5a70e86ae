"""The changed features of a diff as a table."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.finetune.concepts import KINDS, ConceptDiff
from lib.ui import downloads
from lib.ui.finetune.dictionary import Dictionary
from lib.ui.messages import count

_MOST_LISTED = 1_000


def change_table(found: ConceptDiff, dictionary: Dictionary, listed: NDArray[np.int64]) -> None:
    """Draw the features `listed`, in their order."""
    place = {feature: at for at, feature in enumerate(found.changed.tolist())}
    most = [
        found.topics[int(np.abs(found.topic_change[place[feature]]).argmax())] if found.topics else None
        for feature in listed.tolist()
    ]
    table = pd.DataFrame(
        {
            "feature": listed,
            "label": [dictionary.label(feature) for feature in listed.tolist()],
            "became": [KINDS[kind] for kind in found.kind[listed].tolist()],
            "change": found.change[listed],
            "±": 1.96 * found.error[listed],
            "fires, base": 100 * found.frequency_base[listed],
            "fires, tuned": 100 * found.frequency_tuned[listed],
            "came": found.came[listed],
            "went": found.went[listed],
            "q": found.q_value[listed],
            "p, fires": found.p_firing[listed],
            "most on": most,
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f %%", help="Share of the texts on which it fires.")
    with st.expander(f"The {count(len(table))} features as a table"):
        st.dataframe(
            table.head(_MOST_LISTED) if found.topics else table.head(_MOST_LISTED).drop(columns="most on"),
            hide_index=True,
            column_config={
                "label": st.column_config.TextColumn(width="medium"),
                "change": st.column_config.NumberColumn(format="%+.4f", help="Of the mean activation over all texts."),
                "±": st.column_config.NumberColumn(format="%.4f", help="Half of its 95 % interval over texts."),
                "fires, base": percent,
                "fires, tuned": percent,
                "came": st.column_config.NumberColumn(help="Texts on which it fires with the tuned checkpoint alone."),
                "went": st.column_config.NumberColumn(help="Texts on which it fired with the base alone."),
                "q": st.column_config.NumberColumn(
                    format="%.2g", help="Of the change, after Benjamini and Hochberg over the features tested."
                ),
                "p, fires": st.column_config.NumberColumn(
                    format="%.2g", help="Does it fire on more texts, or on fewer? McNemar's exact test, not corrected."
                ),
                "most on": st.column_config.TextColumn(help="The topic on whose texts it changed most."),
            },
        )  # fmt: skip
        if len(table) > _MOST_LISTED:
            st.caption(f"The first {count(_MOST_LISTED)}; the files hold all.")
        downloads.offer_table(table, name="concepts")
