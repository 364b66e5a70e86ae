"""Geometry: how is this corpus laid out in this encoder's space?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.geometry import dimension, explorer, hubs, labels, outliers, spread
from lib.ui.messages import refuse
from lib.ui.views import show_views

VIEWS = {
    "Map": explorer.show,
    "Anisotropy": spread.show,
    "Dimension": dimension.show,
    "Labels": labels.show,
    "Hubs": hubs.show,
    "Outliers": outliers.show,
}
FEWEST = 3

st.title("Geometry", anchor=False)
space = workspace.current()
if len(space.corpus) < FEWEST:
    refuse(f"This page needs at least {FEWEST} texts, got {len(space.corpus)}: add texts to the corpus.")
    st.stop()
show_views(VIEWS, space)
