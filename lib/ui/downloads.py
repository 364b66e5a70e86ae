"""Downloads: a result as JSON, a table as CSV or Parquet."""

import io
import json

import pandas as pd
import streamlit as st

from lib.results import Result


def offer_result(result: Result, *, name: str) -> None:
    """A button that hands the whole result over as JSON; it is written only when pressed."""
    st.download_button(
        "Numbers as JSON",
        data=lambda: json.dumps(result.to_dict(), indent=1, allow_nan=False).encode(),
        file_name=f"{name}.json",
        mime="application/json",
        icon=":material/download:",
        key=f"json_{name}",
        on_click="ignore",
    )


def offer_table(table: pd.DataFrame, *, name: str) -> None:
    """Two buttons that hand the table over, as CSV and as Parquet; each is written only when pressed."""
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            data=lambda: table.to_csv(index=False).encode(),
            file_name=f"{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"csv_{name}",
            on_click="ignore",
        )
        st.download_button(
            "Parquet",
            data=lambda: _parquet(table),
            file_name=f"{name}.parquet",
            mime="application/vnd.apache.parquet",
            icon=":material/download:",
            key=f"parquet_{name}",
            on_click="ignore",
        )


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
