"""Which concepts did the fine-tune gain, lose, strengthen or weaken? Both checkpoints through the base's dictionary."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.charts import finetune_concepts as charts
from lib.finetune.concepts import ConceptDiff
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.finetune import concepts_words as words
from lib.ui.finetune.concepts_cached import concepts_of
from lib.ui.finetune.concepts_feature import CHART, choose_feature, pick_clicked, show_feature
from lib.ui.finetune.concepts_own import show_own
from lib.ui.finetune.concepts_table import change_table
from lib.ui.finetune.dictionary import Dictionary, choose_dictionary
from lib.ui.finetune.pair import PairSpace
from lib.ui.layout import number
from lib.ui.messages import count, plain, share, tell
from lib.ui.sae.names import feature_name

_LISTS = ("all", "gained", "strengthened", "weakened", "lost")
_PICTURES = ("Strongest changes", "How often", "By topic")
_THROUGH = ("the base's dictionary", "each its own")
_BARS = 20


def show(pair: PairSpace) -> None:
    """Draw the view."""
    st.subheader("Which concepts did it gain, and which did it lose?")
    through = one_of(
        "Read through", _THROUGH, key="concepts_through",
        help="The base's dictionary, for both: needs one space. Each its own: needs a dictionary that was trained on "
        "the tuned checkpoint, and pairs the features of the two; widths may differ.",
    )  # fmt: skip
    if through != _THROUGH[0]:
        show_own(pair)
        return
    dictionary = choose_dictionary(pair)
    found = concepts_of(pair, dictionary)
    st.markdown(f"**{words.headline(found)}**")
    _numbers(found)
    warning = words.warning(found)
    if warning:
        st.warning(plain(warning), icon=":material/warning:")
    tell(words.notices(found))
    if not found.move:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = one_of(
            "Features", _LISTS, key="concepts_kind", help="Which features are drawn and listed, by what became of them."
        )
        kinds = _PICTURES if len(found.topics) > 1 else _PICTURES[:2]
        drawn = one_of("Picture", kinds, key="concepts_picture", help="What the picture shows of these features.")
    listed = found.changed if kind == _LISTS[0] else found.of_kind(kind)
    names = [feature_name(dictionary.database, feature) for feature in listed.tolist()]
    if len(listed):
        picture = st.container()
        feature = choose_feature(dictionary, names, listed=kind)
        with picture:
            _picture(found, dictionary, (drawn, listed, names), feature)
        change_table(found, dictionary, listed)
    else:
        st.info("No feature is of this kind. Any other can be looked at by its number.")
        feature = choose_feature(dictionary, names, listed=kind)
    if feature is not None:
        show_feature(pair, dictionary, found, feature)


def _numbers(found: ConceptDiff) -> None:
    many = found.counts
    with st.container(horizontal=True, gap="small"):
        for kind, (_, _, sign) in charts.LOOKS.items():
            number(f"{sign} {kind.capitalize()}", count(many[kind]), words.KINDS_MEAN[kind])
        by_chance = "—" if np.isnan(found.by_chance) else f"{found.by_chance:.2g}"
        number("By chance", by_chance, words.chance(found))
        number("Move shown", "—" if np.isnan(found.seen) else share(max(found.seen, 0), 0), words.seen(found))
        fits = f"{words.fvu(found.fvu_base)} → {words.fvu(found.fvu_tuned)}"
        number("Not explained", fits, words.fit(found), wide=True)


def _picture(
    found: ConceptDiff,
    dictionary: Dictionary,
    shown: tuple[str, NDArray[np.int64], list[str]],
    feature: int | None,
) -> None:
    """The picture of that name, of the features that are listed, and their names."""
    drawn, listed, names = shown
    if drawn == "How often":
        every = [feature_name(dictionary.database, one) for one in found.changed.tolist()]
        fig, read = charts.frequencies(found, every, chosen=feature), words.FREQUENCIES_READ
    elif drawn == "By topic":
        places = np.flatnonzero(np.isin(found.changed, listed))[:_BARS]
        fig, read = charts.changes_by_topic(found, places, names[:_BARS]), words.TOPICS_READ
    else:
        fig, read = charts.strongest_changes(found, listed[:_BARS], names[:_BARS]), words.STRONGEST_READ
    downloads.picture(
        fig,
        key=CHART,
        name="concepts",
        on_select=lambda: pick_clicked(dictionary),
        selection_mode="points",
        quiet=True,
        about="Which features changed most between base and tuned, and by how much.",
    )  # fmt: skip
    few = f" The {count(_BARS)} largest changes of {count(len(listed))}." if len(listed) > _BARS else ""
    st.caption(read + (few if drawn != "How often" else ""))
    st.caption(words.rule(found))
    with st.container(horizontal=True):
        downloads.offer_result(found, name="concepts")
