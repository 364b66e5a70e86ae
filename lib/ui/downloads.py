"""Downloads: a result as JSON, a table as CSV or Parquet, a figure as a page of its own."""

import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from lib.results import Result

if TYPE_CHECKING:
    import plotly.graph_objects as go


def offer_result(result: Result, *, name: str, label: str = "Numbers as JSON") -> None:
    """A button that hands the whole result over as JSON; it is written only when pressed."""
    st.download_button(
        label,
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


def offer_figure(figure: "go.Figure", *, name: str, label: str = "Figure as HTML") -> None:
    """A button that hands a figure over as one HTML file that opens offline; it is written only when pressed."""
    st.download_button(
        label,
        data=lambda: figure.to_html(include_plotlyjs=True, full_html=True).encode(),
        file_name=f"{name}.html",
        mime="text/html",
        icon=":material/download:",
        key=f"figure_{name}",
        on_click="ignore",
        help="Interactive, 5 MB, opens without a network; the camera in it saves a PNG.",
    )


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
