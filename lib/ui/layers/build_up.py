"""How do the layers build the vectors? Similarity, agreement with the output and dimension at every depth."""

import pandas as pd
import streamlit as st

from lib.charts import layers_build_up as charts
from lib.encoders import Checkpoint
from lib.layers.build_up import MOST_LABELS, BuildUp
from lib.layers.findings import Findings, build_up_report, findings
from lib.layers.states import why_no_layers
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.geometry import cached
from lib.ui.layers import build_up_words as words
from lib.ui.layers.build_up_cached import build_up
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, tell
from lib.ui.workspace import Space

_STEPS = (2_000, 10_000)
"""How many texts of a larger corpus can be chosen, beside all of them."""


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("How do the layers build the vectors?")
    why = why_no_layers(space.checkpoint)
    if why or space.checkpoint is None:
        _without_layers(space, str(why))
        return
    result, read = _asked(space, space.checkpoint)
    if result is None or read is None:
        return
    tell(_notices(result))
    numbers, picture = numbers_over_picture()
    with numbers:
        number("Settles", *words.settling(result, read), wide=True)
        number("Most changes", *words.change(result, read), wide=True)
        number("Collapse", *words.collapse(result, read), wide=True)
        number("Output", *words.agreement(result, read), wide=True)
    main = charts.cosine_by_depth(result, read)
    with picture:
        downloads.picture(
            main,
            key="build_cosines",
            name="build_up",
            about="The mean cosine of two texts at each layer.",
        )
        st.caption(words.of_cosines(result, read))
    st.subheader("Does the output agree with the layers before it?")
    downloads.picture(
        charts.agreement_by_depth(result, read),
        key="build_agreement",
        about="How well each layer's nearest neighbours agree with the output's.",
    )
    st.caption(words.of_agreement(result, read))
    st.subheader("How many dimensions do the texts fill at each layer?")
    downloads.picture(
        charts.dimension_by_depth(result),
        key="build_dimensions",
        about="How many dimensions the texts fill at each layer.",
    )
    st.caption(words.of_dimensions(result))
    with st.expander("Which layers say the same?"):
        downloads.picture(
            charts.likeness_of_depths(result),
            key="build_likeness",
            about="How alike every two layers are.",
        )
        st.caption(
            f"Linear CKA of every two depths, over {count(result.sample)} texts. An amber block along the diagonal is "
            "a group of layers that do much the same."
        )
    with st.expander("All numbers"):
        table = _table(result)
        st.dataframe(table, hide_index=True)
        downloads.offer_table(table, name="build_up")
    with st.container(horizontal=True):
        downloads.offer_result(build_up_report(result, read), name="build_up")


def _asked(space: Space, checkpoint: Checkpoint) -> tuple[BuildUp | None, Findings | None]:
    """The build-up and its reading, by the controls above them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = _how_many(len(space.corpus))
        cka, overlap, cosine = _thresholds()
    result = build_up(space, checkpoint, most)
    if result is None:
        return None, None
    return result, findings(result, settled_cka=cka, settled_overlap=overlap, collapsed_cosine=cosine)


def _how_many(texts: int) -> int | None:
    """At most how many texts are measured; None for all. Asked only where it matters."""
    steps = [str(step) for step in _STEPS if step < texts]
    if not steps:
        return None
    chosen = one_of(
        "Texts", [*steps, "all"], key="build_texts", help="A uniform sample of so many, drawn once and for all."
    )
    return None if chosen == "all" else int(chosen)


def _thresholds() -> tuple[float, float, float]:
    with st.popover("Thresholds", icon=":material/tune:"):
        cka = st.slider(
            "Settled: CKA with the output from", 0.5, 0.99, 0.9, 0.01, key="build_cka", bind="query-params",
            persist_state="session",
            help="How alike the output a depth must lay the texts out to count as settled.",
        )  # fmt: skip
        overlap = st.slider(
            "Settled: neighbours shared with the output from", 0.1, 0.95, 0.5, 0.05, key="build_overlap",
            bind="query-params", persist_state="session",
            help="How many of the output's neighbours a depth must have to count as settled.",
        )  # fmt: skip
        cosine = st.slider(
            "Collapsed: mean cosine from", 0.5, 0.99, 0.9, 0.01, key="build_collapse", bind="query-params",
            persist_state="session",
            help="From this mean cosine on a depth counts as collapsed.",
        )  # fmt: skip
    return float(cka), float(overlap), float(cosine)


def _notices(result: BuildUp) -> list[str]:
    notices = []
    if result.drawn < result.given:
        notices.append(f"Measured on a uniform sample of {count(result.drawn)} of the {count(result.given)} texts.")
    if result.left_out:
        notices.append(
            f"{count(result.left_out)} of the texts left out: they have no token, or no direction somewhere."
        )
    if result.labels > MOST_LABELS:
        notices.append(
            f"{count(result.labels)} different labels: means within and between labels are taken for up to "
            f"{count(MOST_LABELS)}."
        )
    return notices


def _table(result: BuildUp) -> pd.DataFrame:
    """One row a depth."""
    return pd.DataFrame(
        {
            "depth": result.names,
            "mean cosine": result.mean_cosine,
            "same label": result.within,
            "different labels": result.between,
            "CKA with the output": result.cka_output,
            "CKA by chance": result.cka_chance,
            "neighbours shared": result.overlap,
            "components 90 %": result.components_90,
            "components 95 %": result.components_95,
            "components 99 %": result.components_99,
            "participation ratio": result.participation_ratio,
            "TwoNN": result.two_nn,
            "of dimensions": result.dimensions,
        }
    )


def _without_layers(space: Space, why: str) -> None:
    """What can be told of an encoder that shows no layers: its output."""
    st.info(f"{plain(why)} What can be looked at is the output.", icon=":material/layers_clear:")
    output = cached.anisotropy(space.vectors_key, space.vectors, max_pairs=200_000, seed=0)
    number("Mean cosine", f"{output.mean_cosine:.3f}", "Of the output, over every pair. 0 = isotropic, 1 = collapsed.")
    st.page_link("pages/geometry.py", label="The Geometry page measures it in full", icon=":material/scatter_plot:")
