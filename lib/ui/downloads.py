"""What a page draws, and hands over: a picture as SVG, PNG or HTML, a table as CSV or Parquet, a result as JSON."""

import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from lib import tables
from lib.results import Result
from lib.ui.figure_files import offer_pictures
from lib.ui.file_names import file_name

if TYPE_CHECKING:
    import plotly.graph_objects as go

Selected = Literal["ignore", "rerun"] | Callable[[], None]
_LOOK = Path(__file__).parent / "assets" / "downloads.css"
_TAG = re.compile(r"<[^<>]*>")
_EVERY_MODE = ("points", "box", "lasso")
_QUIET = "quiet_"
"""A container's key that begins so hides plotly's own row of buttons over the figures in it."""


def dress() -> None:
    """Give the rows of buttons under pictures and tables their look; once a page."""
    st.html(_LOOK)


def picture(
    figure: "go.Figure",
    *,
    key: str,
    about: str,
    name: str | None = None,
    quiet: bool = False,
    offered: bool = True,
    width: Literal["stretch", "content"] = "stretch",
    on_select: Selected = "ignore",
    selection_mode: str | Iterable[str] = _EVERY_MODE,
    config: dict[str, Any] | None = None,
) -> Any:
    """Draw a figure with its text alternative, and under it the buttons that save it as SVG, PNG and HTML.

    Every figure of every page is drawn here, never by `st.plotly_chart` itself.

    Args:
        figure: what a function of `lib.charts` made.
        key: of the chart; its selection is in `st.session_state[key]`, as with `st.plotly_chart`.
        about: what the picture shows, one sentence in plain words (its question and its finding, not its colours):
            a screen reader says it in the picture's place. Never Markdown or HTML.
        name: of the files, without page, encoder and suffix; `key` where None.
        quiet: without plotly's row of buttons over the picture.
        offered: False where the picture is drawn anew every few seconds and cannot be saved meanwhile.
        width: as of `st.plotly_chart`.
        on_select: as of `st.plotly_chart`.
        selection_mode: as of `st.plotly_chart`; of a chart with `on_select` alone.
        config: plotly's.

    Returns:
        What `st.plotly_chart` returns: the selection where `on_select` is given.
    """
    how: dict[str, Any] = {"on_select": on_select, "config": config, "width": width}
    if on_select != "ignore":
        how["selection_mode"] = selection_mode
    with st.container(key=f"{_QUIET if quiet else ''}picture_{key}", gap=None):
        drawn = st.plotly_chart(figure, key=key, alt=_spoken(figure, about), **how)
        if offered:
            offer_figure(figure, key=key, name=name, about=about)
    return drawn


def offer_figure(figure: "go.Figure", *, key: str, name: str | None = None, about: str = "") -> None:
    """The row of buttons that save a chart that is on the page: SVG and PNG as it is seen, and HTML.

    SVG and PNG are made by the browser, of the chart as it is seen (zoom, theme, hidden traces); HTML by the server
    when it is pressed, with the library in it, so that it opens offline.

    Args:
        figure: what is drawn.
        key: of the chart.
        name: of the files, without page, encoder and suffix; `key` where None.
        about: what the picture shows, by which a screen reader tells these buttons from others.
    """
    called = name or key
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"save_{key}"):
        offer_pictures(f".st-key-{key}", key=f"images_{key}", file=file_name(called), about=about)
        _button(
            "HTML",
            lambda: _page(figure, called),
            f"figure_{key}",
            file=file_name(called, "html"),
            mime="text/html",
            help="The picture as a page of its own: interactive, 5 MB, opens without a network.",
        )


def _page(figure: "go.Figure", title: str) -> bytes:
    """A figure as an HTML page with all that it needs in it, on white paper."""
    shown = type(figure)(figure).update_layout(template="plotly_white", paper_bgcolor="#ffffff")
    text = shown.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})
    head = f'<html lang="en">\n<head><title>{html.escape(title)}</title>'
    return re.sub(r"<html>\s*<head>", lambda _: head, text, count=1).encode()


def _spoken(figure: "go.Figure", about: str) -> str:
    """`about`, and the titles of the first two axes."""
    told = [" ".join(about.split())]
    for side, axis in (("Across", figure.layout.xaxis), ("Up", figure.layout.yaxis)):
        title = html.unescape(_TAG.sub(" ", axis.title.text or "")).strip()
        if title:
            told.append(f"{side}: {' '.join(title.split())}.")
    return " ".join(told)


def offer_result(result: Result, *, name: str, label: str = "Numbers as JSON") -> None:
    """A button that hands the whole result over as JSON; it is written only when pressed."""
    st.download_button(
        label,
        data=lambda: json.dumps(result.to_dict(), indent=1, allow_nan=False).encode(),
        file_name=file_name(name, "json"),
        mime="application/json",
        icon=":material/download:",
        key=f"json_{name}",
        on_click="ignore",
        help="Every number of this view with its settings and seed, as the command line writes it.",
    )


def table(shown: pd.DataFrame, *, name: str, **how: Any) -> Any:
    """Draw a table, and under it the buttons that hand it over: every table of every page, or it has `offer_table`.

    Streamlit's own button for CSV is switched off (`client.disableDataExport`), since it lets formulas through.

    Args:
        shown: what is drawn and handed over.
        name: as of `offer_table`.
        how: as of `st.dataframe`.

    Returns:
        What `st.dataframe` returns.
    """
    with st.container(gap=None):
        drawn = st.dataframe(shown, **how)
        offer_table(shown, name=name, index=not how.get("hide_index"))
    return drawn


def offer_table(shown: pd.DataFrame, *, name: str, index: bool = False) -> None:
    """Two buttons that hand a table over, as CSV and as Parquet; each is written only when pressed.

    The CSV is made by `lib.tables.csv`: a spreadsheet takes no text in it for a formula. Parquet keeps types, and texts
    to the letter.

    Args:
        shown: what is handed over: usually what is drawn, without cuts.
        name: of the files, without page, encoder and suffix; one that no other table on the page has.
        index: whether the row names are a column of the files.
    """
    with st.container(horizontal=True, gap="small", key=f"save_table_{name}"):
        _button(
            "CSV",
            lambda: tables.csv(shown, index=index),
            f"csv_{name}",
            file=file_name(name, "csv"),
            mime="text/csv",
            help="For spreadsheets: what they would take for a formula begins with an apostrophe.",
        )
        _button(
            "Parquet",
            lambda: tables.parquet(shown, index=index),
            f"parquet_{name}",
            file=file_name(name, "parquet"),
            mime="application/vnd.apache.parquet",
            help="For programs: types and texts as they are.",
        )


def offer_page(page: Callable[[], str], *, name: str) -> None:
    """A button that hands a picture over as an HTML page that is not of plotly; `page` makes it when it is pressed."""
    with st.container(horizontal=True, key=f"save_page_{name}"):
        _button(
            "HTML",
            lambda: page().encode(),
            f"page_{name}",
            file=file_name(name, "html"),
            mime="text/html",
            help="The picture as a page of its own, which opens without a network.",
        )


def _button(label: str, data: Callable[[], bytes], key: str, *, file: str, mime: str, help: str) -> None:
    st.download_button(
        label, data=data, file_name=file, mime=mime, type="tertiary", key=key, on_click="ignore", help=help
    )
