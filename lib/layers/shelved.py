"""What a build-up depends on: with it, a shelf finds one that was made before."""

from typing import Any

from lib.corpora import Corpus
from lib.embeddings import space_of
from lib.encoders import Checkpoint, Precision

_VERSION = 1
"""Raised when the same texts, encoder and settings would give another build-up than before."""


def build_up_inputs(
    corpus: Corpus, checkpoint: Checkpoint, *, precision: Precision, most_texts: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Inputs of `lib.shelf.Shelf` for `layer_build_up` of a corpus with its labels, as documents, at most `most_texts`.

    A limit that the corpus does not reach counts as none.
    """
    return {
        "corpus": corpus.key,
        "space": space_of(checkpoint, role="document", precision=precision),
        "version": _VERSION,
        "most_texts": most_texts if most_texts is not None and most_texts < len(corpus) else None,
        "seed": seed,
    }
