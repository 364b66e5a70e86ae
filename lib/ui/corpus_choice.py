"""The sidebar's second choice: which texts. A sample set, an uploaded file, or pasted text.

An upload stays in the memory of its session. Whatever is wrong with it is said in one sentence.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lib.corpora import (
    SUFFIXES,
    ColumnChoice,
    Corpus,
    Limits,
    Table,
    build_corpus,
    guess_columns,
    load_sample,
    read_pasted,
    read_table,
    read_vectors,
)
from lib.errors import InputError
from lib.ui.controls import one_of
from lib.ui.kept_files import upload
from lib.ui.messages import counted, plain, tell
from lib.ui.remembered import keep_only, remembered
from lib.ui.sharing import opened

Origin = Literal["sample", "own", "shared"]
_NONE = "(none)"
_SAMPLE_LABELS = {"topic": "label", "subtopic": "subtopic"}
_KEPT = "corpus"  # what the session remembers it as


@dataclass(frozen=True)
class CorpusChoice:
    """What the user chose, or why there is none: a fault, or what to do first."""

    corpus: Corpus | None
    fault: str | None = None
    todo: str | None = None
    origin: Origin = "sample"
    """Where it comes from: a sample, the session's own upload or paste, or a share link."""

    @property
    def private(self) -> bool:
        """Whether an address alone cannot carry it: it is in the memory of this session only."""
        return self.origin == "own" and self.corpus is not None


def choose_corpus() -> CorpusChoice:
    """Draw the choice in the sidebar and return it."""
    kind = one_of(
        "Corpus",
        opened.with_shared(_KINDS, "corpus"),
        key="corpus",
        width="stretch",
        help="The texts that are looked at: the sample, a file of yours, or lines that you paste; yours stay in "
        "your session.",
    )
    keep_only(_KEPT, kind)
    try:
        chosen = _KINDS[kind]() if kind in _KINDS else CorpusChoice(opened.corpus(), origin="shared")
    except InputError as fault:
        return CorpusChoice(None, fault=str(fault))
    if chosen.corpus is not None:
        _describe(chosen.corpus)
        if chosen.origin == "shared":
            opened.describe_corpus(chosen.corpus)
    return chosen


def _describe(corpus: Corpus) -> None:
    labels = len({label for label in corpus.labels if label is not None}) if corpus.labels else 0
    facts = [counted(len(corpus), "text"), counted(labels, "label") if labels else "no labels"]
    if corpus.embeddings is not None:
        facts.append(f"with their own {corpus.embeddings.shape[1]}-d embeddings")
    st.caption(" · ".join(facts))
    tell(corpus.notices)


@st.cache_resource(max_entries=4, show_spinner=False)
def _sample_corpus(name: str, label: str) -> Corpus:
    return load_sample(name, label=label)


def _sample() -> CorpusChoice:
    label = st.selectbox(
        "Label",
        list(_SAMPLE_LABELS),
        key="label",
        bind="query-params",
        help="Which column the texts are grouped by.",
    )
    return CorpusChoice(_sample_corpus("topics", _SAMPLE_LABELS[str(label)]))


def _paste() -> CorpusChoice:
    text = st.text_area(
        "Texts, one a line",
        height=180,
        key="pasted",
        persist_state="session",
        placeholder="One text a line",
        help="Each line is one text; they stay in your session.",
    )
    if not text.strip():
        return CorpusChoice(None, todo="Paste some texts into the sidebar, one a line; three or more can be measured.")
    limits = Limits.from_environment()
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    table = remembered(_KEPT, "Paste table", digest, lambda: read_pasted(text, limits=limits))
    made: Corpus = remembered(_KEPT, "Paste corpus", digest, lambda: build_corpus(table, limits=limits))
    return CorpusChoice(made, origin="own")


def _upload() -> CorpusChoice:
    limits = Limits.from_environment()
    files = upload(
        "Texts",
        types=[suffix.lstrip(".") for suffix in SUFFIXES],
        key="upload_file",
        megabytes=max(1, limits.max_bytes // 2**20),
        help="One text a line (.txt), or a table with a column of texts. The texts stay in this session unless you "
        "create a share link; their vectors are kept on the server under hashes.",
    )
    if not files:
        return CorpusChoice(None, todo="Upload a file in the sidebar: .txt with one text a line, .csv, .tsv, .jsonl or "
                            ".parquet with a column of texts. Uploads are private to their session, so a link to one "
                            "opens here without its file.")  # fmt: skip
    file = files[0]
    table: Table = remembered(
        _KEPT, "Upload table", file.file_id, lambda: read_table(file.getvalue(), name=file.name, limits=limits)
    )
    with st.expander("Columns", expanded=len(table.frame.columns) > 1):
        choice = _choose_columns(table, file.file_id)
    with st.expander("Precomputed embeddings"):
        own = upload(
            "A .npy file, one row a text",
            types=["npy"],
            key="upload_vectors",
            megabytes=max(1, limits.max_bytes // 2**20),
            help="float16, float32 or float64, shape (rows of the file, dimensions). The encoder is then not used.",
        )
    made, vectors = None, own[0] if own else None
    if vectors is not None:
        made = remembered(
            _KEPT,
            "Upload vectors",
            vectors.file_id,
            lambda: read_vectors(vectors.getvalue(), name=vectors.name, limits=limits),
        )
    built = (file.file_id, choice, vectors.file_id if vectors else None)
    corpus: Corpus = remembered(
        _KEPT, "Upload corpus", built, lambda: build_corpus(table, choice, limits=limits, embeddings=made)
    )
    return CorpusChoice(corpus, origin="own")


def _choose_columns(table: Table, file_id: str) -> ColumnChoice:
    guess = remembered(_KEPT, "Upload guess", file_id, lambda: guess_columns(table))
    names = [str(column) for column in table.frame.columns]
    if guess.reason and len(names) > 1:
        st.caption(plain(guess.reason))

    def pick(what: str, guessed: str | None, *, needed: bool = False) -> str | None:
        options = names if needed else [_NONE, *names]
        index = options.index(guessed) if guessed in options else 0
        chosen = st.selectbox(
            what, options, index=index, key=f"column_{what}_{file_id}", persist_state="session",
            help="Which column of your file holds it.",
        )  # fmt: skip
        return None if chosen == _NONE else chosen

    return ColumnChoice(
        text=str(pick("Text", guess.text, needed=True)),
        label=pick("Label", guess.label),
        id=pick("Id", guess.id),
        vector=pick("Embedding", guess.vector),
    )


_KINDS = {"Sample": _sample, "Upload": _upload, "Paste": _paste}
