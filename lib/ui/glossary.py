"""The glossary on its page: a search, a choice of page, and the terms; one alone where the address names it."""

import streamlit as st

from lib.glossary import PAGES, TERMS, Term, find, term
from lib.ui.controls import one_of
from lib.ui.messages import count, plain

_ALL = "all"
_TERM = "term"
_PAGE_OF = {name: page for page, name in PAGES.items()}


def show() -> None:
    """Draw the page."""
    asked = st.query_params.get(_TERM)
    if asked is not None:
        _show_one(asked)
        return
    words = st.text_input(
        "Search", key="glossary_search", bind="query-params", persist_state="session", max_chars=100, width=420,
        placeholder="a word, an author", icon=":material/search:",
        help="Shows the terms in which all of these words occur: in their names, meanings, ranges or sources.",
    )  # fmt: skip
    page = one_of("Seen on", [_ALL, *_PAGE_OF], key="glossary_page", help="The page on whose views the terms are seen.")
    found = [one for one in find(words) if page == _ALL or one.page == _PAGE_OF[page]]
    if not found:
        where = "" if page == _ALL else f" on {page}"
        st.info(f"No term{where} has “{plain(words)}” in it. Try a part of the word, or another page.")
        return
    st.caption(
        f"{count(len(found))} of {count(len(TERMS))} terms. A name is a link to its term alone, to be passed on."
    )
    for group in PAGES:
        these = [one for one in found if one.page == group]
        if these:
            st.subheader(PAGES[group], anchor=group)
            for one in these:
                st.markdown(_told(one))


def _show_one(slug: str) -> None:
    """One term by itself, with the way to where it is seen."""
    one = term(slug)
    if one is None:
        st.info(f"No term is called “{plain(slug[:60])}” here. Look for it among all.", icon=":material/search:")
    else:
        st.markdown(_told(one))
        if one.page != "overview":
            at = f"{PAGES[one.page]}, {one.view}" if one.view else PAGES[one.page]
            query = {"view": one.view} if one.view else None
            st.page_link(f"pages/{one.page}.py", label=f"See it: {at}", icon=":material/arrow_forward:",
                         query_params=query)  # fmt: skip
    st.button("All terms", icon=":material/dictionary:", on_click=_leave, key="glossary_all")


def _leave() -> None:
    del st.query_params[_TERM]


def _told(one: Term) -> str:
    """A term in Markdown: all of it is written here, none of it by users."""
    where = f" · {one.view}" if one.view else ""
    lines = [f"#### [{one.name}](?term={one.slug})", f"{one.meaning}"]
    if one.formula:
        lines.append(f"$$\n{one.formula}\n$$")
    seen = f"{PAGES[one.page]}{where}" if one.page != "overview" else ""
    facts = [("Range", one.range), ("Hold it against", one.baseline), ("Beware", one.beware),
             ("Source", one.source), ("Seen", seen)]  # fmt: skip
    lines.append("\n".join(f"- **{name}:** {said}" for name, said in facts if said))
    return "\n\n".join(lines)
