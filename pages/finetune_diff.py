"""Fine-tune Diff: what did the fine-tune change in the space, not just in the score?"""

import streamlit as st

from lib.ui import workspace
from lib.ui.finetune import concepts, drift, monitor, ranks, space, texts, train
from lib.ui.finetune.pair import about_pair
from lib.ui.views import show_views

VIEWS = {
    "Drift": about_pair(drift.show),
    "Space": about_pair(space.show),
    "Ranks": about_pair(ranks.show),
    "Texts": about_pair(texts.show),
    "Concepts": about_pair(concepts.show),
    "Monitor": monitor.show,
    "Train": train.show,
}

st.title("Fine-tune Diff", anchor=False)
show_views(VIEWS, workspace.chosen())
