"""Diagnostics: can the features of this dictionary be trusted?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.diagnostics import absorption, health, polysemy
from lib.ui.faithfulness import view as faithfulness
from lib.ui.features_view import about_features, asked_beside
from lib.ui.views import show_views

VIEWS = {
    "Absorption": about_features(absorption.show),
    "Polysemy": about_features(polysemy.show),
    "Faithfulness": about_features(asked_beside(faithfulness.show)),
    "Health": about_features(health.show),
}

st.title("Diagnostics", anchor=False)
show_views(VIEWS, workspace.current())
