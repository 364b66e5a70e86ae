"""Retrieval: how well does this encoder find the right documents, and why?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.retrieval import chunks, comparison, late, negatives, prompts, quality, reranking, search_box, sizes
from lib.ui.views import show_views

VIEWS = {
    "Quality": quality.show,
    "Hard negatives": negatives.show,
    "Search": search_box.show,
    "Comparison": comparison.show,
    "Reranking": reranking.show,
    "Sizes": sizes.show,
    "Late interaction": late.show,
    "Prompts": prompts.show,
    "Chunks": chunks.show,
}

st.title("Retrieval", anchor=False)
show_views(VIEWS, workspace.current_queries())
