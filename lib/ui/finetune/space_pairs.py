"""Every two topics before and after, as a table."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.finetune.diff.separation import Separation
from lib.ui import downloads
from lib.ui.messages import count

_MOST_LISTED = 1_000


def pair_table(found: Separation) -> None:
    """Draw it, closed."""
    first, second = np.triu_indices(len(found.names), 1)
    at = first, second
    table = pd.DataFrame(
        {
            "topic": [found.names[one] for one in first],
            "other topic": [found.names[one] for one in second],
            "before": found.base[at],
            "after": found.tuned[at],
            "change": found.change[at],
            "low": found.change_low[at],
            "high": found.change_high[at],
        }
    ).sort_values("change", ascending=False, key=np.abs, kind="stable")
    with st.expander(f"All {count(len(table))} pairs of topics" if len(table) > 1 else "The pair of topics in numbers"):
        st.dataframe(
            table.head(_MOST_LISTED), hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.3f")
                for name in ("before", "after", "change", "low", "high")
            },
        )  # fmt: skip
        downloads.offer_table(table, name="topic_pairs_before_after")
