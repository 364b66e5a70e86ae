"""`python -m lib sae circuit --writers`: which parts of the encoder write a feature, in a text and over a corpus."""

import argparse
from typing import Any, get_args

import numpy as np

from lib.cli.inputs import Source, progress
from lib.corpora import Corpus
from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.background import Background, background
from lib.sae.circuits.corpus_writers import MOST, MOST_LEFT_OUT, corpus_writers
from lib.sae.circuits.writers import Replacement, writers


def add_writers(command: argparse.ArgumentParser) -> None:
    """The options."""
    command.add_argument(
        "--writers", action="store_true",
        help="tell what each layer's attention and feed-forward part writes of the feature, directly and when left "
        "out: in the text, and with --corpus beside the corpus and over its texts on which the feature fires",
    )  # fmt: skip
    command.add_argument(
        "--replacement", choices=get_args(Replacement),
        help="with --writers: what takes the place of a part that is left out, nothing or its mean output over "
        "--corpus (default: zero)",
    )  # fmt: skip
    command.add_argument(
        "--writers-texts", type=int, metavar="N",
        help=f"with --writers: texts of the corpus whose direct terms are averaged, of either kind (default: {MOST}); "
        f"parts are left out of at most {MOST_LEFT_OUT} of them",
    )  # fmt: skip


def check_writers(chosen: argparse.Namespace) -> None:
    """Refuse what can be refused at once.

    Raises:
        InputError: options that need others, or a limit out of range.
    """
    for name, given in (("replacement", chosen.replacement), ("writers-texts", chosen.writers_texts)):
        if given is not None and not chosen.writers:
            raise InputError(f"--{name} says how writers are measured: give --writers too.")
    if chosen.replacement == "mean" and chosen.corpus is None:
        raise InputError("--replacement mean takes the means of a corpus: name one with --corpus.")
    if chosen.writers_texts is not None and chosen.writers_texts < 1:
        raise InputError(f"--writers-texts is a number of texts of at least 1, got {chosen.writers_texts}.")


def writers_of(
    chosen: argparse.Namespace, source: Source, sae: SparseAutoencoder, corpus: Corpus | None
) -> dict[str, Any]:
    """What writes the feature, as JSON values; what needs a corpus is None without one.

    Raises:
        InputError: an encoder whose parts cannot be told.
    """
    feature, replacement = chosen.feature, chosen.replacement or "zero"
    settings: dict[str, Any] = {"feature": feature, "role": chosen.role}
    beside: Background | None = None
    if corpus is not None:
        beside = background(
            source.open(), sae, corpus.texts, seed=chosen.seed, **settings,
            progress=progress(corpus.name, doing="Following parts through"),
        )  # fmt: skip
    settings |= {"beside": beside, "replacement": replacement}
    found: dict[str, Any] = {
        "in_text": writers(source.open(), sae, chosen.text, **settings).to_dict(),
        "background": None,
        "over_texts": None,
        "fires_on": None,
    }
    if corpus is None or beside is None:
        return found
    made = source.embed(corpus.texts, corpus.name, role=chosen.role)
    rows, _ = sae.encode(made.vectors).firing(feature)
    fires = np.zeros(len(corpus), dtype=bool)
    fires[rows] = True
    kept = {name: value for name, value in beside.to_dict().items() if name != "mean_outputs"}
    found |= {"background": kept, "fires_on": len(rows)}
    if len(rows):
        most = chosen.writers_texts or MOST
        over = corpus_writers(
            source.open(), sae, corpus.texts, fires=fires, most=most, seed=chosen.seed, **settings,
            progress=progress(corpus.name, doing="Leaving parts out of"),
        )  # fmt: skip
        found["over_texts"] = over.to_dict()
    return found
