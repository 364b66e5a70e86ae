"""How narrowly does each attention head look, and at what? Entropy by layer and head, flags, and one head in full."""

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import layers_heads as charts
from lib.encoders import PACKAGED
from lib.layers.attention import SAMPLE, HeadEntropy
from lib.layers.head_flags import COLLAPSED, SILENT, UNIFORM, HeadFlags, HeadReport, flag_heads
from lib.layers.states import why_no_layers
from lib.ui import downloads
from lib.ui.layers import heads_words as words
from lib.ui.layers.heads_cached import heads
from lib.ui.layers.one_head import CHART, choose_head, pick_clicked, show_head
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, share, tell
from lib.ui.workspace import Space

_SAMPLES = (64, SAMPLE, 1024, 4096)
"""How many texts can be measured, beside all of them."""


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("How narrowly does each attention head look?")
    why = why_no_layers(space.checkpoint)
    if why or space.checkpoint is None:
        _without_attention(str(why), has_encoder=space.checkpoint is not None)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sample = _how_many(len(space.corpus))
        collapsed, uniform, silent = _thresholds()
    result = heads(space, space.checkpoint, sample)
    if result is None:
        return
    flags = flag_heads(result, collapsed=collapsed, uniform=uniform, silent=silent)
    tell(words.notices(result))
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result, flags)
    below = st.container()
    one = st.container()
    with one:
        chosen = choose_head(space, result)
    heatmap = charts.head_heatmap(result, flags, chosen=chosen[:2])
    with picture:
        downloads.picture(
            heatmap,
            key=CHART,
            name="heads",
            on_select=pick_clicked,
            selection_mode="points",
            quiet=True,
            about="The attention entropy of every head, a cell a head, layer by layer; flagged heads are marked.",
        )
        st.caption(words.reading(result, flags))
    with below:
        _listing(result, flags)
    with one:
        show_head(space, space.checkpoint, result, chosen)
    with st.container(horizontal=True):
        downloads.offer_result(HeadReport(result, flags), name="heads")


def _how_many(texts: int) -> int:
    """How many texts are measured; asked only where there are more than the least choice."""
    steps = [str(step) for step in _SAMPLES if step < texts]
    if not steps:
        return texts
    chosen = st.select_slider(
        "Texts measured", [*steps, "all"], value=str(SAMPLE) if texts > SAMPLE else "all", key="heads_texts",
        bind="query-params", persist_state="session", help="A uniform sample of so many, drawn once and for all.",
        width=260,
    )  # fmt: skip
    return texts if chosen == "all" else int(str(chosen))


def _thresholds() -> tuple[float, float, float]:
    with st.popover("Thresholds", icon=":material/tune:"):
        collapsed = st.slider(
            "Collapsed: entropy below", 0.0, 0.5, COLLAPSED, 0.01, key="heads_collapsed", bind="query-params",
            persist_state="session",
            help="Heads below this entropy are flagged: one token takes nearly all.",
        )  # fmt: skip
        uniform = st.slider(
            "Near uniform: entropy above", 0.5, 1.0, UNIFORM, 0.01, key="heads_uniform", bind="query-params",
            persist_state="session",
            help="Heads above this entropy are flagged: no token is told from another.",
        )  # fmt: skip
        silent = st.slider(
            "Adds little: share of the layer's output below", 0.0, 0.5, SILENT, 0.01, key="heads_silent",
            bind="query-params", persist_state="session",
            help="Heads that add less than this share of what all heads of their layer add are flagged.",
        )  # fmt: skip
    return float(collapsed), float(uniform), float(silent)


def _numbers(result: HeadEntropy, flags: HeadFlags) -> None:
    of = count(result.entropy.size)
    number(
        "Mean entropy",
        f"{result.entropy.mean():.2f}",
        "Over all heads. 0 = every token looks at one token, 1 = at all alike.",
    )
    number("Collapsed", f"{flags.collapsed.sum()} of {of}", f"Heads with an entropy below {flags.collapsed_below:g}.")
    number("Near uniform", f"{flags.uniform.sum()} of {of}", f"Heads with an entropy above {flags.uniform_above:g}.")
    number(
        "Add little",
        "—" if result.output_share is None else f"{flags.silent.sum()} of {of}",
        f"Heads that add a vector of less than {share(flags.silent_below, 0)} of the length of what all heads of their "
        "layer add together.",
    )


def _listing(result: HeadEntropy, flags: HeadFlags) -> None:
    table = _table(result, flags)
    flagged = table[table["flags"] != ""]
    if len(flagged):
        st.dataframe(flagged, hide_index=True)
    else:
        st.caption("No head is flagged by these thresholds.")
    with st.expander("All heads"):
        st.dataframe(table, hide_index=True)
        downloads.offer_table(table, name="heads")


def _table(result: HeadEntropy, flags: HeadFlags) -> pd.DataFrame:
    """One row a head."""
    layers, heads_ = result.shape
    layer, head = np.divmod(np.arange(layers * heads_), heads_)
    named = (("collapsed", flags.collapsed), ("near uniform", flags.uniform), ("adds little", flags.silent))
    said = [", ".join(name for name, marked in named if marked[i, j]) for i, j in zip(layer, head, strict=True)]
    columns = {
        "layer": layer + 1,
        "head": head + 1,
        "flags": said,
        "entropy": result.entropy.ravel().round(4),
        "± over texts": result.spread.ravel().round(4),
        "looks at": [flags.target[i][j] or "no one target" for i, j in zip(layer, head, strict=True)],
    }
    if result.output_share is not None:
        columns["output share"] = result.output_share.ravel().round(4)
    columns |= {f"to {name}": result.masses[:, :, place].ravel().round(4) for place, name in enumerate(result.targets)}
    return pd.DataFrame(columns)


def _without_attention(why: str, *, has_encoder: bool) -> None:
    """What is left where no attention is shown: another encoder."""
    st.info(plain(why), icon=":material/layers_clear:")
    if has_encoder:
        st.button(
            "Open the packaged encoder instead", on_click=_choose, args=("encoder", PACKAGED),
            icon=":material/package_2:",
        )  # fmt: skip
    else:
        st.button(
            "Open the sample instead", on_click=_choose, args=("corpus", "Sample"), icon=":material/article:",
        )  # fmt: skip
    st.page_link("pages/geometry.py", label="What its vectors look like: Geometry", icon=":material/scatter_plot:")


def _choose(key: str, value: str) -> None:
    st.session_state[key] = value
