"""Embedscope: opens a text-embedding model and shows what is inside. Started by `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from lib.ui import workspace

ASSETS = Path(__file__).parent / "lib" / "ui" / "assets"

st.set_page_config(page_title="Embedscope", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(ASSETS / "logo.svg", size="large", icon_image=ASSETS / "icon.svg")

page = st.navigation(
    [st.Page("pages/geometry.py", title="Geometry", icon=":material/scatter_plot:", url_path="geometry", default=True)]
)
workspace.sidebar()
page.run()
