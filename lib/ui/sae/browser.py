"""Browser: which concepts do these texts hold? The corpus through the dictionary, feature by feature."""

import streamlit as st

from lib.sae.database import FeatureDatabase
from lib.sae.statistics import RANKINGS, Ranking, rank_features
from lib.ui.layout import number
from lib.ui.messages import count, plain, tell
from lib.ui.sae.browser_cached import Part, part_of
from lib.ui.sae.browser_edits import score_saved
from lib.ui.sae.browser_files import show_files
from lib.ui.sae.browser_labels import show_labels
from lib.ui.sae.browser_rows import show_rows
from lib.ui.sae.browser_search import Found, search
from lib.ui.sae_space import SaeSpace

_ALL = "all"
_ORDERS = {
    "total": "the sum of its activations",
    "frequency": "the share of texts on which it fires",
    "maximum": "its largest activation",
    "mean": "its mean activation where it fires",
    "stability": "how surely it came back in a second training",
    "score": "how well its label predicts where it fires",
    "specificity": "how surely it fires for one label alone",
}


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Which concepts do these texts hold?")
    database = score_saved(space)
    part, order = _choose(space)
    found = search(space, database)
    ranked = _ranked(part, database, order, found)
    if found is not None and not found.listed:
        st.info(plain(found.nothing))
    elif not len(ranked):
        st.info("None of these features fires on the chosen texts: take all labels, or search for something else.")
    else:
        _numbers(part, len(ranked), found)
        show_rows(space, part, database, ranked)
    show_labels(space, database)
    show_files(space, part, database)


def _choose(space: SaeSpace) -> tuple[Part, Ranking]:
    """Which texts are looked at, and what features are ranked by."""
    names = space.space.label_names
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Rank by", RANKINGS, key="browser_by", bind="query-params", persist_state="session", width=170,
            help="  \n".join(f"**{name}**: {meaning}." for name, meaning in _ORDERS.items()),
        )  # fmt: skip
        label = _ALL
        if names:
            label = st.selectbox(
                "Texts with the label", [_ALL, *names], key="browser_label", bind="query-params",
                persist_state="session", width=220, help="Count on the texts of one label of the corpus alone.",
            )  # fmt: skip
    order: Ranking = by if by in RANKINGS else "total"
    return part_of(space, None if label in (None, _ALL) else str(label)), order


def _ranked(part: Part, database: FeatureDatabase | None, order: Ranking, found: Found | None) -> list[int]:
    """The features to list, the first on top: those found in the order of the search, else all by `order`."""
    statistics = part.statistics
    if found is not None:
        return [feature for feature in found.features if statistics.count[feature]]
    needed = {name: database.numbers(name) if database is not None else None for name in ("score", "stability")}
    if needed.get(order, 0) is None:
        what = "has a score" if order == "score" else "was trained twice, as far as is known"
        tell([f"No {'label' if order == 'score' else 'dictionary here'} {what}: ranked by total activation instead."])
        order = "total"
    if order == "specificity" and part.counts is None:
        tell(["This corpus has no labels to be specific to: ranked by total activation instead."])
        order = "total"
    ranked: list[int] = rank_features(statistics, order, **needed).tolist()
    return ranked


def _numbers(part: Part, listed: int, found: Found | None) -> None:
    statistics = part.statistics
    with st.container(horizontal=True, gap="small"):
        number("Texts", count(statistics.texts), "Of the corpus, or of the chosen label.")
        number("Features that fire", count(len(statistics.fires)), "On at least one of these texts.")
        number("Silent here", count(statistics.dead), "On none of them; another corpus may well wake them.")
        mean = statistics.count.sum() / statistics.texts
        number("Active a text", f"{mean:.1f}", "Features that fire on a text, on average.")
        if found is not None:
            number("Found", count(listed), found.meaning)
