"""One query of a diff: the first documents of both checkpoints side by side, and why its true document moved."""

import numpy as np
import streamlit as st

from lib.charts.finetune_lists import Listed, ranking_list, side_by_side
from lib.errors import InputError
from lib.finetune.diff.query_moves import Moves, moves
from lib.finetune.diff.ranks import RankDiff
from lib.ui.finetune.pair import AskedPair, PairSpace
from lib.ui.finetune.ranks_leads import show_leads
from lib.ui.finetune.ranks_why import show_why
from lib.ui.layout import number
from lib.ui.messages import count, plain

_TOP = 10


def show_query(pair: PairSpace, asked: AskedPair, found: RankDiff, row: int) -> None:
    """Draw it."""
    queries = asked.queries
    place = int(np.flatnonzero(found.query == row)[0]) if row in found.query else None
    st.subheader("What does each checkpoint answer to this query?")
    st.markdown(f"**{plain(queries.queries[row])}**")
    if place is None:
        raise InputError("No document is relevant to this query, so it has no rank: choose another one.")
    with st.container(horizontal=True, gap="small"):
        before, after = int(found.rank_base[place]), int(found.rank_tuned[place])
        number("Rank", f"{count(before)} → {count(after)}", "Of its closest true document, base → tuned; 1 is best.")
        ndcg = [side.column("ndcg@10")[place] for side in (found.metrics_base, found.metrics_tuned)]
        number("NDCG@10", f"{ndcg[0]:.2f} → {ndcg[1]:.2f}", "Base → tuned; 1: the best order there is.", wide=True)
        number("New in the first 10", count(int(found.came[place])), "Documents that only the tuned one has there.")
    _side_by_side(asked, moves(queries, found, row, top=_TOP))
    dictionary = show_why(pair, asked, found, place)
    if dictionary is not None:
        show_leads(asked, found, dictionary)


def _side_by_side(asked: AskedPair, found: Moves) -> None:
    texts = asked.queries.documents
    sides = (("◌ base", False, found.rank_base, found.rank_tuned), ("● tuned", True, found.rank_tuned, found.rank_base))
    lists = []
    for name, tuned, own, other in sides:
        here = np.flatnonzero((own > 0) & (own <= _TOP))
        here = here[np.argsort(own[here])]
        listed = [
            Listed(int(own[at]), int(other[at]), int(found.relevance[at]), texts[found.document[at]])
            for at in here.tolist()
        ]
        lists.append((name, ranking_list(listed, tuned=tuned)))
    st.html(side_by_side(*lists))
    st.caption(
        f"The first {count(_TOP)} documents of either. Beside each its rank with the other checkpoint: ▲ further up "
        "when tuned, ▼ further down. ◆ with a line at its side: judged relevant. The others may be so, too."
    )
