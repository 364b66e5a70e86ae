"""Why did this query get worse, or better? The lead of its true document taken apart, before and after."""

import pandas as pd
import streamlit as st

from lib.charts.finetune_concept import lead_change
from lib.errors import InputError
from lib.finetune.concepts import Passed, QuerySides, WhyChanged, passed, why_changed
from lib.finetune.diff.ranks import RankDiff
from lib.ui import downloads, resources
from lib.ui.finetune import ranks_words as words
from lib.ui.finetune.dictionary import Dictionary, choose_dictionary
from lib.ui.finetune.pair import AskedPair, PairSpace
from lib.ui.messages import count, plain, refuse
from lib.ui.sae.names import feature_name

_CHARACTERS = 400


def show_why(pair: PairSpace, asked: AskedPair, found: RankDiff, place: int) -> Dictionary | None:
    """Draw it for the query at `place` of those compared; the dictionary that was chosen, None where none belongs."""
    change = int(found.change[place])
    told = {1: "Why did it get better?", 0: "What changed beneath the same rank?", -1: "Why did it get worse?"}[change]
    st.subheader(told)
    try:
        dictionary = choose_dictionary(pair)
    except InputError as fault:
        refuse(fault, advice="Why a query moved is told by the features of the base's sparse autoencoder.")
        return None
    document = int((found.document_tuned if change > 0 else found.document_base)[place])
    row = int(found.query[place])
    duel = _duel(asked.key, row, document, asked)
    st.caption(plain(words.of_pair(duel)))
    if duel.rival is None:
        return dictionary
    _beside(asked, duel)
    made = _why(asked.key, dictionary.sae.key, row, (document, duel.rival), asked, dictionary)
    names = [feature_name(dictionary.database, feature) for feature in made.features.tolist()]
    st.markdown(f"**{words.of_figure(made)}**")
    fig = lead_change(made, names)
    downloads.picture(
        fig,
        key="ranks_why",
        name="why_changed",
        quiet=True,
        about="What each feature gave to the change of this query's lead.",
    )
    st.caption(plain(words.of_lead(made)))
    _table(dictionary, made)
    with st.container(horizontal=True):
        downloads.offer_result(made, name="why_changed")
    return dictionary


def _beside(asked: AskedPair, duel: Passed) -> None:
    shown = (
        ("◆ relevant", duel.relevant, duel.relevant_base, duel.relevant_tuned),
        ("beside it", duel.rival, duel.rival_base, duel.rival_tuned),
    )
    for column, (name, document, before, after) in zip(st.columns(2), shown, strict=True):
        if document is None:
            continue
        text = " ".join(asked.queries.documents[document][: 2 * _CHARACTERS].split())
        cut = text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…"
        with column.container(border=True, height="stretch"):
            st.caption(plain(f"{name} · rank {count(before or 0)} → {count(after or 0)}"))
            st.markdown(plain(f"“{cut}”"))


def _table(dictionary: Dictionary, made: WhyChanged) -> None:
    table = pd.DataFrame(
        {
            "feature": made.features,
            "label": [dictionary.label(feature) for feature in made.features.tolist()],
            "change of the lead": made.parts,
            "before": made.before,
            "after": made.after,
            "activation, base": made.activation_base,
            "activation, tuned": made.activation_tuned,
            "": ["⇄ decides" if one else "" for one in made.decides.tolist()],
        }
    ).sort_values("change of the lead", key=lambda column: -column.abs(), kind="stable")
    signed = ("change of the lead", "before", "after")
    with st.expander(f"All {count(len(table))} features of the query"):
        st.dataframe(
            table, hide_index=True, height=320,
            column_config={
                "label": st.column_config.TextColumn(width="medium"),
                **{name: st.column_config.NumberColumn(format="%+.4f") for name in signed},
                **{f"activation, {side}": st.column_config.NumberColumn(format="%.3f") for side in ("base", "tuned")},
            },
        )  # fmt: skip
        downloads.offer_table(table, name="why_changed")


def _sides(asked: AskedPair, row: int) -> QuerySides:
    base, tuned = asked.base, asked.tuned
    return QuerySides(
        base.query_vectors[row], base.document_vectors, tuned.query_vectors[row], tuned.document_vectors
    )  # fmt: skip


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _duel(key: str, row: int, document: int, _asked: AskedPair) -> Passed:
    queries = _asked.queries
    relevant = queries.judged_document[(queries.judged_query == row) & (queries.relevance > 0)]
    return passed(_sides(_asked, row), relevant, relevant_document=document, tie_order=queries.tie_order)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _why(
    key: str, sae_key: str, row: int, documents: tuple[int, int], _asked: AskedPair, _dictionary: Dictionary
) -> WhyChanged:
    return why_changed(_dictionary.sae, _sides(_asked, row), documents)
