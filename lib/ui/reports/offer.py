"""A button that writes a report of what is chosen: made when it is asked for, then there to be downloaded."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import streamlit as st

from lib.errors import InputError
from lib.progress import Progress
from lib.reports.material import Doing
from lib.reports.report import Report
from lib.ui import resources
from lib.ui.chosen import Chosen
from lib.ui.controls import one_of
from lib.ui.memory import release
from lib.ui.messages import count, counted, plain, refuse
from lib.ui.reports.gathering import Subject, material_of, options_of, subject_of

_MADE = "_report"
"""Where a session holds its last report, with what it was made of."""
_ASKED = "_report_asked"
"""What the report is asked for of, until it is begun."""
_PAGE, _TEXT, _NUMBERS = "HTML", "Markdown", "JSON"
_ABOUT = {
    _PAGE: "One page with every figure, about 5 MB; it opens offline.",
    _TEXT: "Text with tables, for a wiki or a pull request; no figures.",
    _NUMBERS: "Every number, for programs; no figures.",
}
_STEPS = 6


@st.fragment
def offer_report(chosen: Chosen) -> None:
    """Draw it; its controls run again without the page."""
    place = st.popover(
        "Report",
        icon=":material/description:",
        key="report",
        on_change="rerun",  # what it holds is looked up once it is open
        help="One file that says what the pages say.",
    )
    if place.open:
        with place:
            _offer(chosen)


def _offer(chosen: Chosen) -> None:
    """What the popover holds."""
    from lib.ui.overview.second import second_encoder

    subject = subject_of(chosen, second_encoder())
    if subject is None:
        st.caption("A report needs an encoder and texts: choose them in the sidebar.")
        return
    st.markdown(f"**A report on {plain(_named(subject))}**")
    if subject.second is not None and not st.toggle(
        f"Compare with {plain(subject.second.source)}", value=True, key="report_beside", bind="query-params",
        persist_state="session", help="Adds a section of paired tests and numbers side by side.",
    ):  # fmt: skip
        subject = replace(subject, second=None)
    st.caption(_holds(subject))
    form = one_of(
        "Format", list(_ABOUT), key="report_format", help="\n".join(f"- **{a}**: {b}" for a, b in _ABOUT.items())
    )
    texts = st.toggle(
        "Quote texts", value=True, key="report_texts", bind="query-params", persist_state="session",
        help="Without, texts, queries and documents go by their ids; labels, topics and ids stay in the file.",
    )  # fmt: skip
    if subject.private and texts:
        st.warning(_warning(subject), icon=":material/lock_open:")
    layers = subject.layers_lacking and st.toggle(
        "Run the layers too", value=False, key="report_layers", bind="query-params", persist_state="session",
        help="They are not known for these texts yet; running them takes about as long as encoding the texts.",
    )  # fmt: skip
    wanted = f"{subject.key}/{texts}/{layers}"
    st.button(
        "Make the report",
        type="primary",
        key="report_make",
        icon=":material/play_arrow:",
        on_click=_ask,
        args=(wanted,),
    )
    if st.session_state.pop(_ASKED, None) == wanted:
        _make(subject, wanted, texts=texts, layers=layers)
    held = st.session_state.get(_MADE)
    if held is not None and held[0] == wanted:
        _hand_over(held[1], form)


def _ask(wanted: str) -> None:
    st.session_state[_ASKED] = wanted


def _named(subject: Subject) -> str:
    on = [f"the texts of {subject.corpus.name}"] if subject.corpus is not None else []
    on += [f"the queries of {subject.queries.name}"] if subject.queries is not None else []
    return f"{subject.checkpoint.source if subject.checkpoint else 'vectors'} on {' and '.join(on)}"


def _holds(subject: Subject) -> str:
    of_corpus = "map, anisotropy, dimension, labels, hubs, outliers, layers and heads"
    of_queries = "quality by topic, ranks, hard negatives, the queries that fail"
    parts = [said for named, said in ((subject.corpus, of_corpus), (subject.queries, of_queries)) if named is not None]
    whole = f"Holds the signals, {'; '.join(parts)}; settings, versions and hashes."
    if subject.corpus is None or subject.queries is None:
        whole += " On the Overview page it holds texts and queries together."
    left = subject.to_encode
    return f"{whole} {counted(left, 'text')} must be encoded first." if left else whole


def _warning(subject: Subject) -> str:
    parts = []
    if subject.corpus is not None:
        parts.append(f"the beginnings of up to {counted(len(subject.corpus), 'text')}")
    if subject.queries is not None:
        asked = len(subject.queries.queries)
        parts.append(f"of up to {count(asked)} {'query' if asked == 1 else 'queries'} and of documents that they find")
    return f"The file quotes {' and '.join(parts)}: whoever has it can read them."


def _make(subject: Subject, wanted: str, *, texts: bool, layers: bool) -> None:
    """Make the report and keep it in the session, with a bar; Stop runs this popover again, which ends the work."""
    from lib.reports.making import report_of

    st.session_state.pop(_MADE, None)
    with _bar() as (doing, progress):
        try:
            material = material_of(subject, layers=layers, progress=progress)
            report = report_of(material, resources.shelf(), options_of(subject, texts=texts), doing=doing)
        except InputError as fault:
            refuse(fault)
            return
        finally:
            release()
    st.session_state[_MADE] = (wanted, report)


@contextmanager
def _bar() -> Iterator[tuple[Doing, Callable[[str], Progress]]]:
    """A bar with a Stop button: what tells the step at hand, and what makes the progress of a long one."""
    place = st.empty()
    with place.container():
        shown = st.progress(0.0, text="Making the report…")
        st.button("Stop", key="report_stop", icon=":material/stop:")
    done = 0

    def doing(what: str) -> None:
        nonlocal done
        done += 1
        shown.progress(min(done / _STEPS, 1.0), text=f"{what}…")

    def progress(what: str) -> Progress:
        def tell(at: int, of: int) -> None:
            shown.progress(min(at / of, 1.0) if of else 1.0, text=f"{what}: {count(at)} of {count(of)}")

        return tell

    yield doing, progress
    place.empty()


def _hand_over(report: Report, form: str) -> None:
    quoted = len(report.quoted)
    said = f"quotes {counted(quoted, 'text')}, whole or in part" if quoted else "quotes no text"
    st.caption(f":material/check: Made at {plain(report.made[11:19])} UTC; it {said}.")
    suffix, mime, write = _FORMS[form]
    st.download_button(
        f"Download the report ({form})",
        data=lambda: write(report).encode("utf-8", "replace"),
        file_name=f"report_{_file_name(report)}.{suffix}",
        mime=mime,
        key=f"report_{suffix}",
        on_click="ignore",
        icon=":material/download:",
    )


def _file_name(report: Report) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", report.title).strip("_").lower()[:60] or "embedscope"


def _page(report: Report) -> str:
    from lib.reports.page import page

    return page(report)


def _text(report: Report) -> str:
    from lib.reports.markdown import markdown

    return markdown(report)


def _json(report: Report) -> str:
    return json.dumps(report.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)


_FORMS: dict[str, tuple[str, str, Callable[[Report], str]]] = {
    _PAGE: ("html", "text/html", _page),
    _TEXT: ("md", "text/markdown", _text),
    _NUMBERS: ("json", "application/json", _json),
}
