"""A recipe taken along: the vector as a file, the lines that use it, and all that it is made of as JSON."""

import json
from functools import partial

import streamlit as st

from lib.sae.steering import Push, recipe_facts, usage, vector_bytes
from lib.sae.steering.exports import NAME, SUFFIXES
from lib.ui.controls import one_of
from lib.ui.messages import plain
from lib.ui.sae_space import SaeSpace


def show_production(space: SaeSpace, push: Push) -> None:
    """An expander with the files and the code."""
    with st.expander("Use this recipe elsewhere", icon=":material/code:"):
        suffix = one_of(
            "File", SUFFIXES, key="steer_file", help="The kind of file in which the steered vectors are handed over."
        )
        facts = recipe_facts(push, space.sae, space.database, corpus=space.space.corpus.name)
        st.code(usage(push, suffix), language="python")
        st.caption(
            f"The vector has length {push.length:.3g}. Add it to queries or to documents, whichever you steered here; "
            "to both, it cancels in part. It holds for this encoder alone"
            + (plain(f", {space.sae.about.encoder}.") if space.sae.about.encoder else ".")
            + " The recipe itself stands in the address of this page."
        )
        with st.container(horizontal=True):
            st.download_button(
                f"Vector as {suffix}", data=partial(vector_bytes, push, suffix, about=facts),
                file_name=f"{NAME}{suffix}", mime="application/octet-stream", icon=":material/download:",
                key="steer_vector", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                "Recipe as JSON", data=lambda: json.dumps(facts, indent=1, ensure_ascii=False).encode(),
                file_name="recipe.json", mime="application/json", icon=":material/download:", key="steer_recipe_json",
                on_click="ignore",
            )  # fmt: skip
