"""Does another feature take a label's place? Absorption with the corpus's labels as the concepts."""

import pandas as pd
import streamlit as st

from lib.charts import diagnostics_absorption as charts
from lib.errors import InputError
from lib.sae.diagnostics import AbsorptionByLabel, LabelAbsorption
from lib.ui import downloads
from lib.ui.diagnostics import cached
from lib.ui.messages import count, plain, share, tell
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_MOST_TEXTS = 50


def show_labels(space: SaeSpace) -> None:
    """Every label by how often another feature takes its place; one of them with its texts."""
    st.subheader("Does another feature take a label's place?")
    if not space.space.label_names:
        st.caption(
            "Absorption in the stricter sense needs to know which texts are about a concept: choose a label column of "
            "the corpus, and every label becomes one."
        )
        return
    st.caption(
        "The stricter sense (Chanin et al. 2024): a feature stands for a label, yet stays silent on some of the "
        "label's texts, where a narrower feature carries the label's direction instead. Features are chosen on one "
        "half of the texts and judged on the other."
    )
    try:
        found = cached.by_label(space, None)
    except InputError as fault:  # too few texts of a label are no fault of the user's
        tell([str(fault)])
        return
    fig = charts.label_rates(found)
    downloads.picture(
        fig,
        key="absorption_labels",
        quiet=True,
        about="For each label, the share of its texts on which its own features are silent, with intervals.",
    )
    st.caption(
        "The share of a label's texts that a probe knows and on which none of its own features fires, while another "
        "one carries as much of the probe's score as they do elsewhere; bars are 95 % intervals. Where no feature "
        "detects the label well (F1 of its features far below the probe's), there is none that could be absorbed, and "
        "the rate says little."
    )
    _table(space, found)
    if found.left_out:
        few = ", ".join(found.left_out[:5]) + ("…" if len(found.left_out) > 5 else "")
        tell([f"Left out for having fewer than {found.fewest} texts: {few}."])
    names = [one.label for one in found.labels]
    chosen = st.selectbox(
        "Label",
        names,
        key="absorption_label",
        bind="query-params",
        persist_state="session",
        help="The label whose texts are looked at one by one.",
    )
    _show_label(space, next((one for one in found.labels if one.label == chosen), found.labels[0]))
    downloads.offer_result(found, name="absorption_by_label", label="Labels as JSON")


def _table(space: SaeSpace, found: AbsorptionByLabel) -> None:
    downloads.table(
        pd.DataFrame(
            {
                "label": [one.label for one in found.labels],
                "its features": [", ".join(map(str, one.parents)) for one in found.labels],
                "F1 of the best": [one.parent_f1 for one in found.labels],
                "F1 of all of them": [one.parents_f1 for one in found.labels],
                "F1 of the probe": [one.probe_f1 for one in found.labels],
                "known texts": [one.known for one in found.labels],
                "none fires": [one.silent for one in found.labels],
                "another instead": [one.absorbed for one in found.labels],
                "rate": [one.rate for one in found.labels],
            }
        ),
        name="absorption_labels",
        hide_index=True,
        column_config={
            **{
                name: st.column_config.NumberColumn(format="%.2f")
                for name in ("F1 of the best", "F1 of all of them", "F1 of the probe")
            },
            "known texts": st.column_config.NumberColumn(help="Held-out texts of the label that the probe knows."),
            "none fires": st.column_config.NumberColumn(help="Those on which none of the label's features fires."),
            "another instead": st.column_config.NumberColumn(help="Those on which another carries the label."),
            "rate": st.column_config.NumberColumn(format="percent"),
        },
    )


def _show_label(space: SaeSpace, one: LabelAbsorption) -> None:
    best = plain(feature_name(space.database, one.parents[0]))
    others = f", and {count(len(one.parents) - 1)} more that it is split into" * (len(one.parents) > 1)
    st.markdown(
        f"**{plain(one.label)}** is told best by **{best}** (F1 {one.parent_f1:.2f}){others}. They are silent on "
        f"{count(one.silent)} of the {count(one.known)} held-out texts that the probe knows; on "
        f"{count(one.absorbed)} of these one other feature carries "
        f"{share(one.needed, 0)} or more of the probe's score and points along it."
    )
    if not one.silent:
        return
    corpus = space.space.corpus
    rows = one.rows[:_MOST_TEXTS].tolist()
    downloads.table(
        pd.DataFrame(
            {
                "in its place": ["yes" if taken else "no" for taken in one.is_absorbed[:_MOST_TEXTS]],
                "largest other feature": [
                    feature_name(space.database, child) if child >= 0 else "none fires"
                    for child in one.child[:_MOST_TEXTS].tolist()
                ],
                "share of the score": one.share[:_MOST_TEXTS],
                "cosine with the probe": one.cosine[:_MOST_TEXTS],
                "text": [corpus.texts[row] for row in rows],
            }
        ),
        name="absorption_texts",
        hide_index=True,
        column_config={
            "share of the score": st.column_config.NumberColumn(format="percent"),
            "cosine with the probe": st.column_config.NumberColumn(format="%.2f"),
            "text": st.column_config.TextColumn(width="large"),
        },
    )
