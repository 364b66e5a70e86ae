"""Glossary: what do the words and numbers of this app mean?"""

import streamlit as st

from lib.ui import glossary, workspace

st.title("Glossary", anchor=False)
workspace.chosen()
glossary.show()
