"""Which features is a text made of? Its vector taken apart, the words behind a feature, other texts that have it."""

from functools import partial

import pandas as pd
import streamlit as st

from lib.charts import sae_decompose as charts
from lib.sae.decomposition import Decomposition
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share, tell
from lib.ui.sae import decompose_words as words
from lib.ui.sae.decompose_cached import decomposition
from lib.ui.sae.names import feature_name
from lib.ui.sae.one_feature import choose_feature, show_texts, show_tokens
from lib.ui.sae.text_choice import ChosenText, choose_text
from lib.ui.sae_space import SaeSpace

CHART = "decompose_bars"
_FEATURE = "decompose_feature"
_TOPS = ["10", "20", "40", "all"]


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Which features is a text made of?")
    if space.space.checkpoint is None:
        tell(["This corpus brought its own embeddings: without an encoder, texts of the corpus can be taken apart."])
    chosen = choose_text(space, key="text", label="Text")
    result = decomposition(space, chosen.vector)
    names = [feature_name(space.database, feature) for feature in result.features.tolist()]
    _way(space, chosen, result, names)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result)
    if not len(result.features):
        st.info("No feature fires on this text: its vector is the decoder's bias and the error, no more.")
        return
    one = st.container()
    with one:
        title = st.container()
        feature = choose_feature(space, names, key=_FEATURE)
        title.subheader(f"Which words fire feature {feature}?")
        tokens = st.container()
        show_texts(space, feature)
    with picture:
        _bars(result, names, feature)
    _everything(space, result, names)
    with tokens:  # last: it may have to open the encoder
        show_tokens(space, chosen, result, feature)


def _way(space: SaeSpace, chosen: ChosenText, result: Decomposition, names: list[str]) -> None:
    checkpoint = space.space.checkpoint
    encoder = "embeddings that came with the corpus" if checkpoint is None else checkpoint.source
    st.html(
        charts.pipeline(
            result, chosen.vector, names, text=chosen.text, encoder=encoder, rule=words.rule(space.sae)
        )
    )  # fmt: skip


def _numbers(result: Decomposition) -> None:
    number(
        "Active features",
        f"{count(len(result.features))} of {count(result.dictionary)}",
        "Features with an activation above 0. With TopK every text has nearly the same number.",
        wide=True,
    )
    number("Features' share", share(result.features_share), words.SHARE)
    number("Error's share", share(result.error_share), words.ERROR)
    number("Bias", share(result.bias_share), words.BIAS)
    unexplained = "—" if result.fvu is None else f"{result.fvu:.3f}"
    number("FVU of this text", unexplained, f"{words.FVU} The cosine of x and x̂ is {result.cosine:.3f}.")


def _bars(result: Decomposition, names: list[str], feature: int) -> None:
    shown = st.select_slider(
        "Features shown", _TOPS, value="20", key="decompose_top", bind="query-params", persist_state="session",
        width=260,
        help="How many of the strongest features are drawn.",
    )  # fmt: skip
    most = len(result.features) if shown == "all" else int(str(shown))
    fig = charts.feature_bars(result, names, shown=most, chosen=feature)
    downloads.picture(
        fig,
        key=CHART,
        name="decomposition",
        on_select=partial(_pick_clicked, names),
        selection_mode="points",
        quiet=True,
        about="The features of this text by how strongly they fire.",
    )
    st.caption(words.of_bars(result, min(most, len(result.features))))


def _pick_clicked(names: list[str]) -> None:
    """Choose the feature whose bar was clicked, of those called `names`."""
    for point in st.session_state[CHART]["selection"]["points"]:
        clicked = str(point["customdata"][0])
        st.session_state[_FEATURE] = next((name for name in names if clicked in name.split()[:2]), clicked)


def _everything(space: SaeSpace, result: Decomposition, names: list[str]) -> None:
    table = pd.DataFrame(
        {
            "feature": result.features,
            "label": [space.database.label(f) if space.database else None for f in result.features.tolist()],
            "activation": result.activations,
            "share": result.shares,
        }
    )
    with st.expander(f"All {count(len(names))} active features"):
        st.dataframe(
            table, hide_index=True,
            column_config={
                "label": st.column_config.TextColumn(width="large"),
                "activation": st.column_config.NumberColumn(format="%.4f"),
                "share": st.column_config.NumberColumn(format="percent", help=words.SHARE),
            },
        )  # fmt: skip
        downloads.offer_table(table, name="decomposition")
    downloads.offer_result(result, name="decomposition")
