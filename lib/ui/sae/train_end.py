"""After a training: what it came to, and what can be done with it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.runs import Run, Status
from lib.sae import SparseAutoencoder, load
from lib.sae.folder import CONFIG, WEIGHTS
from lib.sae.formats import write_saelens
from lib.ui import resources
from lib.ui.runs import ended
from lib.ui.sae import train_figures
from lib.ui.sae_choice import KEY as SAE

_RUN = "run:"


def show(run: Run, fares: Status, begin_new: Callable[[], None], *, owner: bool) -> None:
    """Draw what there is to do."""
    ended.tell_how(run, fares, kept="Its checkpoint is kept for a day: Resume goes on from there.")
    if fares.state == "finished":
        _finished(run)
    ended.buttons(run, fares, begin_new, owner=owner, prefix="train", removes="the dictionary and its log")


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
    ended.tell_to_keep("their dictionaries")
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
    return ended.zipped({f"sae/{name}": content for name, content in files.items()})


def _use(run: Run) -> None:
    st.session_state[SAE] = f"{_RUN}{run.id}"
    st.session_state["view"] = "Browser"
