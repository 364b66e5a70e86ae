"""Glossary: what do the words and numbers of this app mean?"""

import streamlit as st

st.title("Glossary", anchor=False)
