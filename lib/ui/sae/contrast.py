"""What do two texts share, and what not? Features side by side, and what each adds to their cosine."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import sae_contrast as charts
from lib.sae.decomposition import Attribution, Contrast
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, tell
from lib.ui.sae import contrast_words as words
from lib.ui.sae.decompose_cached import contrasted
from lib.ui.sae.names import feature_name
from lib.ui.sae.text_choice import ChosenText, choose_text, nearest_other
from lib.ui.sae_space import SaeSpace

_TOPS = ["10", "20", "40", "all"]
_CUT = 400
_WAYS = ("both", "A", "B")


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("What do two texts share, and what not?")
    if space.space.checkpoint is None:
        tell(["This corpus brought its own embeddings: without an encoder, texts of the corpus can be compared."])
    a, b = _choose(space)
    result = contrasted(space, a.vector, b.vector)
    names = [feature_name(space.database, feature) for feature in result.features.tolist()]
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(result)
    if a.text == b.text:
        tell(["Both texts are the same: nothing differs, and the parts of the cosine are the shares of the one text."])
    with picture:
        _differences(result, names)
    _parts(result, names)
    _meetings(space, result)
    _table(space, result)


def _choose(space: SaeSpace) -> tuple[ChosenText, ChosenText]:
    left, right = st.columns(2)
    with left:
        a = choose_text(space, key="text_a", label="Text A")
    with right:
        b = choose_text(space, key="text_b", label="Text B", row=nearest_other(space.space.vectors_key, 0, space))
    for place, chosen in ((left, a), (right, b)):
        if chosen.row is not None:
            place.caption(plain(chosen.text if len(chosen.text) <= _CUT else f"{chosen.text[:_CUT]}…"))
    return a, b


def _numbers(result: Contrast) -> None:
    number("Cosine", f"{result.cosine:.3f}", "Cosine similarity of the two vectors: 1 = same direction, 0 = unrelated.")
    number("Only in A", count(int(result.only_a.sum())), "Features that fire on A and not on B.")
    number("Only in B", count(int(result.only_b.sum())), "Features that fire on B and not on A.")
    number("In both", count(int(result.shared.sum())), "Features that fire on both, however strongly.")
    number("By the error", f"{result.both.error:+.3f}", words.ERROR)


def _differences(result: Contrast, names: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.select_slider(
            "Features shown", _TOPS, value="20", key="contrast_top", bind="query-params", persist_state="session",
            width=260,
            help="How many of the strongest features are drawn.",
        )  # fmt: skip
        shared = st.toggle(
            "Shared features too", key="contrast_shared", bind="query-params", persist_state="session",
            help="Those that fire on both texts, in a picture of their own.",
        )  # fmt: skip
    most = len(result.features) if shown == "all" else int(str(shown))
    differing = np.flatnonzero(result.differing())
    if len(differing):
        _mirrored(result, names, differing[:most], key="contrast_bars")
        st.caption(words.of_differences(min(most, len(differing)), len(differing)))
    else:
        st.info("No feature differs between the two texts." if len(result.features) else "No feature fires on either.")
    if shared and result.shared.any():
        both = result.strongest_shared()
        st.markdown("**What is in both?**")
        _mirrored(result, names, both[:most], key="contrast_shared_bars")
        st.caption(words.of_shared(min(most, len(both)), len(both)))
    elif shared:
        st.info("No feature fires on both.")


def _mirrored(result: Contrast, names: list[str], rows: NDArray[np.int64], *, key: str) -> None:
    downloads.picture(
        charts.mirrored_activations(result, rows, names),
        key=key,
        about="How strongly each feature fires on the one text and on the other.",
    )


def _parts(result: Contrast, names: list[str]) -> None:
    st.subheader("What makes them as similar as they are?")
    way = one_of(
        "Text taken apart", _WAYS, key="contrast_way",
        help="A: each feature of A against the whole vector of B, as when A is the query that looks for B. B: the "
        "other way round. both: the mean of the two. Each adds up to the same cosine.",
    )  # fmt: skip
    parts: Attribution = {"A": result.through_a, "B": result.through_b}.get(way, result.both)
    fig = charts.cosine_parts(result, parts, names)
    downloads.picture(
        fig,
        key="contrast_parts",
        name="cosine_parts",
        about="What each feature gives to the cosine of the two texts.",
    )
    st.caption(words.of_parts(result, parts))
    with st.container(horizontal=True):
        downloads.offer_result(result, name="contrast")


def _meetings(space: SaeSpace, result: Contrast) -> None:
    met = result.meetings
    with st.expander("Which features of A meet which of B?"):
        st.caption(words.of_meetings(result))
        table = pd.DataFrame(
            {
                "of A": [feature_name(space.database, f) for f in met.pairs[:, 0].tolist()],
                "of B": [feature_name(space.database, f) for f in met.pairs[:, 1].tolist()],
                "part of the cosine": met.parts,
            }
        )
        downloads.table(table, name="contrast_meetings", hide_index=True, column_config=_digits("part of the cosine"))


def _table(space: SaeSpace, result: Contrast) -> None:
    with st.expander(f"All {count(len(result.features))} features of either"):
        table = pd.DataFrame(
            {
                "feature": result.features,
                "label": [space.database.label(f) if space.database else None for f in result.features.tolist()],
                "where": _where(result),
                "in A": result.activations_a,
                "in B": result.activations_b,
                "through A": result.through_a.contributions,
                "through B": result.through_b.contributions,
                "part of the cosine": result.both.contributions,
            }
        )
        columns = ("in A", "in B", "through A", "through B", "part of the cosine")
        st.dataframe(table, hide_index=True, column_config=_digits(*columns))
        downloads.offer_table(table, name="contrast")


def _where(result: Contrast) -> NDArray[np.str_]:
    return np.select([result.only_a, result.only_b], ["A only", "B only"], "both")


def _digits(*columns: str) -> dict[str, Any]:
    return {name: st.column_config.NumberColumn(format="%.4f") for name in columns}
