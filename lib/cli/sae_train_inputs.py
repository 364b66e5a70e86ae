"""What `python -m lib sae train` trains on: a corpus that is embedded by way of the store, or an array on disk."""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.cli.inputs import Source, corpus_of
from lib.cli.sae_train_watch import Watch
from lib.corpora import QUERY_SET_NAMES, SAMPLE_NAMES, Corpus
from lib.encoders import PACKAGED, precisions_available
from lib.errors import InputError

_HASHED_AT_ONCE = 2**24


@dataclass(frozen=True, eq=False)
class Material:
    """Vectors to train on, and where they come from."""

    vectors: NDArray[np.floating]
    """Shape (m, d); may be mapped from disk."""
    groups: NDArray[np.integer] | None
    """Rows with the same number stay on one side of the held-out split, shape (m,)."""
    encoder: str | None
    """What made them; None where nobody said."""
    fingerprint: str | None
    """Its fingerprint."""
    trained_on: dict[str, Any]
    """What the files will say of them: name, key, texts, precision."""
    source: Source | None
    """The encoder, where it is needed for queries."""


def add_material(command: argparse.ArgumentParser) -> None:
    """Options that say what is trained on."""
    group = command.add_argument_group("the texts")
    what = group.add_mutually_exclusive_group(required=True)
    what.add_argument("--corpus", metavar="FILE", help=f"a file of texts, or sample:{' or sample:'.join(SAMPLE_NAMES)}")
    what.add_argument("--embeddings", metavar="NPY", help="vectors, one row a text; read from disk as they are needed")
    for name in ("text", "id"):
        group.add_argument(f"--{name}", metavar="COLUMN", help=f"column of the {name}s (default: guessed)")
    group.add_argument(
        "--group", metavar="COLUMN", help="texts with the same value here are held out together, such as those of "
        "one document (default: equal texts)",
    )  # fmt: skip
    group.add_argument("--groups", metavar="NPY", help="the same beside --embeddings: a whole number a row")
    group.add_argument(
        "--encoder",
        metavar="E",
        help="hub id or folder (default: the packaged one); beside --embeddings, what made them",
    )
    group.add_argument("--precision", choices=precisions_available(), default="float32")
    group.add_argument(
        "--about",
        metavar="JSON",
        help="beside --embeddings: a file that says encoder, fingerprint, name, key, precision",
    )
    group.add_argument(
        "--queries", nargs="+", default=[], metavar="FILE|DIR",
        help="query sets, on which is measured how much of NDCG@10 is kept by reconstructions: files, folders, or "
        f"sample:{' or sample:'.join(QUERY_SET_NAMES)}",
    )  # fmt: skip


def material_of(chosen: argparse.Namespace, watch: Watch) -> Material:
    """The vectors that the options name.

    Raises:
        InputError: what is wrong with them, or options that do not go together.
    """
    for name, other in (("about", "embeddings"), ("groups", "embeddings"), ("group", "corpus")):
        if getattr(chosen, name) is not None and getattr(chosen, other) is None:
            raise InputError(f"--{name} goes with --{other}: give that, or leave --{name} out.")
    return _of_corpus(chosen, watch) if chosen.corpus else _of_array(chosen)


def _of_corpus(chosen: argparse.Namespace, watch: Watch) -> Material:
    corpus = corpus_of(chosen.corpus, argparse.Namespace(**vars(chosen) | {"label": chosen.group, "embeddings": None}))
    vectors, source = corpus.embeddings, None
    about: dict[str, Any] = {"name": corpus.name, "key": corpus.key, "texts": len(corpus)}
    if vectors is None:
        source = Source(chosen, chosen.encoder or PACKAGED)
        watch.doing(f"encoding {len(corpus):,} texts")
        vectors = source.embed(corpus.texts, corpus.name).vectors
        about["precision"] = chosen.precision
    made_by = None if source is None else source.checkpoint
    return Material(
        vectors,
        _groups(corpus, by_label=chosen.group is not None),
        made_by.source if made_by else None,
        made_by.fingerprint if made_by else None,
        about,
        source,
    )


def _groups(corpus: Corpus, *, by_label: bool) -> NDArray[np.int64] | None:
    """A number a text; equal for equal texts, and with `by_label` for texts of the same label."""
    if by_label:
        labels = corpus.labels or [None] * len(corpus)
        names = [
            f"g{label}" if label is not None else f"t{text}" for label, text in zip(labels, corpus.texts, strict=True)
        ]
    elif corpus.duplicates:
        names = list(corpus.texts)
    else:
        return None
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _of_array(chosen: argparse.Namespace) -> Material:
    path = Path(chosen.embeddings)
    vectors = _mapped(path)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or 0 in vectors.shape:
        raise InputError(
            f"{path.name}: expected float numbers of shape (texts, dimensions), got {vectors.dtype} of shape "
            f"{vectors.shape}."
        )
    told = _told(chosen)
    source = Source(chosen, chosen.encoder) if chosen.encoder else None
    if source is not None and source.checkpoint.dimensions != vectors.shape[1]:
        raise InputError(
            f"{path.name} has vectors of {vectors.shape[1]} dimensions and {chosen.encoder} makes "
            f"{source.checkpoint.dimensions}: name the encoder that made them."
        )
    if source is not None and told.get("fingerprint") not in (None, source.checkpoint.fingerprint):
        raise InputError(
            f"{Path(chosen.about).name} says that another encoder than {chosen.encoder} made the embeddings, or the "
            "same with other prompts: name that one, or leave --encoder and --queries out."
        )
    about = {
        "name": told.get("name") or path.name,
        "key": told.get("key") or _hash(path),
        "texts": len(vectors),
        "precision": told.get("precision"),
    }
    return Material(
        vectors,
        None if chosen.groups is None else _given_groups(Path(chosen.groups), len(vectors)),
        source.checkpoint.source if source else told.get("encoder"),
        source.checkpoint.fingerprint if source else told.get("fingerprint"),
        {name: value for name, value in about.items() if value is not None},
        source,
    )


def _mapped(path: Path) -> NDArray[Any]:
    """The array of the file, mapped into memory."""
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist.") from None
    except (ValueError, OSError, EOFError) as fault:
        raise InputError(f"{path.name} is no array that numpy.save wrote ({fault}).") from None
    if not isinstance(found, np.ndarray):
        raise InputError(f"{path.name}: expected one array (.npy), got an archive: save the array with numpy.save.")
    return found


def _given_groups(path: Path, texts: int) -> NDArray[np.integer]:
    groups = _mapped(path)
    if groups.shape != (texts,) or groups.dtype.kind not in "iu":
        raise InputError(
            f"{path.name}: expected a whole number for each of the {texts:,} vectors, got {groups.dtype} of shape "
            f"{groups.shape}."
        )
    return groups


def _told(chosen: argparse.Namespace) -> dict[str, Any]:
    if chosen.about is None:
        return {}
    path = Path(chosen.about)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist.") from None
    except (ValueError, OSError) as fault:
        raise InputError(f"{path.name} is not valid JSON ({fault}).") from None
    if not isinstance(found, dict) or not all(value is None or isinstance(value, str) for value in found.values()):
        raise InputError(f"{path.name}: expected a JSON object of texts, such as encoder, fingerprint, name and key.")
    return found


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_HASHED_AT_ONCE):
            digest.update(part)
    return digest.hexdigest()
