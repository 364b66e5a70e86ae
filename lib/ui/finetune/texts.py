"""Which texts moved? Neighbours kept, the texts that lost most, and one of them with its neighbours on both sides."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import finetune_texts as charts
from lib.errors import InputError
from lib.finetune.diff.space import SpaceDiff
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.finetune import texts_words as words
from lib.ui.finetune.cached import neighbours_of, space_of
from lib.ui.finetune.pair import PairSpace
from lib.ui.layout import number
from lib.ui.messages import count, plain, tell

_ROW, _TOPIC, _TABLE = "texts_row", "texts_topic", "texts_table"
_ORDERS = ("neighbours lost", "distance moved")
_ALL = "all topics"
_MOST_LISTED = 500


def show(pair: PairSpace) -> None:
    """Draw the view."""
    st.subheader("Which texts have new neighbours?", anchor=False)
    found = space_of(pair)
    kept = found.neighbours
    with st.container(horizontal=True, gap="small"):
        for label, value, meaning in words.numbers(found):
            number(label, value, meaning, wide=True)
    fig = charts.neighbours_kept(kept, _topics(found, kept.rows))
    downloads.picture(
        fig,
        key="texts_kept",
        name="neighbours_kept",
        quiet=True,
        about="How many of its nearest neighbours each text kept.",
    )
    st.caption(words.of_histogram(kept))
    st.subheader("Which texts moved most, and where to?", anchor=False)
    rows = _listed(found)
    if not len(rows):
        st.info("No text of this topic was asked for its neighbours: choose another topic.")
        return
    _choose(pair, found, rows)
    tell(dict.fromkeys([*found.topics.notices, *words.notices(found)]))
    with st.container(horizontal=True):
        downloads.offer_table(_table(pair, found, _order(found, by=_ORDERS[0])), name="texts_moved")


def _listed(found: SpaceDiff) -> NDArray[np.int64]:
    """Draw which texts are listed, and in which order; their places among those that were asked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = _ORDERS[0]
        if found.movement is not None:
            by = one_of(
                "Order by", _ORDERS, key="texts_order",
                help="neighbours lost: what a search sees. distance moved: cosine distance of the text's vector before "
                "and after, which counts a turn of the whole space, too.",
            )  # fmt: skip
        topic = st.selectbox(
            "Topic", [_ALL, *found.topics.names], key=_TOPIC, bind="query-params", persist_state="session", width=260,
            help="Shows only the texts of this topic.",
        )  # fmt: skip
    order = _order(found, by=by)
    if topic in (None, _ALL):
        return order
    of_topic = found.topics.codes[found.neighbours.rows[order]] == found.topics.names.index(str(topic))
    chosen: NDArray[np.int64] = order[of_topic]
    return chosen


def _order(found: SpaceDiff, *, by: str) -> NDArray[np.int64]:
    kept = found.neighbours
    if by == _ORDERS[1] and found.movement is not None:
        return np.argsort(found.movement.cosine[kept.rows], kind="stable")
    return kept.most_changed


def _choose(pair: PairSpace, found: SpaceDiff, places: NDArray[np.int64]) -> None:
    """The list, and the text that was clicked, or stands in the address, with its neighbours.

    Raises:
        InputError: what was typed, or stands in the address, is the id of no text.
    """
    listed, corpus = places[:_MOST_LISTED], pair.base.corpus
    ids = [corpus.ids[row] for row in found.neighbours.rows[listed].tolist()]
    st.dataframe(
        _table(pair, found, listed), hide_index=True, height=300, key=_TABLE, selection_mode="single-row",
        on_select=lambda: _pick(ids), column_config=words.columns(found),
    )  # fmt: skip
    if len(places) > _MOST_LISTED:
        st.caption(f"The first {count(_MOST_LISTED)} of {count(len(places))}; the file holds all.")
    asked = st.selectbox(
        "Text", ids, key=_ROW, bind="query-params", persist_state="session", width=360, accept_new_options=True,
        help="Click a row of the table, or type the id of any text.",
    )  # fmt: skip
    if asked is not None:
        if asked not in corpus.ids:
            raise InputError(f"No text of this corpus has the id {asked!r}: click a row of the table.")
        _one_text(pair, found, corpus.ids.index(asked))


def _pick(ids: list[str]) -> None:
    """Choose the text whose row was clicked."""
    rows = st.session_state[_TABLE]["selection"]["rows"]
    if rows:
        st.session_state[_ROW] = ids[rows[0]]


def _one_text(pair: PairSpace, found: SpaceDiff, row: int) -> None:
    corpus, topics = pair.base.corpus, found.topics
    near = neighbours_of(pair, row, found.neighbours.k)

    def neighbour(other: int) -> charts.Neighbour:
        code = int(topics.codes[other])
        return charts.Neighbour(corpus.texts[other], topics.names[code] if code >= 0 else None)

    st.markdown(f"> {plain(words.cut(corpus.texts[row]))}")
    st.caption(words.of_text(found, near))
    st.html(
        charts.neighbour_lists(
            near, [neighbour(other) for other in near.before.tolist()], [neighbour(o) for o in near.after.tolist()]
        )
    )


def _table(pair: PairSpace, found: SpaceDiff, places: NDArray[np.int64]) -> pd.DataFrame:
    kept, corpus = found.neighbours, pair.base.corpus
    rows = kept.rows[places]
    table = {
        "kept": np.rint(kept.kept[places] * kept.k).astype(int),
        "cosine with itself": None if found.movement is None else found.movement.cosine[rows],
        "topic": _topics(found, rows),
        "text": [corpus.texts[row] for row in rows],
        "id": [corpus.ids[row] for row in rows],
    }
    return pd.DataFrame({name: values for name, values in table.items() if values is not None})


def _topics(found: SpaceDiff, rows: NDArray[np.int64]) -> list[str | None]:
    names = found.topics.names
    return [names[code] if code >= 0 else None for code in found.topics.codes[rows].tolist()]
