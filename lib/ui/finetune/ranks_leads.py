"""Which concepts moved the queries that got worse, or better, all together?"""

import pandas as pd
import streamlit as st

from lib.charts.finetune_concept import lead_changes as leads_figure
from lib.errors import InputError
from lib.finetune.concepts import LeadChanges, lead_changes
from lib.finetune.diff.ranks import RankDiff, RetrievalSide
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.finetune import ranks_words as words
from lib.ui.finetune.dictionary import Dictionary
from lib.ui.finetune.pair import AskedPair
from lib.ui.messages import count, plain
from lib.ui.progress import begin, started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.sae.names import feature_name
from lib.ui.shelved import shelved

_KINDS = {"▼ worse": -1, "▲ improved": 1}
_VERSION = 1  # raised when the same vectors and dictionary would give other numbers than before
_SLOW = "The leads of all queries that moved have to be taken apart once; what is found is kept."


def show_leads(asked: AskedPair, found: RankDiff, dictionary: Dictionary) -> None:
    """Draw it."""
    st.subheader("Which concepts moved the queries, all together?")
    kind = one_of(
        "Queries that got",
        list(_KINDS),
        key="ranks_leads",
        help="Whether features are sought behind queries that got worse or behind those that improved.",
    )
    try:
        made = _leads(asked, found, dictionary, _KINDS[kind])
    except InputError as fault:
        st.info(plain(fault))
        return
    if made is None:
        return
    if not made.queries:
        st.info(
            "In none of them another document changed places with the relevant one: there is no lead to take apart."
        )
        return
    names = [feature_name(dictionary.database, feature) for feature in made.features.tolist()]
    fig = leads_figure(made, names, shown=words.LEADS_SHOWN)
    downloads.picture(
        fig,
        key="ranks_leads_chart",
        name="lead_changes",
        quiet=True,
        about="Which features moved the leads of documents that changed places.",
    )
    st.caption(plain(words.of_leads(made)))
    _table(dictionary, made)
    with st.container(horizontal=True):
        downloads.offer_result(made, name="lead_changes")


def _table(dictionary: Dictionary, made: LeadChanges) -> None:
    table = pd.DataFrame(
        {
            "feature": made.features,
            "label": [dictionary.label(feature) for feature in made.features.tolist()],
            "mean change of the lead": made.parts,
            "queries": made.queries_with,
            "decides": made.decides,
        }
    ).sort_values("mean change of the lead", ascending=made.change_of_rank < 0, kind="stable")
    with st.expander(f"All {count(len(table))} features of these queries"):
        st.dataframe(
            table.head(1_000), hide_index=True, height=320,
            column_config={
                "label": st.column_config.TextColumn(width="medium"),
                "mean change of the lead": st.column_config.NumberColumn(format="%+.5f"),
                "queries": st.column_config.NumberColumn(help="Queries on which it fires, before or after."),
                "decides": st.column_config.NumberColumn(
                    help="Queries whose two documents would stand as before without its change alone."
                ),
            },
        )  # fmt: skip
        downloads.offer_table(table, name="lead_changes")


def _leads(asked: AskedPair, found: RankDiff, dictionary: Dictionary, change_of_rank: int) -> LeadChanges | None:
    """Made once and kept; None where the user has stopped it."""
    inputs = {
        "base": asked.base.key, "tuned": asked.tuned.key, "sae": dictionary.sae.key, "kind": change_of_rank,
        "version": _VERSION,
    }  # fmt: skip

    def made(name: str) -> LeadChanges | None:
        begin(name)
        if not started(name, "Go on", about=_SLOW):
            return None
        with stoppable(name, "Taking leads apart") as tell:
            return lead_changes(
                dictionary.sae, asked.queries, found, (_side("base", asked.base), _side("tuned", asked.tuned)),
                change_of_rank=change_of_rank, progress=tell,
            )  # fmt: skip

    return shelved(LeadChanges, inputs, made)


def _side(name: str, space: QuerySpace) -> RetrievalSide:
    return RetrievalSide(name, space.query_vectors, space.document_vectors)
