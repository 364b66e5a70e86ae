"""What a report is made of, out of what the sidebar holds: vectors from the store, layers from the shelf."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from lib.corpora import Corpus, QuerySet
from lib.encoders import PACKAGED, Checkpoint, Encoder, Precision
from lib.overview.parts import lacks_layers
from lib.progress import Progress
from lib.reports.layers import known_layers, with_layers
from lib.reports.material import CorpusSide, Material, Options, QuerySide
from lib.ui import resources
from lib.ui.chosen import Chosen

_CARRIED = ("encoder", "precision", "corpus", "label", "queries", "query_sample")
_PROMPTS = ("query_prompt_", "document_prompt_")
_NOTHING = np.zeros((0, 1), dtype=np.float32)
_FRAME = "/~/+"  # the path at which Community Cloud shows an app inside of its own page


@dataclass(frozen=True)
class Subject:
    """What a report would be about."""

    checkpoint: Checkpoint | None
    """The encoder; None where it cannot be opened."""
    precision: Precision
    """At which it runs."""
    corpus: Corpus | None
    """The texts; None where the page has none."""
    queries: QuerySet | None
    """The query set; None where the page has none."""
    private: bool
    """Whether any of it is in this session alone, or came by a share link."""
    arguments: tuple[str, str]
    """How the command line names corpus and query set; empty where it cannot."""
    second: Checkpoint | None = None
    """An encoder to compare with; None where nobody is chosen."""

    @property
    def key(self) -> str:
        """Content hash of all of it."""
        parts = (self.checkpoint.fingerprint if self.checkpoint else "", self.precision,
                 self.corpus.key if self.corpus else "", self.queries.key if self.queries else "",
                 self.second.fingerprint if self.second else "")  # fmt: skip
        return "/".join(parts)

    @property
    def to_encode(self) -> int:
        """Texts that are not in the store yet."""
        left = 0
        for one in (self.checkpoint, self.second):
            if one is None:
                continue
            if self.corpus is not None and self.corpus.embeddings is None:
                left += resources.missing(self.corpus.texts, one, precision=self.precision)
            if self.queries is not None:
                left += resources.missing(self.queries.documents, one, precision=self.precision)
                left += resources.missing(self.queries.queries, one, precision=self.precision, role="query")
        return left

    @property
    def layers_lacking(self) -> bool:
        """Whether there are layers to be run that the shelf does not have."""
        if self.corpus is None or self.checkpoint is None or self.corpus.embeddings is not None:
            return False
        if lacks_layers(self.checkpoint) is not None:
            return False
        side = CorpusSide(self.corpus, self.checkpoint, self.precision, _NOTHING, "")
        known = known_layers(side, resources.shelf())
        return known.build_up is None or known.heads is None


def subject_of(chosen: Chosen, second: Checkpoint | None = None) -> Subject | None:
    """What a report would be about; None where there are no texts, or no encoder for them.

    `second` is compared with where both encoders can read the same texts or queries.
    """
    corpus = chosen.corpus.corpus if chosen.corpus is not None else None
    queries = chosen.queries.query_set if chosen.queries is not None else None
    checkpoint = chosen.encoder.checkpoint
    if checkpoint is None:
        queries = None
        corpus = corpus if corpus is not None and corpus.embeddings is not None else None
    if corpus is None and queries is None:
        return None
    origins = [choice.origin for choice in (chosen.corpus, chosen.queries) if choice is not None]
    own_vectors = queries is None and corpus is not None and corpus.embeddings is not None
    if checkpoint is None or own_vectors or (second is not None and second.fingerprint == checkpoint.fingerprint):
        second = None
    return Subject(
        checkpoint, chosen.encoder.precision, corpus, queries, any(one != "sample" for one in origins),
        (_of_corpus(chosen), _of_queries(chosen)), second,
    )  # fmt: skip


def material_of(
    subject: Subject,
    *,
    layers: bool,
    progress: Callable[[str], Progress],
) -> Material:
    """Vectors and layers of the subject; what is missing is encoded here, and layers are run where `layers` says so.

    Raises:
        InputError: the encoder cannot be opened, or a text cannot be encoded.
    """
    corpus, queries, shelf = subject.corpus, subject.queries, resources.shelf()
    side = None if corpus is None else _corpus_side(corpus, subject, progress)
    if side is not None:
        side = with_layers(side, shelf, _opener(subject), progress=progress) if layers else known_layers(side, shelf)
    asked = None if queries is None else _query_side(queries, subject, progress)
    if subject.second is None:
        return Material(side, asked)
    other = replace(subject, checkpoint=subject.second)
    both = corpus is not None and corpus.embeddings is None
    return Material(
        side,
        asked,
        _corpus_side(corpus, other, progress) if corpus is not None and both else None,
        None if queries is None else _query_side(queries, other, progress),
    )


def options_of(subject: Subject, *, texts: bool) -> Options:
    """What the report holds, and where the app shows it."""
    query = [(name, value) for name in st.query_params if _kept(name) for value in st.query_params.get_all(name)]
    here = (st.context.url or "").split("?")[0].split("#")[0].replace(_FRAME, "", 1).rstrip("/")
    pages = ("overview", "start", "geometry", "layers", "retrieval", "finetune_diff", "sae_features", "network",
             "circuits", "steering", "diagnostics", "glossary")  # fmt: skip
    base, _, last = here.rpartition("/")
    return Options(
        texts=texts,
        corpus_argument=subject.arguments[0],
        queries_argument=subject.arguments[1],
        query=tuple(query),
        app=base if last in pages else here,
    )


def _kept(name: str) -> bool:
    return name in _CARRIED or name.startswith(_PROMPTS)


def _opener(subject: Subject) -> Callable[[], Encoder]:
    return lambda: resources.encoder(_checkpoint(subject), subject.precision)


def _checkpoint(subject: Subject) -> Checkpoint:
    if subject.checkpoint is None:
        raise ValueError("texts without vectors of their own need an encoder")
    return subject.checkpoint


def _corpus_side(corpus: Corpus, subject: Subject, progress: Callable[[str], Progress]) -> CorpusSide:
    if corpus.embeddings is not None:
        return CorpusSide(corpus, None, "float32", corpus.embeddings, corpus.key)
    of = _checkpoint(subject)
    made = resources.embeddings(
        corpus.key, corpus.texts, of, precision=subject.precision, progress=lambda: progress("Encoding the texts")
    )
    return CorpusSide(corpus, of, subject.precision, made.vectors, made.key, made.truncated)


def _query_side(queries: QuerySet, subject: Subject, progress: Callable[[str], Progress]) -> QuerySide:
    of, precision = _checkpoint(subject), subject.precision
    documents = resources.embeddings(
        f"{queries.key}/documents", queries.documents, of, precision=precision,
        progress=lambda: progress("Encoding the documents"),
    )  # fmt: skip
    asked = resources.embeddings(
        f"{queries.key}/queries", queries.queries, of, precision=precision, role="query",
        progress=lambda: progress("Encoding the queries"),
    )  # fmt: skip
    cut = documents.truncated + asked.truncated
    return QuerySide(queries, of, precision, asked.vectors, documents.vectors, cut)


def _of_corpus(chosen: Chosen) -> str:
    """How the command line names the corpus; an upload by a place to fill in."""
    if chosen.corpus is None or not _nameable(chosen):
        return ""
    named = ["YOUR_TEXTS"]
    if chosen.corpus.origin == "sample":
        label = str(st.session_state.get("label") or "topic")
        named = ["sample:topics", *(["--label", label] if label != "topic" else [])]
    return shlex.join(["--corpus", *named, *_encoder(chosen)])


def _of_queries(chosen: Chosen) -> str:
    """The same of the query set."""
    if chosen.queries is None or not _nameable(chosen):
        return ""
    name = st.session_state.get("query_sample")
    named = f"sample:{name}" if chosen.queries.origin == "sample" and name else "YOUR_QUERIES"
    return shlex.join(["--queries", named, *_encoder(chosen)])


def _nameable(chosen: Chosen) -> bool:
    """Whether the command line can have the same encoder: it has no option for edited prompts."""
    checkpoint = chosen.encoder.checkpoint
    return checkpoint is not None and checkpoint.prompts.source != "edited"


def _encoder(chosen: Chosen) -> list[str]:
    checkpoint = chosen.encoder.checkpoint
    if checkpoint is None:
        return []
    given = [] if checkpoint.source == PACKAGED else ["--encoder", checkpoint.source]
    return given if chosen.encoder.precision == "float32" else [*given, "--precision", chosen.encoder.precision]
