"""Network: which features fire together?"""

import streamlit as st

from lib.errors import InputError
from lib.ui import workspace
from lib.ui.code import offer_code
from lib.ui.features_view import about_features
from lib.ui.messages import refuse
from lib.ui.network import view

st.title("Network", anchor=False)
space = workspace.current()
try:
    about_features(view.show)(space)
except InputError as fault:
    refuse(fault)
else:
    offer_code("", space)
