"""Workbench: the encoders, dictionaries and texts that calls share; opened once, few at a time, within the roots."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from lib.agents.roots import Roots
from lib.corpora import (
    Corpus,
    Limits,
    QuerySet,
    load_query_set,
    load_sample,
    read_corpus,
    read_query_set,
)
from lib.embeddings import Embeddings, embed
from lib.encoders import Checkpoint, Encoder, Policy, Precision, Role, open_encoder
from lib.encoders.files import stray_link
from lib.errors import InputError
from lib.finetune.sources import describe_any
from lib.progress import Progress
from lib.sae import Codes, check_fit
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.sources import OpenedSae, open_sae
from lib.store import default_store

T = TypeVar("T")

SAMPLE = "sample:"
"""What the name of a set that ships begins with."""
FEWEST = 3
"""Texts that can be measured."""
_MOST_FILE_BYTES = 50_000_000
_MOST_LOOKED_AT = 1_000  # files of a folder
_KEPT = {"encoder": 2, "sae": 2, "codes": 3, "corpus": 6, "queries": 4, "found": 4}


class Kept:
    """A few things of each kind; the one that was not asked for longest goes first. Made once, while others wait."""

    def __init__(self) -> None:
        self._held: dict[str, OrderedDict[Hashable, Any]] = {kind: OrderedDict() for kind in _KEPT}
        self._lock = threading.RLock()

    def get(self, kind: str, key: Hashable, make: Callable[[], T]) -> T:
        """What is held under `key`, else made now."""
        with self._lock:
            held = self._held[kind]
            if key not in held:
                while len(held) >= _KEPT[kind]:  # before the new one: two large encoders never lie beside a third
                    held.popitem(last=False)
                held[key] = make()
            held.move_to_end(key)
            made: T = held[key]
            return made

    def held(self, kind: str) -> list[Hashable]:
        """Keys of what is held."""
        with self._lock:
            return list(self._held[kind])


@dataclass(frozen=True)
class TakenApart:
    """A corpus through a dictionary."""

    corpus: Corpus
    """The texts."""
    opened: OpenedSae
    """The dictionary."""
    database: FeatureDatabase | None
    """What is known of its features."""
    vectors: Any
    """Embeddings of the texts, shape (n, d)."""
    codes: Codes
    """Which features fire on them."""


@dataclass
class Workbench:
    """What calls share."""

    roots: Roots = field(default_factory=Roots)
    """Where files may lie."""
    kept: Kept = field(default_factory=Kept)
    """What is open."""
    busy: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one heavy call that runs."""

    @property
    def policy(self) -> Policy:
        """What encoders and dictionaries may be opened from: the owner's policy and the roots; no code, whatever."""
        own = Policy.from_environment()
        return replace(own, model_roots=(*own.model_roots, *self.roots.folders), allow_remote_code=False)

    def checkpoint(self, source: str) -> Checkpoint:
        """The encoder that `source` names, described; none is loaded."""
        return describe_any(source, policy=self.policy)

    def encoder(self, checkpoint: Checkpoint, precision: Precision = "float32") -> Encoder:
        """The encoder, loaded once."""
        key = (checkpoint.content, precision)
        made = self.kept.get("encoder", key, lambda: open_encoder(checkpoint, policy=self.policy, precision=precision))
        return made.under(checkpoint)

    def sae(self, source: str, checkpoint: Checkpoint | None = None) -> tuple[OpenedSae, FeatureDatabase | None]:
        """The dictionary that `source` names, held against the encoder, and what is known of its features."""

        def opened() -> tuple[OpenedSae, FeatureDatabase | None]:
            found = open_sae(source, policy=self.policy)
            return found, find_database(found.folder, found.sae)

        made = self.kept.get("sae", source.strip(), opened)
        if checkpoint is not None:
            check_fit(made[0].sae, checkpoint)
        return made

    def corpus(self, source: str | Sequence[str], *, fewest: int = FEWEST) -> Corpus:
        """The corpus that `source` names (a sample, a file below the roots), or that it is (a list of texts).

        Raises:
            InputError: it cannot be read, holds fewer than `fewest` texts, or brings embeddings of its own.
        """
        key = self._as_it_is(source) if isinstance(source, str) else tuple(source)
        made = self.kept.get("corpus", key, lambda: self._read(source))
        if len(made) < fewest:
            raise InputError(f"This takes at least {fewest} texts, and {made.name} has {len(made)}: give more.")
        if made.embeddings is not None:
            raise InputError(
                f"{made.name} brings embeddings of its own, which no encoder here can be asked about: leave its column "
                "of vectors out."
            )
        return made

    def queries(self, source: str) -> QuerySet:
        """The query set that `source` names: a sample, or a file or BEIR folder below the roots."""
        return self.kept.get("queries", self._as_it_is(source), lambda: self._read_queries(source))

    def embed(
        self, texts: Sequence[str], checkpoint: Checkpoint, *, role: Role = "document", tell: Progress | None = None
    ) -> Embeddings:
        """Their embeddings, by way of the store."""
        return embed(texts, checkpoint, lambda: self.encoder(checkpoint), default_store(), role=role, progress=tell)

    def taken_apart(
        self, corpus: str | Sequence[str], encoder: str, sae: str, *, tell: Progress | None = None
    ) -> TakenApart:
        """A corpus in an encoder's space through a dictionary; the fit is checked before anything is encoded."""
        checkpoint = self.checkpoint(encoder)
        opened, database = self.sae(sae, checkpoint)
        read = self.corpus(corpus, fewest=1)
        made = self.embed(read.texts, checkpoint, tell=tell)
        codes = self.kept.get("codes", (opened.sae.key, made.key), lambda: opened.sae.encode(made.vectors))
        return TakenApart(read, opened, database, made.vectors, codes)

    def _as_it_is(self, source: str) -> Hashable:
        """A key of what `source` names that changes with its files, which may be edited between two calls."""
        if source.startswith(SAMPLE):
            return source
        path = self.roots.find(source)
        files = [path, *sorted(path.glob("*")), *sorted(path.glob("qrels/*"))] if path.is_dir() else [path]
        return (str(path), *((file.name, *_stamp(file)) for file in files[:_MOST_LOOKED_AT]))

    def _read(self, source: str | Sequence[str]) -> Corpus:
        limits = _limits()
        if not isinstance(source, str):
            lines = "\n".join(json.dumps({"text": text}, ensure_ascii=True) for text in source)
            return read_corpus(lines.encode(), name="texts.jsonl", limits=limits)
        if source.startswith(SAMPLE):
            return load_sample(source.removeprefix(SAMPLE))
        return read_corpus(self.roots.find(source), limits=limits)

    def _read_queries(self, source: str) -> QuerySet:
        if source.startswith(SAMPLE):
            return load_query_set(source.removeprefix(SAMPLE))
        path = self.roots.find(source)
        stray = stray_link(path, self.roots.folders) if path.is_dir() else None
        if stray is not None:
            raise InputError(f"{stray.name} of {path.name} is a link that leads out of this server's roots.")
        return read_query_set(path, limits=_limits())


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:  # it went meanwhile
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _limits() -> Limits:
    own = Limits.from_environment()
    return replace(own, max_bytes=min(own.max_bytes, _MOST_FILE_BYTES))
