"""Which sparse autoencoder a command takes apart with, and whether it belongs to the encoder."""

import argparse
from typing import Any, NamedTuple

from lib.cli.inputs import corpus_of, progress, vectors_of
from lib.cli.opening import described, opened_sae
from lib.corpora import Corpus
from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.sae import Codes, check_fit
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.sources import PACKAGED_SAE, OpenedSae


def add_sae(command: argparse._ActionsContainer) -> None:
    """The option that says which dictionary."""
    command.add_argument(
        "--sae",
        default=PACKAGED_SAE,
        metavar="SOURCE",
        help="a folder with a sparse autoencoder, a hub id (owner/name or owner/name/folder), or run:NAME "
        f"(default: {PACKAGED_SAE}, the one for the packaged encoder)",
    )


def sae_of(chosen: argparse.Namespace, checkpoint: Checkpoint | None, width: int | None = None) -> OpenedSae:
    """The dictionary that `--sae` names, held against the encoder, or where there is none against the vectors' width.

    Raises:
        InputError: it cannot be opened, or is for another encoder or for vectors of another width.
    """
    opened = opened_sae(chosen.sae)
    if checkpoint is not None:
        check_fit(opened.sae, checkpoint)
    elif width is not None and width != opened.sae.dimensions:
        raise InputError(
            f"{opened.sae.about.name} takes vectors of {opened.sae.dimensions} dimensions apart, and the embeddings "
            f"given have {width}: choose the SAE that was trained on their encoder."
        )
    return opened


class TakenApart(NamedTuple):
    """A corpus and what its texts are made of."""

    corpus: Corpus
    """The texts."""
    opened: OpenedSae
    """The dictionary."""
    database: FeatureDatabase | None
    """What is known of its features."""
    vectors: Any
    """The texts' embeddings, shape (n, d)."""
    made_by: dict[str, Any]
    """What made them, as reported."""
    codes: Codes
    """Which features fire on them."""


def taken_apart(chosen: argparse.Namespace) -> TakenApart:
    """The corpus that the options name, through the dictionary that they name; the fit is checked before encoding.

    Raises:
        InputError: one of them cannot be read, or they do not belong together.
    """
    corpus = corpus_of(chosen.corpus, chosen)
    given = corpus.embeddings
    checkpoint = described(chosen.encoder) if given is None else None
    opened = sae_of(chosen, checkpoint, None if given is None else given.shape[1])
    vectors, made_by = vectors_of(corpus, chosen)
    codes = opened.sae.encode(vectors, progress=progress(corpus.name, doing="Taking apart"))
    return TakenApart(corpus, opened, find_database(opened.folder, opened.sae), vectors, made_by, codes)
