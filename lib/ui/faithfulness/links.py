"""Where the parts of the view stand in an address, and how another view leads to one of them."""

import streamlit as st

from lib.ui.controls import put

PART, QUERY = "faithfulness_part", "faithfulness_query"
FEATURES, FEW, WHY = "Feature by feature", "Few or many", "Why this document"
PARTS = (FEATURES, FEW, WHY)
_SEARCHED, _FOLLOWED = "search_query", "_faithfulness_followed"


def named(one_id: str, text: str) -> str:
    """A query or a document in a list: its id and how it begins."""
    line = " ".join(text[:400].split())
    return f"{one_id} · {line if len(line) <= 90 else line[:89] + '…'}"


def why_button(query_id: str, text: str, *, key: str) -> None:
    """A button that opens *Why this document* with a query of the set, from any view of the same page."""
    st.button(
        "Why these documents?", key=key, icon=":material/account_tree:", on_click=_open, args=(named(query_id, text),),
        help="Takes the scores of this query apart, feature by feature (Faithfulness).",
    )  # fmt: skip


def follow_search(options: list[str], *, first: str) -> bool:
    """Take up the query that was last chosen under Search; whether the one looked at is that.

    `first` is what Search shows before anyone chooses. A query that the address names, or that is chosen later, stays.
    """
    searched = st.session_state.get(_SEARCHED)
    new = searched != st.session_state.get(_FOLLOWED)
    st.session_state[_FOLLOWED] = searched
    if new and searched in options and searched != first and QUERY not in st.query_params:
        st.session_state[QUERY] = st.query_params[QUERY] = searched  # what is set while a page runs reaches no address
    return searched is not None and searched != first and st.session_state.get(QUERY) == searched


def asked_for() -> set[str]:
    """The queries, as they are named in a list, that the address, a button or Search asks for."""
    held = st.session_state.get(QUERY), st.query_params.get(QUERY), st.session_state.get(_SEARCHED)
    return {str(one) for one in held if one}


def _open(option: str) -> None:
    st.session_state["view"] = "Faithfulness"
    put(PART, WHY)
    put(QUERY, option)
