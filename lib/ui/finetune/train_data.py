"""What is learnt from: a query set, or an uploaded file of pairs or triplets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from lib.corpora import Limits, QuerySet
from lib.corpora.queries.export import beir_files
from lib.finetune.data.examples import Examples
from lib.finetune.data.reading import SUFFIXES, read_examples
from lib.finetune.suggestion import Material, long_text
from lib.ui.controls import one_of
from lib.ui.messages import counted, plain, refuse, tell
from lib.ui.query_choice import choose_query_set
from lib.ui.remembered import remembered
from lib.ui.sharing import share

_KEPT = "training data"
_FILE = "_tune_uploaded"
_WIDTH = 480
_HELP = (
    "A row for each pair: columns anchor and positive; if you have them negative (or negative_1, negative_2, ...), and "
    "score. JSONL, CSV, TSV or Parquet. Hard negatives on the Retrieval page hands over such a file. The texts are "
    "handed to the training and removed when it has finished."
)


@dataclass(frozen=True, eq=False)
class Data:
    """What was chosen."""

    name: str
    """What it is called on screen."""
    material: Material
    """How much it is."""
    hand_over: Callable[[Path], list[str]]
    """Writes it into a folder, and names the options of the command that say where."""


def choose() -> Data | None:
    """Draw the choice; None as long as there is nothing, which is then said.

    Raises:
        InputError: what is wrong with a file.
    """
    kind = one_of(
        "Learn from", ["Query set", "Pairs or triplets"], key="tune_data",
        help="A query set: queries, documents, and which answers which. Pairs or triplets: a file of texts that belong "
        "together, perhaps with ones that do not.",
    )  # fmt: skip
    return _of_queries() if kind == "Query set" else _of_file()


def _of_queries() -> Data | None:
    with st.container(width=_WIDTH):
        choice = choose_query_set()
        share.also(choice)
    if choice.query_set is None:
        if choice.fault:
            refuse(choice.fault)
        else:
            st.info(str(choice.todo).replace("in the sidebar", "here"), icon=":material/upload:")
        return None
    queries = choice.query_set
    sample = str(st.session_state.get("query_sample", "")) if st.session_state.get("queries") == "Sample" else None

    def hand_over(folder: Path) -> list[str]:
        if sample:
            return ["--queries", f"sample:{sample}"]
        return ["--queries", str(write_queries(queries, folder))]

    return Data(queries.name, material_of_queries(queries), hand_over)


def _of_file() -> Data | None:
    limits = Limits.from_environment()
    file = st.file_uploader(
        "Pairs or triplets", type=[suffix.removeprefix(".") for suffix in SUFFIXES], key="tune_file",
        max_upload_size=max(1, limits.max_bytes // 2**20), help=_HELP,
    )  # fmt: skip
    if file is not None:
        if st.session_state.get(_FILE, ("", b"", ""))[2] != file.file_id:  # not on every rerun: it may be large
            st.session_state[_FILE] = (file.name, file.getvalue(), file.file_id)
    elif _FILE in st.session_state:  # uploaded before another view was opened
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here: {plain(st.session_state[_FILE][0])}")
            st.button("Remove it", key="tune_forget", on_click=_forget, icon=":material/delete:")
    else:
        st.info(_HELP, icon=":material/upload:")
        return None
    name, content, identity = st.session_state[_FILE]
    examples: Examples = remembered(
        _KEPT, "examples", identity, lambda: read_examples(content, name=name, limits=limits)
    )
    material = material_of_examples(examples)
    facts = [counted(material.pairs, "pair"), counted(material.queries, "different anchor")]
    facts += [counted(material.negatives, "negative") + " each at most"] if material.negatives else []
    st.caption(" · ".join([*facts, *(["with scores"] if material.scored else [])]))
    tell(examples.notices)
    named = file_name(name)
    return Data(examples.name, material, lambda folder: ["--triplets", str(_write(folder, {named: content}) / named)])


def _forget() -> None:
    del st.session_state[_FILE]


def write_queries(queries: QuerySet, folder: Path) -> Path:
    """Write a query set below `folder`, as BEIR has it; where it lies.

    Raises:
        InputError: an id that such files cannot hold.
    """
    return _write(folder / file_name(queries.name), beir_files(queries))


def material_of_queries(queries: QuerySet) -> Material:
    """How much a query set has to learn from."""
    return Material(
        pairs=int((queries.relevance > 0).sum()),
        queries=int((queries.relevant > 0).sum()),
        documents=len(queries.documents),
        anchor_characters=long_text(queries.queries),
        document_characters=long_text(queries.documents),
        negatives=int(bool(np.any(queries.relevance == 0))),
    )


def material_of_examples(examples: Examples) -> Material:
    """How much a file of pairs has to learn from."""
    documents = {*examples.positives, *(text for row in examples.negatives for text in row)}
    return Material(
        pairs=len(examples),
        queries=examples.queries,
        documents=len(documents),
        anchor_characters=long_text(examples.anchors),
        document_characters=long_text(documents),
        negatives=examples.width,
        scored=examples.scores is not None,
    )


def file_name(name: str) -> str:
    """A name as a file may have it: letters, digits, and marks that no shell or folder minds."""
    return re.sub(r"[^\w.-]+", "-", Path(name).name, flags=re.ASCII).strip("-.")[:80] or "data"


def _write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
