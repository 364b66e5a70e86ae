"""One feature of a diff: how often it fires before and after, by topic, and the texts that gained or lost it."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.charts.finetune_concept import feature_by_topic
from lib.charts.finetune_lists import changed_texts, side_by_side
from lib.finetune.concepts import KINDS, ConceptDiff, FeatureChange
from lib.numerals import short_share
from lib.ui import downloads
from lib.ui.finetune import concepts_words as words
from lib.ui.finetune.concepts_cached import one_feature
from lib.ui.finetune.dictionary import Dictionary
from lib.ui.finetune.pair import PairSpace
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share
from lib.ui.sae.names import feature_name, feature_named

CHART = "concepts_picture_chart"
_FEATURE, _LISTED = "concepts_feature", "_concepts_listed"
_TEXTS, _MOST_OFFERED = 5, 1_000


def choose_feature(dictionary: Dictionary, names: list[str], *, listed: str) -> int | None:
    """Draw the choice, those called `names` offered; None where none is chosen.

    Another list than before begins with its first feature.

    Raises:
        InputError: what was typed is no feature.
    """
    if st.session_state.setdefault(_LISTED, listed) != listed:
        st.session_state[_LISTED], st.session_state[_FEATURE] = listed, names[0] if names else None
    typed = st.selectbox(
        "Feature looked at", names[:_MOST_OFFERED], index=0 if names else None, key=_FEATURE, bind="query-params",
        persist_state="session", accept_new_options=True, width=460, placeholder="Type the number of a feature",
        help="Those that changed most come first. Or click the picture, or type the number of any feature.",
    )  # fmt: skip
    if not typed:
        return feature_named(names[0], names, dictionary.sae.features) if names else None
    return feature_named(str(typed), names, dictionary.sae.features)


def pick_clicked(dictionary: Dictionary) -> None:
    """Choose the feature whose mark was clicked."""
    for point in st.session_state[CHART]["selection"]["points"]:
        if point.get("customdata"):
            st.session_state[_FEATURE] = feature_name(dictionary.database, int(point["customdata"][0]))


def show_feature(pair: PairSpace, dictionary: Dictionary, found: ConceptDiff, feature: int) -> None:
    """Draw it."""
    st.subheader(f"Where did {plain(feature_name(dictionary.database, feature))} change?")
    with st.container(horizontal=True, gap="small"):
        number("Became", KINDS[found.kind[feature]], _tested(found, feature), wide=True)
        before, after = float(found.frequency_base[feature]), float(found.frequency_tuned[feature])
        fires = f"{share(before)} → {share(after)} of the texts, base → tuned."
        number("Fires on", f"{short_share(before)} → {short_share(after)}", fires, wide=True)
        means = f"{found.mean_base[feature]:.3g} → {found.mean_tuned[feature]:.3g}"
        told = f"Base → tuned: {means}, over all texts, those where it is silent counted as 0."
        number("Mean activation", f"{found.change[feature]:+.2g}".replace("-", "−", 1), told)
    one = one_feature(pair, dictionary, feature)
    if one.topics:
        downloads.picture(
            feature_by_topic(one),
            key="concepts_topics",
            quiet=True,
            about="How often this feature fires on the texts of each topic, before and after.",
        )
        st.caption("How often it fires on the texts of each topic: hollow base, solid tuned; amber lines rose.")
    st.html(
        side_by_side(
            (f"▲ Texts that express it more now ({count(len(one.rose))})", _texts(pair, one, one.rose)),
            (f"▼ Texts that express it less now ({count(len(one.fell))})", _texts(pair, one, one.fell)),
        )
    )
    st.caption(
        f"{words.of_feature(one)} The largest differences first. Beside each its activation, base → tuned; – where "
        "silent. The hollow bar is the base's, the solid one that of the tuned checkpoint."
    )
    st.page_link(
        "pages/sae_features.py", label=f"Feature {feature} in the Browser", icon=":material/menu_book:",
        query_params={"view": "Browser", "feature": str(feature), "sae": dictionary.source},
    )  # fmt: skip


def _tested(found: ConceptDiff, feature: int) -> str:
    q, moved = float(found.q_value[feature]), int(found.moved[feature])
    if np.isnan(q):
        return f"Its activation differs on {counted(moved, 'text')}: too few to be tested."
    return f"Its activation differs on {counted(moved, 'text')}; q = {q:.2g}."


def _texts(pair: PairSpace, one: FeatureChange, rows: NDArray[np.int64]) -> str:
    """The first of these texts as HTML."""
    if not len(rows):
        return "<p>None.</p>"
    corpus, shown = pair.base.corpus, rows[:_TEXTS].tolist()
    labels = [corpus.labels[row] for row in shown] if corpus.labels else None
    most = float(max(one.base.max(), one.tuned.max()))
    values = list(zip(one.base[shown].tolist(), one.tuned[shown].tolist(), strict=True))
    return changed_texts([corpus.texts[row] for row in shown], values, labels, most=most)
