"""A button that makes a share link, for what an address alone cannot carry; and the link that takes it back."""

from collections.abc import Iterable

import streamlit as st

from lib.errors import InputError
from lib.numerals import counted
from lib.shares import Bundle
from lib.ui.chosen import Chosen
from lib.ui.corpus_choice import CorpusChoice
from lib.ui.messages import plain, refuse
from lib.ui.query_choice import QueryChoice
from lib.ui.sharing import made, opened
from lib.ui.sharing.addresses import DELETION, deletion_address, only_here, share_address
from lib.ui.sharing.contents import name_of, sentences

_BESIDE = "_share_beside"
_DRAWN = "_share_drawn"
_DELETION = "_share_deletion"
_GONE = "_share_gone"
_POPOVER, _ANSWER = "_share_fault", "_unshare_fault"  # where it is said what could not be done
_MOST_SIGNS = 64  # of what a deletion link carries
_WHY = (
    "Your texts are in the memory of your session only, so an address alone does not carry them. A share link writes a "
    "copy of them to this server. **Whoever has the link can open it**, and keep what it opens."
)
_NOT_IN_IT = "Not in it: the file itself, labels that you edited, and other uploads."


def offer_share(chosen: Chosen) -> None:
    """Draw it, where something is on the screen that is this session's alone, or where it has made links."""
    opened.leave_address()
    queries = chosen.queries or _beside()
    bundle, until = _private(chosen.corpus, queries)
    st.session_state[_DRAWN] = _key(queries)
    if bundle is None and not made.alive():
        return
    with st.popover("Create share link" if bundle else "Your share links", icon=":material/group_add:"):
        try:
            limits = opened.shares().limits
            limits.check_on()
        except InputError as fault:
            refuse(fault)
            return
        mine = made.made_of(bundle) if bundle is not None else None
        if bundle is not None and mine is not None:
            _show(mine, bundle)
        elif bundle is not None:
            _offer(bundle, limits.choices, until)
        _tell_fault(_POPOVER)
        _others(mine)


def also(queries: QueryChoice) -> None:
    """A query set that is chosen in a view, and not in the sidebar, is on the screen too: the button takes it along."""
    st.session_state[_BESIDE] = (_here(), queries)
    if _key(queries) != st.session_state.get(_DRAWN):
        st.rerun()  # the row above was drawn without it


def ask_deletion() -> None:
    """Where a deletion link was opened, ask whether to delete what it names, and do so."""
    given = st.query_params.get(DELETION)
    if given is not None:  # out of the address at once: nobody should copy it from there
        st.session_state[_DELETION] = given[:_MOST_SIGNS]
        del st.query_params[DELETION]
    if _DELETION in st.session_state:
        share, _, secret = st.session_state[_DELETION].partition(".")
        with st.container(border=True, key="deletion"):
            st.markdown("**This link deletes a share.** Whoever opens its share link after that is told that it ended.")
            with st.container(horizontal=True):
                st.button("Delete it", key="unshare_yes", on_click=_answer, args=(share, secret),
                          icon=":material/delete:", type="primary")  # fmt: skip
                st.button("Keep it", key="unshare_no", on_click=_keep)
    if st.session_state.pop(_GONE, False):
        st.success("Deleted: its share link opens nothing any more.", icon=":material/check:")
    _tell_fault(_ANSWER)


def _private(corpus: CorpusChoice | None, queries: QueryChoice | None) -> tuple[Bundle | None, float]:
    """What an address cannot carry, with what another's link brought beside it, and when that link ends."""
    choices = [choice for choice in (corpus, queries) if choice is not None]
    if not any(choice.private for choice in choices):
        return None, float("inf")
    bundle = Bundle(
        corpus.corpus if corpus is not None and corpus.origin != "sample" else None,
        queries.query_set if queries is not None and queries.origin != "sample" else None,
    )
    shared = any(choice.origin == "shared" for choice in choices)
    return bundle, opened.expires() if shared else float("inf")


def _offer(bundle: Bundle, choices: Iterable[float], until: float) -> None:
    """Say what a link would hand on, and offer to make it."""
    st.markdown(_WHY)
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences(bundle)))
    st.caption(_NOT_IN_IT)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Kept for", list(choices), key="share_days", format_func=_in_days, width=140,
            help="How long the link opens; after that the copy is removed from the server.",
        )  # fmt: skip
        st.button("Create the link", key="share_create", on_click=_make, args=(bundle, until), type="primary",
                  icon=":material/link:")  # fmt: skip


def _show(mine: made.Made, bundle: Bundle) -> None:
    """The link to what is on the screen, and what takes it back."""
    created = mine.created
    st.markdown(f"This link opens the view with your texts until **{opened.when(created.record.expires)}**:")
    address = share_address(created.id, bundle.holds)
    st.code(address, language=None, wrap_lines=True)
    if only_here(address):
        st.caption("It names your own machine: for others, put a name of this server that they reach in its place.")
    _delete_button(mine, "Delete it now")
    with st.expander("To delete it later"):
        st.caption("Keep this deletion link to yourself. It is shown as long as your session lasts, and never again.")
        st.code(deletion_address(created.id, created.secret), language=None, wrap_lines=True)


def _others(mine: made.Made | None) -> None:
    """The session's links to what is not on the screen."""
    others = [one for one in made.alive() if one != mine]
    if others:
        st.caption(f"{counted(len(others), 'other link')} of this session:")
    for one in others:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{plain(one.name)}, until {opened.when(one.created.record.expires)}")
            _delete_button(one, "Delete")


def _delete_button(one: made.Made, label: str) -> None:
    created = one.created
    st.button(label, key=f"share_delete_{created.id}", on_click=_delete, args=(created.id, created.secret, _POPOVER),
              icon=":material/delete:")  # fmt: skip


def _make(bundle: Bundle, until: float) -> None:
    days = float(st.session_state.get("share_days") or 1.0)
    try:
        made.make(bundle, name=name_of(bundle), days=days, until=until)
    except InputError as fault:
        st.session_state[_POPOVER] = str(fault)


def _delete(share: str, secret: str, place: str) -> None:
    try:
        made.delete(share, secret)
    except InputError as fault:
        st.session_state[place] = str(fault)


def _answer(share: str, secret: str) -> None:
    _keep()
    _delete(share, secret, _ANSWER)
    st.session_state[_GONE] = _ANSWER not in st.session_state


def _tell_fault(place: str) -> None:
    """Say once what could not be done."""
    if place in st.session_state:
        refuse(st.session_state.pop(place))


def _keep() -> None:
    st.session_state.pop(_DELETION, None)


def _beside() -> QueryChoice | None:
    """The query set that the open view has chosen, as it was when the page last ran."""
    where, queries = st.session_state.get(_BESIDE, (None, None))
    found: QueryChoice | None = queries if where == _here() else None
    return found


def _here() -> tuple[str | None, str | None]:
    return st.context.url, st.query_params.get("view")


def _key(queries: QueryChoice | None) -> str | None:
    """What tells one query set that could be shared from another."""
    return queries.query_set.key if queries is not None and queries.query_set is not None and queries.private else None


def _in_days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"
