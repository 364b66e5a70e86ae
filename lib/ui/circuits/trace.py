"""At which layer does a feature appear? One text followed through the encoder, a column a depth."""

import pandas as pd
import streamlit as st

from lib.charts.circuits_trace_file import title
from lib.encoders import Checkpoint
from lib.layers.states import why_no_layers
from lib.sae.circuits.lens import Lens
from lib.sae.circuits.trace import Trace
from lib.ui import downloads
from lib.ui.circuits import trace_words as words
from lib.ui.circuits.choice import Choice, choose
from lib.ui.circuits.graph import show_graph
from lib.ui.circuits.lens_quality import show_lens
from lib.ui.circuits.lenses import choose_lens
from lib.ui.circuits.one_column import show_column
from lib.ui.circuits.trace_cached import column, traced
from lib.ui.layout import number
from lib.ui.messages import plain, tell
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_COLUMN = "trace_column"
_PEAK = "the peak"


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("At which layer does a feature appear?")
    checkpoint = space.space.checkpoint
    why = why_no_layers(checkpoint)
    if why or checkpoint is None:
        st.info(f"{plain(why)} Choose an encoder with layers to trace a feature.", icon=":material/layers_clear:")
        return
    chosen = choose(space)
    lens = choose_lens(space, checkpoint, chosen.row)
    if lens is None:
        return
    result = traced(space, checkpoint, chosen, lens)
    _header(chosen, checkpoint, result)
    tell(words.warnings(result, lens))
    _numbers(result)
    names = _names(space, result)
    picture = st.container()
    place = _column(result)
    with picture:
        show_graph(
            result, names, chosen=place, reach=words.reach(result, lens), encoder=checkpoint.source,
            on_click=_open_column,
        )  # fmt: skip
        st.caption(words.of_graph(result, lens))
    show_column(space, result, place, (column(space, checkpoint, chosen, lens, place=place), chosen.output))
    show_lens(space, lens)
    _everything(result, lens)


def _header(chosen: Choice, checkpoint: Checkpoint, result: Trace) -> None:
    """The text, and what is traced through how many layers."""
    text = chosen.text.text
    cut = text if len(text) <= words.CUT else text[: words.CUT - 1].rstrip() + "…"
    st.markdown(f"*“{plain(cut)}”*")
    st.markdown(f"**{plain(title(chosen.name, len(result.depths) - 1))}** · {plain(checkpoint.source)}")


def _numbers(result: Trace) -> None:
    with st.container(horizontal=True, gap="small"):
        number("Peak", *words.peak(result), wide=True)
        number("Total gain", *words.gain(result))
        number("Growth steps", *words.steps(result))
        number("Verdict", result.verdict, result.rule, wide=True)


def _column(result: Trace) -> int:
    """The place of the column that is looked into: the peak, or the one that was clicked or chosen."""
    asked = st.selectbox(
        "Look into", [_PEAK, *result.depths], key=_COLUMN, bind="query-params", persist_state="session", width=220,
        help="Or click a column of the graph; the arrow keys go from one to the next, Enter opens it.",
    )  # fmt: skip
    if asked in result.depths:
        return result.depths.index(asked)
    return result.peak if result.activations.any() else len(result.depths) - 1


def _open_column(depth: str) -> None:
    st.session_state[_COLUMN] = depth


def _names(space: SaeSpace, result: Trace) -> dict[int, str]:
    features = {result.feature, *(int(feature) for feature in result.coactive.flat if feature >= 0)}
    return {feature: feature_name(space.database, feature) for feature in features}


def _everything(result: Trace, lens: Lens) -> None:
    table = pd.DataFrame(
        {
            "depth": result.depths,
            "activation": result.activations,
            "pre-activation": result.pre_activations,
            "growth": [None, *result.growth.tolist()],
            "active features": result.active,
            "FVU of this text": result.fvu,
            "length of the guess": result.lengths,
            "lens R²": lens.r2,
            "lens FVU": lens.fvu,
        }
    )
    with st.expander("All numbers"):
        st.dataframe(table.dropna(axis="columns", how="all"), hide_index=True)
        downloads.offer_table(table, name="circuit")
    downloads.offer_result(result, name="circuit")
