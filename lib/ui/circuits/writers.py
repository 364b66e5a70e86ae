"""What writes a feature? Each layer's attention and feed-forward part, by its own output and by leaving it out."""

import streamlit as st

from lib.layers.states import why_no_layers
from lib.sae.circuits.writers import Replacement
from lib.ui.circuits import writers_in_corpus, writers_in_text
from lib.ui.circuits.choice import choose
from lib.ui.controls import one_of
from lib.ui.messages import plain
from lib.ui.sae_space import SaeSpace

IN_TEXT, IN_CORPUS = "in this text", "over its texts"
_ZEROS, _MEAN = "zeros", "mean of the corpus"
_REPLACEMENTS: dict[str, Replacement] = {_ZEROS: "zero", _MEAN: "mean"}


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("What writes a feature?")
    checkpoint = space.space.checkpoint
    why = why_no_layers(checkpoint)
    if why or checkpoint is None:
        st.info(f"{plain(why)} Choose an encoder with layers to see what they write.", icon=":material/layers_clear:")
        return
    chosen = choose(space)
    with st.container(horizontal=True, gap="medium"):
        where = one_of(
            "What writes it", [IN_TEXT, IN_CORPUS], key="writers_where",
            help="In this text: what each part adds here. Over its texts: what each part adds, on average, to the "
            "texts of the corpus on which the feature fires, and not to those on which it does not.",
        )  # fmt: skip
        replacement = _replacement()
    if where == IN_TEXT:
        writers_in_text.show(space, checkpoint, chosen, replacement)
    else:
        writers_in_corpus.show(space, checkpoint, chosen, replacement)


def _replacement() -> Replacement:
    chosen = one_of(
        "A part is left out by putting in its place", [_ZEROS, _MEAN], key="writers_replacement",
        help="Zeros skip the part. Its mean output over tokens of the corpus keeps what it writes for any text; where "
        "a few tokens have huge outputs, their mean is like no token's, and takes more away than it keeps.",
    )  # fmt: skip
    return _REPLACEMENTS[chosen]
