"""One flagged pair in words, and the texts that it rests on; and all pairs in a table."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.sae.codes import Codes
from lib.sae.diagnostics import Absorption, pair_texts
from lib.ui import downloads
from lib.ui.messages import count, counted, plain, share
from lib.ui.sae import cached as sae_cached
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_TEXTS = 10
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def pair_name(space: SaeSpace, found: Absorption, row: int) -> str:
    """The pair at `row`: absorber, arrow, absorbed, each with its label."""
    absorber, absorbed = int(found.absorber[row]), int(found.absorbed[row])
    return f"{feature_name(space.database, absorber)} → {feature_name(space.database, absorbed)}"


def show_pair(space: SaeSpace, found: Absorption, row: int) -> None:
    """The pair at `row` in words, its texts with and without the absorbed feature, and the ways to the Browser."""
    absorber, absorbed = int(found.absorber[row]), int(found.absorbed[row])
    st.subheader(f"Does {absorbed} say anything that {absorber} does not?")
    st.markdown(_sentence(space, found, row))
    codes = sae_cached.codes(space)
    texts = pair_texts(codes, absorber, absorbed)
    together, alone = st.columns(2)
    with together:
        st.markdown(f"**Both fire** ({counted(len(texts.both), 'text')})")
        _texts(space, codes, texts.both, absorber, absorbed)
    with alone:
        st.markdown(f"**{absorber} fires, {absorbed} is silent** ({counted(len(texts.silent), 'text')})")
        if len(texts.silent):
            _texts(space, codes, texts.silent, absorber, None)
            st.caption(
                "If these are about the absorbed feature's concept as well, the absorber has taken its place: a "
                "search for the wider feature would miss them."
            )
        else:
            st.caption("On no text: wherever the absorber fires, the absorbed does.")
    with st.container(horizontal=True):
        for feature in (absorber, absorbed):
            st.page_link(
                "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
                query_params={"view": "Browser", "feature": str(feature)},
            )  # fmt: skip


def _sentence(space: SaeSpace, found: Absorption, row: int) -> str:
    a, b = (plain(feature_name(space.database, int(feature[row]))) for feature in (found.absorber, found.absorbed))
    sure = f"{share(found.low[row], 0)} to {share(found.high[row], 0)}"
    said = (
        f"**{a}** (absorber) fires on {counted(int(found.count_absorber[row]), 'text')}; **{b}** (absorbed) fires on "
        f"{count(int(found.both[row]))} of them: {share(found.conditional[row], 0)} (95 % interval {sure}), against "
        f"{share(found.expected[row])} of all texts, {found.lift[row]:.3g} times as often as if the two were "
        f"independent. The other way round, {share(found.reverse[row], 0)} of the "
        f"{count(int(found.count_absorbed[row]))} texts of the absorbed fire the absorber: "
    )
    if found.mutual[row]:
        said += "the two fire on nearly the same texts, as one concept under two numbers. "
    else:
        said += "the absorbed is the wider concept, the absorber a part of it. "
    said += f"The cosine of their directions is {found.cosine[row]:.2f}. "
    q = _small(float(found.log10_q[row]))
    return said + (
        f"Among so many pairs, chance alone could bring this one about (false discovery rate {q})."
        if found.chance[row]
        else f"Chance does not explain it (false discovery rate {q})."
    )


def _small(log10: float) -> str:
    """A share given as its logarithm: .013, or a power of ten from a thousandth down."""
    if log10 > -3:
        return f"{10**log10:.2g}"
    return f"10{str(int(np.floor(log10))).translate(_RAISED)}"


def _texts(space: SaeSpace, codes: Codes, rows: NDArray[np.int32], absorber: int, absorbed: int | None) -> None:
    corpus, shown = space.space.corpus, rows[:_TEXTS].tolist()
    table = {str(absorber): _activations(codes, absorber, shown)}
    if absorbed is not None:
        table[str(absorbed)] = _activations(codes, absorbed, shown)
    table["text"] = [corpus.texts[row] for row in shown]
    if corpus.labels:
        table["label"] = [corpus.labels[row] for row in shown]
    downloads.table(
        pd.DataFrame(table),
        name=f"absorption_pair_{absorber}_{'alone' if absorbed is None else absorbed}", hide_index=True,
        column_config={
            "text": st.column_config.TextColumn(width="large"),
            **{
                str(feature): st.column_config.NumberColumn(f"#{feature}", format="%.3f", help="Activation.")
                for feature in (absorber, absorbed)
                if feature is not None
            },
        },
    )  # fmt: skip
    if len(rows) > _TEXTS:
        st.caption(f"The {_TEXTS} that fire the absorber most of {count(len(rows))}.")


def _activations(codes: Codes, feature: int, rows: list[int]) -> list[float]:
    fires, activations = codes.firing(feature)
    at = dict(zip(fires.tolist(), activations.tolist(), strict=True))
    return [at[row] for row in rows]


def show_table(space: SaeSpace, found: Absorption, rows: NDArray[np.int64]) -> None:
    """The flagged pairs at `rows`: absorber, absorbed, P(absorbed | absorber), and what stands beside it."""
    st.subheader("Absorbed by which?")
    label = space.database.label if space.database is not None else lambda feature: None
    table = pd.DataFrame(
        {
            "absorber": found.absorber[rows],
            "its label": [label(feature) for feature in found.absorber[rows].tolist()],
            "absorbed": found.absorbed[rows],
            "label of it": [label(feature) for feature in found.absorbed[rows].tolist()],
            "P(absorbed | absorber)": found.conditional[rows],
            "lift": found.lift[rows],
            "P(absorber | absorbed)": found.reverse[rows],
            "cosine": found.cosine[rows],
            "texts of the absorber": found.count_absorber[rows],
            "of them silent": found.count_absorber[rows] - found.both[rows],
            "texts of the absorbed": found.count_absorbed[rows],
            "log10 q": found.log10_q[rows],
        }
    )
    percent = {"min_value": 0.0, "max_value": 1.0, "format": "percent"}
    st.dataframe(
        table.dropna(axis="columns", how="all"), hide_index=True,
        column_config={
            "P(absorbed | absorber)": st.column_config.ProgressColumn(**percent),  # type: ignore[arg-type]
            "P(absorber | absorbed)": st.column_config.ProgressColumn(**percent),  # type: ignore[arg-type]
            "lift": st.column_config.NumberColumn(format="%.1f", help="Times as often as independent features would."),
            "cosine": st.column_config.NumberColumn(format="%.2f", help="Of the two decoder directions."),
            "log10 q": st.column_config.NumberColumn(
                format="%.1f", help="log10 of the false discovery rate (Fisher's exact test, Benjamini and Hochberg)."
            ),
        },
    )  # fmt: skip
    if len(found) > len(rows):
        st.caption(f"{count(len(rows))} of {count(len(found))} pairs above the threshold are listed; the JSON has all.")
    downloads.offer_table(table, name="absorption_pairs")
