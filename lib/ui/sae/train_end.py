"""After a training: what it came to, and what can be done with it."""

import io
import tempfile
import zipfile
from pathlib import Path

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.runs import Run, RunLimits, Status, gigabytes_of
from lib.sae import SparseAutoencoder, load
from lib.sae.folder import CONFIG, WEIGHTS
from lib.sae.formats import write_saelens
from lib.ui import resources
from lib.ui.messages import refuse
from lib.ui.sae import train_figures
from lib.ui.sae.train_live import KEY
from lib.ui.sae_choice import KEY as SAE

_RUN = "run:"
_RESUME_FAULT = "_train_resume_fault"


def show(run: Run, fares: Status, *, owner: bool) -> None:
    """Draw what there is to do."""
    fault = st.session_state.pop(_RESUME_FAULT, None)
    if fault:
        refuse(fault)
    if fares.state == "finished":
        _finished(run)
    elif fares.state == "failed":
        refuse(fares.reason)
        with st.expander("What its process said"):
            st.code(run.log(), language=None)
    elif fares.state == "stopped":
        st.info(fares.reason or "Stopped. Its checkpoint is kept for a day: Resume goes on from there.")
    with st.container(horizontal=True):
        if fares.state in ("failed", "stopped"):
            st.button("Resume", key="train_resume", on_click=_resume, args=(run,), icon=":material/play_arrow:")
        st.button("Begin a new one", key="train_new", on_click=_set, args=(KEY, "new"), icon=":material/add:")
        if owner:
            st.button(
                "Delete", key="train_delete", on_click=_delete, args=(run,), icon=":material/delete:",
                help="Removes the dictionary and its log from the server.",
            )  # fmt: skip


def _finished(run: Run) -> None:
    sae = _opened(run.id, run)
    train_figures.numbers(sae)
    with st.container(horizontal=True):
        st.button(
            "Use this SAE", key="train_use", on_click=_use, args=(run,), type="primary", icon=":material/hub:",
            help="Every tab and the Diagnostics page then take texts apart with it; it stands in the address.",
        )  # fmt: skip
        st.download_button(
            "Download", data=lambda: own_zip(run), file_name="sae.zip", mime="application/zip",
            icon=":material/download:", key="train_zip", on_click="ignore",
            help="A folder with sae.safetensors and config.json: opens in Embedscope on any machine.",
        )  # fmt: skip
        st.download_button(
            "Download for SAELens", data=lambda: saelens_zip(sae), file_name="sae-saelens.zip",
            mime="application/zip", icon=":material/download:", key="train_zip_saelens", on_click="ignore",
            help="The same dictionary as SAELens writes it: cfg.json and sae_weights.safetensors.",
        )  # fmt: skip
    most = gigabytes_of(1e9 * RunLimits.from_environment().gigabytes)
    st.caption(
        f"**Download it to keep it.** All trainings on this server together may take {most}; when another begins and "
        "they take more, those that ended first are removed with their dictionaries, and their addresses lead nowhere."
    )
    train_figures.density(sae)


@st.cache_resource(max_entries=4, ttl=resources.HOUR, show_spinner=False)
def _opened(name: str, _run: Run) -> SparseAutoencoder:
    return load(_run.result)


def own_zip(run: Run) -> bytes:
    """The dictionary's files as they are."""
    return _zip({name: (run.result / name).read_bytes() for name in (WEIGHTS, CONFIG)})


def saelens_zip(sae: SparseAutoencoder) -> bytes:
    """The dictionary as SAELens writes it."""
    with tempfile.TemporaryDirectory() as folder:
        write_saelens(sae, Path(folder))
        return _zip({path.name: path.read_bytes() for path in Path(folder).iterdir()})


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"sae/{name}", content)
    return buffer.getvalue()


def _use(run: Run) -> None:
    st.session_state[SAE] = f"{_RUN}{run.id}"
    st.session_state["view"] = "Browser"


def _resume(run: Run) -> None:
    try:
        runs.resume(run)
    except InputError as fault:
        st.session_state[_RESUME_FAULT] = str(fault)


def _delete(run: Run) -> None:
    runs.delete(run)
    _set(KEY, "new")


def _set(key: str, value: str) -> None:
    st.session_state[key] = value
