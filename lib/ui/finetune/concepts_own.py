"""Each checkpoint through a dictionary of its own, their features paired: concepts of both, and of one alone."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import finetune_concepts as charts
from lib.errors import InputError
from lib.finetune.concepts import OWN_RULE, OwnDiff, diff_own
from lib.sae.fit import check_fit
from lib.sae.matching import default_threshold
from lib.sae.sources import PACKAGED_SAE, PACKAGED_SAES
from lib.ui import downloads, resources
from lib.ui.finetune.dictionary import choose_base_dictionary
from lib.ui.finetune.pair import PairSpace
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share, tell
from lib.ui.sae.cached import codes
from lib.ui.sae.labels_in_force import labels_in_force
from lib.ui.sae.match_cached import aligned, compared
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

_SAE = "concepts_sae"
_MOST_LISTED = 1_000
_READ = (
    "Each point is a concept that both dictionaries hold: to the right its feature fires often with the base, further "
    "up its counterpart fires often with the tuned checkpoint. On the dashed line nothing changed. Two dictionaries "
    "split the same ground in different ways, so that a pair off the line may be such a split: read its texts."
)


def show_own(pair: PairSpace) -> None:
    """Draw it."""
    first = choose_base_dictionary(pair)
    base = SaeSpace(pair.base, first.sae, first.database, first.source)
    tuned = _choose_other(pair)
    by: Any = "cosine" if pair.one_width else "correlation"  # between two spaces, what needs no map
    alignment = aligned(base, tuned, "automatic")
    match = compared(
        base, tuned, by=by, pairing="one-to-one", alignment=alignment, threshold=default_threshold(by, alignment)
    )
    found = diff_own(match, codes(base), codes(tuned))
    st.markdown(f"**{plain(_headline(found))}**")
    _numbers(found)
    names = [feature_name(base.database, feature) for feature in found.base.tolist()]
    if len(found.base):
        fig = charts.pair_frequencies(found, names)
        downloads.picture(
            fig,
            key="concepts_pairs",
            quiet=True,
            about="How often each pair of matching features fires before and after.",
        )
        st.caption(_READ)
        _pairs(found, base, tuned)
    else:
        st.info("No feature of the one has a counterpart in the other.")
    st.caption(OWN_RULE)
    _alone("Only in the base", found.only_base, base, match.ours.count, key="base")
    _alone("Only in the tuned checkpoint", found.only_tuned, tuned, match.theirs.count, key="tuned")
    downloads.offer_result(found, name="concepts_own")


def _choose_other(pair: PairSpace) -> SaeSpace:
    """Draw the choice of the tuned checkpoint's dictionary.

    Raises:
        InputError: it cannot be opened, or was trained for another encoder.
    """
    checkpoint = pair.checkpoints[1]
    own = next((source for source, encoder in PACKAGED_SAES.items() if encoder == checkpoint.source), None)
    offered = sorted(PACKAGED_SAES, key=lambda source: source != own)
    with st.container(width=420):
        source = str(
            st.selectbox(
                "Sparse autoencoder of the tuned checkpoint", offered, key=_SAE, bind="query-params",
                persist_state="session", accept_new_options=True,
                help="One that was trained on the tuned checkpoint's vectors: type a hub id, a folder that the "
                "server's owner allows, or run:NAME for one that was trained here (SAE Features, Train).",
            ) or PACKAGED_SAE
        )  # fmt: skip
    opened = resources.sae(source)
    if isinstance(opened, InputError):
        raise opened
    check_fit(opened.sae, checkpoint)
    shipped = resources.feature_database(opened)
    return SaeSpace(pair.tuned, opened.sae, labels_in_force(opened.sae, shipped), opened.source, shipped)


def _headline(found: OwnDiff) -> str:
    known = "" if np.isnan(found.known_by_tuned) else (
        f" The tuned checkpoint knows {share(found.known_by_tuned, 0)} of what the base's features say of these texts."
    )  # fmt: skip
    return (
        f"{counted(len(found.base), 'concept')} in both dictionaries; {count(len(found.only_base))} features only in "
        f"the base, {count(len(found.only_tuned))} only in the tuned checkpoint.{known}"
    )


def _numbers(found: OwnDiff) -> None:
    with st.container(horizontal=True, gap="small"):
        number("In both", count(len(found.base)), "Features of the base with a counterpart in the other dictionary.")
        more, less = (int((found.change == sign).sum()) for sign in (1, -1))
        number(
            "▲ More often", count(more), "Of the concepts in both: those that fire on more texts, by the rule below."
        )
        number("▼ Less often", count(less), "Those that fire on fewer texts, by the rule below.")
        number("Only in base", count(len(found.only_base)), "Features that the tuned checkpoint does not know.")
        number("Only in tuned", count(len(found.only_tuned)), "Features that the base does not know.")
        known = "—" if np.isnan(found.known_by_tuned) else share(found.known_by_tuned, 0)
        number("Still known", known, "Share of the base's activation in concepts that the tuned checkpoint knows.")
    chance = "" if np.isnan(found.paired_by_chance) else f"{share(found.paired_by_chance)} would find one by chance."
    tell([f"Features were paired by the {found.by} of {'directions' if found.by == 'cosine' else 'activations'}. "
          f"Of the base's features {chance}"] if chance else [])  # fmt: skip


def _pairs(found: OwnDiff, base: SaeSpace, tuned: SaeSpace) -> None:
    table = pd.DataFrame(
        {
            "feature": found.base,
            "label": [_label(base, feature) for feature in found.base.tolist()],
            "of the other": found.tuned,
            "its label": [_label(tuned, feature) for feature in found.tuned.tolist()],
            "fires": [("as often", "▲ more often", "▼ less often")[sign] for sign in found.change.tolist()],
            "alike": found.similarity,
            "fires, base": 100 * found.frequency_base,
            "fires, tuned": 100 * found.frequency_tuned,
            "q": found.q_value,
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    with st.expander(f"The {count(len(table))} concepts of both"):
        st.dataframe(
            table.head(_MOST_LISTED), hide_index=True,
            column_config={
                "alike": st.column_config.NumberColumn(format="%.2f"), "fires, base": percent, "fires, tuned": percent,
                "q": st.column_config.NumberColumn(format="%.2g"),
            },
        )  # fmt: skip
        downloads.offer_table(table, name="concept_pairs")


def _alone(title: str, features: NDArray[np.int64], space: SaeSpace, counts: NDArray[np.int64], *, key: str) -> None:
    with st.expander(f"{title} ({count(len(features))})"):
        if not len(features):
            st.caption("None.")
            return
        table = pd.DataFrame(
            {
                "feature": features,
                "label": [_label(space, feature) for feature in features.tolist()],
                "texts": counts[features],
            }
        )
        st.dataframe(table.head(_MOST_LISTED), hide_index=True)
        st.caption(plain("The heaviest on this corpus first."))
        downloads.offer_table(table, name=f"concepts_only_{key}")


def _label(space: SaeSpace, feature: int) -> str | None:
    return space.database.label(feature) if space.database is not None else None
