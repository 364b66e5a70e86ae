"""Steering: what does a feature do to a text's vector and to what it finds?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.features_view import about_features
from lib.ui.steering import dose, steer
from lib.ui.views import show_views

VIEWS = {
    "Steer": about_features(steer.show),
    "Dose-response": about_features(dose.show),
}

st.title("Steering", anchor=False)
show_views(VIEWS, workspace.current())
