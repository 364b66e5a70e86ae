"""Every picture and every table that a page draws can be taken away."""

import ast
import tomllib

import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.ui import file_names

LEFT_OUT = {
    "finetune/texts.py:_choose": "show hands over all of them",
    "geometry/outliers.py:_frame": "_listing hands over all of them",
    "network/edges.py:show_edges": "show_files hands over the edges, whole",
    "retrieval/comparison_tables.py:_frame": "whoever calls it hands the table over",
    "retrieval/reranking_queries.py:_picked": "show_queries hands over all of them",
    "retrieval/search_box.py:_list": "its caller hands over the whole ranking",
}
"""Functions that draw a table and do not hand it over, and why."""


def drawn(path):
    """Calls of `st.<name>` in a file, by the function around them, and the functions that hand a table over."""
    found, handing = [], set()
    tree = ast.parse(path.read_text("utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node.func for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = getattr(call, "attr", getattr(call, "id", ""))
            if name == "offer_table":
                handing.add(function.name)
            elif name in {"plotly_chart", "dataframe", "data_editor", "table", "line_chart", "bar_chart", "area_chart",
                          "scatter_chart", "altair_chart", "vega_lite_chart", "pyplot", "graphviz_chart"}:  # fmt: skip
                of = getattr(getattr(call, "value", None), "id", "downloads")
                if of == "st" or (of != "downloads" and name != "table"):
                    found.append((function.name, name))
    return found, handing


def test_every_picture_and_every_table_is_offered(root):
    missing, excused = [], set()
    for path in [*(root / "lib/ui").rglob("*.py"), *(root / "pages").glob("*.py")]:
        found, handing = drawn(path)
        for function, name in found:
            where = f"{path.relative_to(root / 'lib/ui') if 'ui' in path.parts else path.name}:{function}"
            if where in LEFT_OUT:
                excused.add(where)
            elif path.name != "downloads.py" and (name != "dataframe" or function not in handing):
                missing.append(f"{where} draws st.{name}")
    assert not missing, "draw it by downloads.picture or downloads.table"
    assert excused == set(LEFT_OUT), "an exception that is none any more"


def test_streamlits_own_csv_is_off(root):
    """It lets formulas through."""
    assert tomllib.loads((root / ".streamlit/config.toml").read_text("utf-8"))["client"]["disableDataExport"] is True


@pytest.mark.parametrize(
    ("made_of", "expected"),
    [
        (("geometry", "all-MiniLM-L6-v2 (packaged)", "Topics (sample)"),
         "geometry-map-all-minilm-l6-v2-packaged-topics-sample"),
        (("geometry", "owner/../../etc/passwd", None), "geometry-map-passwd"),
        (("geometry", "C:\\models\\mine", 'a"<b>\r\n;.csv'), "geometry-map-mine-a-b-.csv"),
        (("geometry", "…", "日本語"), "geometry-map"),
        (("geometry", "x" * 500), f"geometry-map-{'x' * 40}"),
    ],
)  # fmt: skip
def test_files_are_named_by_page_and_what_they_show(made_of, expected, monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    file_names.remember(*made_of)
    assert file_names.file_name("map") == expected
    assert file_names.file_name("map", "csv") == f"{expected}.csv"


def page():
    """A page with one picture and one table."""
    import pandas as pd
    import plotly.graph_objects as go

    from lib.ui import downloads

    figure = go.Figure(go.Scatter(x=[1], y=[2])).update_xaxes(title="<i>rank</i> &amp; file")
    downloads.picture(figure, key="one", about="What\n is it?")
    downloads.table(pd.DataFrame({"text": ["=1"]}), name="texts", hide_index=True)


def test_a_picture_has_a_text_alternative_and_its_buttons():
    app = AppTest.from_function(page).run()
    [chart] = app.get("plotly_chart")
    assert chart.proto.alt == "What is it? Across: rank & file."
    assert [button.label for button in app.get("download_button")] == ["HTML", "CSV", "Parquet"]
    assert not app.exception


def test_the_html_holds_all_that_it_needs():
    text = go.Figure(go.Bar(x=["</script><script>alert(1)</script>"], y=[1])).to_html(include_plotlyjs=True)
    assert "</script><script>alert" not in text
    assert 'src="http' not in text
