"""SAE Features: which concepts is a vector made of?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.features_view import about_features
from lib.ui.sae import browser, contrast, decompose, match, train
from lib.ui.views import show_views

VIEWS = {
    "Decompose": about_features(decompose.show),
    "Contrast": about_features(contrast.show),
    "Browser": about_features(browser.show),
    "Match": about_features(match.show),
    "Train": train.show,
}

st.title("SAE Features", anchor=False)
first = "Browser" if "feature" in st.query_params else None  # ?feature=319 is a link to that feature
show_views(VIEWS, workspace.current(), first=first)
