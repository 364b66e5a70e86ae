"""One head in full: which is chosen, what it looks at, and its map on a chosen text."""

import numpy as np
import streamlit as st

from lib.charts import layers_heads as charts
from lib.encoders import Checkpoint
from lib.layers.attention import HeadEntropy
from lib.layers.attention_map import AttentionMaps
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layers.heads_cached import text_maps
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share
from lib.ui.workspace import Space

CHART = "heads_map"
_HEAD = "head"
_NARROWEST = "narrowest"
_OF_CORPUS, _TYPED = "of the corpus", "typed"


def pick_clicked() -> None:
    """Choose the head whose cell was clicked."""
    for point in st.session_state[CHART]["selection"]["points"]:
        layer, _, head = str(point["customdata"][0]).partition(",")
        st.session_state[_HEAD] = _name(int(layer), int(head))


def choose_head(space: Space, result: HeadEntropy) -> tuple[int, int, str]:
    """Draw the choice of a head and a text; its layer and number, both from 0, and the text are returned."""
    title = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = _chosen_head(result)
        text = _chosen_text(space)
    with title:
        st.subheader(f"Where does head {head + 1} of layer {layer + 1} look?")
    return layer, head, text


def show_head(space: Space, checkpoint: Checkpoint, result: HeadEntropy, chosen: tuple[int, int, str]) -> None:
    """What one head looks at, over the texts and in one of them; the latter opens the encoder."""
    layer, head, text = chosen
    with st.container(horizontal=True, gap="small"):
        _numbers(result, layer, head)
    downloads.picture(
        charts.target_bars(result, layer=layer, head=head),
        key="heads_targets",
        about="What this head looks at on average, place by place.",
    )
    st.caption(
        f"Mean attention over {counted(result.texts, 'text')} to each place, by the tokens that can look there; "
        f"{plain(result.targets[0])} and {plain(result.targets[1])} are left out of looking at themselves. Places "
        "overlap (the previous token may be the first), so the bars need not add up to 100 %."
    )
    if not text.strip():
        st.info("Type a text to see the head's map on it.")
        return
    maps = text_maps(checkpoint.fingerprint, space.precision, text, checkpoint)
    downloads.picture(
        charts.attention_heatmap(maps, layer=layer, head=head),
        key="head_on_text",
        width="content",
        about="What this head looks at in the text, token by token.",
    )
    st.caption(_reading(maps, layer, head))


def _name(layer: int, head: int) -> str:
    """How a head stands in the list and in the address: "5.12" is head 12 of layer 5."""
    return f"{layer + 1}.{head + 1}"


def _chosen_head(result: HeadEntropy) -> tuple[int, int]:
    layers, heads = result.shape
    places = {_name(layer, head): (layer, head) for layer in range(layers) for head in range(heads)}
    chosen = st.selectbox(
        "Head (layer.head)", [_NARROWEST, *places], key=_HEAD, bind="query-params", persist_state="session", width=160,
        help="Or click a cell of the picture above. The narrowest is the one of the lowest entropy.",
    )  # fmt: skip
    lowest = np.unravel_index(result.entropy.argmin(), result.shape)
    return places.get(str(chosen), (int(lowest[0]), int(lowest[1])))


def _numbers(result: HeadEntropy, layer: int, head: int) -> None:
    number(
        "Entropy",
        f"{result.entropy[layer, head]:.3f}",
        f"0 = one token takes all, 1 = uniform. Standard deviation over texts: {result.spread[layer, head]:.3f}.",
    )
    best = int(np.nan_to_num(result.masses[layer, head]).argmax())
    number(
        f"To {plain(result.targets[best])}",
        share(result.masses[layer, head, best], 0),
        "Mean attention to the place that gets the most, among those below.",
    )
    if result.output_share is not None:
        number(
            "Share of output",
            share(result.output_share[layer, head], 0),
            "Length of what the head adds to a token, relative to what all heads of the layer add together. Heads "
            f"that point apart add up to more than 100 %; the layer's median is "
            f"{share(float(np.median(result.output_share[layer])), 0)}.",
        )


def _chosen_text(space: Space) -> str:
    if (
        one_of(
            "Text",
            [_OF_CORPUS, _TYPED],
            key="head_text",
            help="Whether the head is shown on a text of the corpus or on one that you type.",
        )
        == _TYPED
    ):
        return st.text_input(
            "Your text", key="head_typed", bind="query-params", persist_state="session", max_chars=2_000,
            placeholder="Type a text to see who looks at whom in it",
            help="A text on which the head is shown; it stays in your session and in the address.",
        )  # fmt: skip
    row = st.number_input(
        "Number of the text", 1, len(space.corpus), 1, key="head_row", bind="query-params", persist_state="session",
        width=160,
        help="Place of the text in the corpus, from 1.",
    )  # fmt: skip
    return space.corpus.texts[int(row) - 1]


def _reading(maps: AttentionMaps, layer: int, head: int) -> str:
    shown = len(maps.tokens)
    said = [
        "Each row is a token that looks, each column one that is looked at; amber = most. A bright column is a token "
        "that all look at, a bright diagonal a fixed distance. ## continues a word, ▁ begins one."
    ]
    if shown < maps.length:
        rest = float(maps.rest[layer, head].mean())
        said.append(
            f"The first {shown} of {count(maps.length)} tokens are shown; they give {share(rest)} of their attention "
            "to those after them."
        )
    if maps.truncated:
        said.append("The text is longer than the encoder reads: it was cut.")
    said.append("Attention tells where a head takes from, not what the vector is made of.")
    return " ".join(said)
