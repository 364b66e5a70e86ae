"""A table of paired tests, for views that compare two ways of searching."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.numerals import spelt
from lib.retrieval import PairedTest
from lib.ui import downloads


def contrast_table(cases: Sequence[tuple[str, Sequence[PairedTest]]]) -> None:
    """One row a case and metric: both means, the difference with its interval, the p-value, wins and losses."""
    rows = [
        {
            "compared": name,
            "metric": spelt(test.metric),
            "before": test.mean_a,
            "after": test.mean_b,
            "difference": test.difference,
            "95 % interval": "—" if test.low != test.low else f"{test.low:+.3f} to {test.high:+.3f}",  # NaN: one query
            "p": f"{test.p_value:.2g}",
            "better": test.wins,
            "same": test.ties,
            "worse": test.losses,
        }
        for name, tests in cases
        for test in tests
    ]
    three = {name: st.column_config.NumberColumn(format="%.3f") for name in ("before", "after")}
    signed = {"difference": st.column_config.NumberColumn(format="%+.3f")}
    downloads.table(
        pd.DataFrame(rows), name="tests", hide_index=True, height="content", column_config={**three, **signed}
    )
    st.caption(
        "Better, same and worse count queries. p is the share of random swaps of the two sides, query by query, that "
        "give a difference as large; several metrics are tested at once, so one small p among many is no proof."
    )
