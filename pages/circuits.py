"""Circuits: at which layer does a feature appear, and what writes it?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.circuits import births, trace, writers
from lib.ui.features_view import about_features
from lib.ui.views import show_views

VIEWS = {
    "Trace": about_features(trace.show),
    "Births": about_features(births.show),
    "Writers": about_features(writers.show),
}

st.title("Circuits", anchor=False)
show_views(VIEWS, workspace.current())
