"""Layers: how do this encoder's layers build its vectors?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.layers import build_up, heads
from lib.ui.views import show_views

VIEWS = {"Build-up": build_up.show, "Heads": heads.show}

st.title("Layers", anchor=False)
show_views(VIEWS, workspace.current())
