"""Retrieval: how well does this encoder find the right documents, and why?"""

import streamlit as st

from lib.retrieval.negatives import depth
from lib.ui import workspace
from lib.ui.faithfulness import view as faithfulness
from lib.ui.features_view import about_asked_features
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import (
    chunks,
    comparison,
    late,
    measure,
    negatives,
    prompts,
    quality,
    reranking,
    search_box,
    sizes,
)
from lib.ui.retrieval.cached import DEPTH, once_searched
from lib.ui.retrieval.measure_notice import tell_cosine, tell_linear_gain
from lib.ui.views import show_views


def _sizes(space: QuerySpace) -> None:
    tell_cosine("vectors that are cut are brought back to length 1, and signs alone have no lengths to compare.")
    tell_linear_gain(space.queries)
    sizes.show(space)


VIEWS = {
    "Quality": once_searched(quality.show),
    "Hard negatives": once_searched(negatives.show, depth=lambda space: depth(space.queries, least=DEPTH)),
    "Search": once_searched(search_box.show),
    "Comparison": comparison.show,
    "Reranking": reranking.show,
    "Sizes": _sizes,
    "Late interaction": late.show,
    "Prompts": prompts.show,
    "Chunks": chunks.show,
    "Faithfulness": about_asked_features(faithfulness.show),
}

head = st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute")
head.title("Retrieval", anchor=False, width="content")
space = workspace.current_queries()
with head:
    measure.choose()
show_views(VIEWS, space)
