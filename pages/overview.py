"""Overview: what do the signals say of this encoder on these texts, and what stands out?"""

import streamlit as st

from lib.ui import workspace

st.title("Overview", anchor=False)
chosen = workspace.chosen()
