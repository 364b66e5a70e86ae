"""Embedscope: opens a text-embedding model and shows what is inside. Started by `streamlit run app.py`."""

import streamlit as st

from lib.ui import toolbar, workspace

page = workspace.navigation()
st.logo(workspace.ASSETS / "logo.svg", size="large", icon_image=workspace.ASSETS / "icon.svg")
toolbar.draw(page, workspace.sidebar(page))
page.run()
