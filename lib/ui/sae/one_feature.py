"""One feature in one text: its tokens in colour, the texts of the corpus that fire it most, the way to the Browser."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.charts.sae_decompose import token_strip
from lib.sae.decomposition import Decomposition
from lib.ui import downloads
from lib.ui.messages import count, plain, share
from lib.ui.sae import decompose_words as words
from lib.ui.sae.browser_address import open_feature
from lib.ui.sae.decompose_cached import shares_of_tokens, strongest_texts
from lib.ui.sae.names import feature_name, feature_named
from lib.ui.sae.text_choice import ChosenText
from lib.ui.sae_space import SaeSpace

_TEXTS = 5


def choose_feature(space: SaeSpace, names: Sequence[str], *, key: str) -> int:
    """Draw the choice among the features called `names`, the first at the start; any other can be typed.

    Raises:
        InputError: what was typed is no feature.
    """
    chosen = st.selectbox(
        "Feature", names, key=key, bind="query-params", persist_state="session", accept_new_options=True, width=460,
        help="The active features, the strongest first. Or click a bar, or type the number of any other.",
    )  # fmt: skip
    return feature_named(str(chosen or names[0]), names, space.sae.features)


def show_tokens(space: SaeSpace, chosen: ChosenText, result: Decomposition, feature: int) -> None:
    """The tokens of the text by how much each fires the feature; the encoder is opened for it."""
    checkpoint = space.space.checkpoint
    if checkpoint is None:
        st.info(plain(f"“{chosen.text[:600]}”"))
        st.caption("Which words fire a feature is told by an encoder; this corpus brought embeddings without one.")
        return
    shares = shares_of_tokens(space, checkpoint, chosen.text, feature)
    st.html(token_strip(shares))
    st.caption(plain(words.of_tokens(shares, fires=feature in result.features)))
    downloads.offer_result(shares, name=f"tokens_{feature}", label="Tokens as JSON")


def show_texts(space: SaeSpace, feature: int) -> None:
    """The texts of the corpus on which the feature fires most."""
    corpus, name = space.space.corpus, feature_name(space.database, feature)
    found = strongest_texts(space, feature, _TEXTS)
    st.markdown(f"**Where else does {plain(name)} fire?**")
    if not found.fires:
        st.caption("On no text of this corpus.")
    else:
        downloads.table(
            pd.DataFrame(
                {
                    "activation": found.activations,
                    "text": [corpus.texts[row] for row in found.rows],
                    "label": [corpus.labels[row] if corpus.labels else None for row in found.rows],
                }
            ).dropna(axis="columns", how="all"),
            name=f"texts_of_{feature}",
            hide_index=True,
            column_config={
                "text": st.column_config.TextColumn(width="large"),
                "activation": st.column_config.NumberColumn(format="%.3f"),
            },
        )
        st.caption(
            f"The strongest of the {count(found.fires)} texts of {plain(corpus.name)} on which it fires "
            f"({share(found.fires / len(corpus))}); repeated ones stand once."
        )
    st.button(
        f"Feature {feature} in the Browser", key="decompose_browse", on_click=_browse, args=(feature,),
        icon=":material/menu_book:",
    )  # fmt: skip


def _browse(feature: int) -> None:
    """Open the Browser at a feature, as the address `?view=Browser&feature=319` does."""
    st.session_state["view"] = "Browser"
    open_feature(str(feature))
