"""After a run: what is said of one that stopped or failed, and what can be done with any."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.runs import Run, RunLimits, Status, gigabytes_of
from lib.ui.messages import refuse

_FAULT = "_run_resume_fault"


def tell_how(run: Run, fares: Status, *, kept: str) -> None:
    """Say why a run did not finish, and why it could not be resumed; `kept` says what a stopped one leaves."""
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        refuse(fault)
    if fares.state == "failed":
        refuse(fares.reason)
        with st.expander("What its process said"):
            st.code(run.log(), language=None)
    elif fares.state == "stopped":
        st.info(fares.reason or f"Stopped. {kept}")


def buttons(run: Run, fares: Status, begin_new: Callable[[], None], *, owner: bool, prefix: str, removes: str) -> None:
    """Resume, begin another, delete; `removes` says what goes with it, `prefix` is that of the buttons' keys."""
    with st.container(horizontal=True):
        if fares.state in ("failed", "stopped"):
            st.button("Resume", key=f"{prefix}_resume", on_click=_resume, args=(run,), icon=":material/play_arrow:")
        st.button("Begin a new one", key=f"{prefix}_new", on_click=begin_new, icon=":material/add:")
        if owner:
            st.button(
                "Delete", key=f"{prefix}_delete", on_click=_delete, args=(run, begin_new), icon=":material/delete:",
                help=f"Removes {removes} from the server.",
            )  # fmt: skip


def tell_to_keep(what: str) -> None:
    """Say that `what` a run made will not stay for ever."""
    most = gigabytes_of(1e9 * RunLimits.from_environment().gigabytes)
    st.caption(
        f"**Download it to keep it.** All trainings on this server together may take {most}; when another begins and "
        f"they take more, those that ended first are removed with {what}, and their addresses lead nowhere."
    )


def zipped(files: Mapping[str, bytes | Path]) -> bytes:
    """An archive of files: name to content, or to where it lies, which is then read a piece at a time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            if isinstance(content, Path):
                archive.write(content, name)
            else:
                archive.writestr(name, content)
    return buffer.getvalue()


def _resume(run: Run) -> None:
    try:
        runs.resume(run)
    except InputError as fault:
        st.session_state[_FAULT] = str(fault)


def _delete(run: Run, then: Callable[[], None]) -> None:
    runs.delete(run)
    then()
