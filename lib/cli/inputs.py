"""What the commands share: reading a corpus, embedding it, saying what was used, writing JSON."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib import tables
from lib.cli.opening import described, policy_of
from lib.corpora import SAMPLE_NAMES, ColumnChoice, Corpus, Limits, build_corpus, guess_columns, load_sample, read_table
from lib.corpora import read_vectors as read_npy
from lib.embeddings import Embeddings, embed
from lib.encoders import (
    PACKAGED,
    Checkpoint,
    Encoder,
    Precision,
    Role,
    open_encoder,
    precisions_available,
)
from lib.encoders.facts import facts
from lib.errors import InputError
from lib.progress import Progress
from lib.store import default_store

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
"""Texts that can be measured."""


def check_seed(seed: int) -> None:
    """Refuse a seed that no generator takes.

    Raises:
        InputError: below 0, or 2 ** 32 and above.
    """
    if not 0 <= seed < 2**32:
        raise InputError(f"A seed is a whole number from 0 to {2**32 - 1}, got {seed}.")


def add_encoder(command: argparse._ActionsContainer) -> None:
    """Options that say which encoder, at which precision."""
    command.add_argument(
        "--encoder", default=PACKAGED, metavar="E", help="hub id or folder (default: the packaged one)"
    )
    command.add_argument("--precision", choices=precisions_available(), default="float32")


def add_corpus(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Options that say which corpus, in which encoder's space."""
    samples = " or sample:".join(SAMPLE_NAMES)
    command.add_argument("--corpus", required=required, metavar="FILE", help=f"a file of texts, or sample:{samples}")
    add_encoder(command)
    command.add_argument(
        "--embeddings", metavar="NPY", help="precomputed embeddings, one row a text; no encoder is used"
    )
    for what in ("text", "label", "id"):
        command.add_argument(f"--{what}", metavar="COLUMN", help=f"column of the {what}s (default: guessed)")
    add_json(command)


def add_json(command: argparse.ArgumentParser) -> None:
    """Where the result goes."""
    command.add_argument("--json", metavar="OUT", default="-", help="where to write the result (default: stdout)")


def corpus_of(source: str, chosen: argparse.Namespace, *, reference: bool = False) -> Corpus:
    """The corpus that `source` names: a file, or a sample set."""
    if source.startswith("sample:"):
        return load_sample(source.removeprefix("sample:"), label=chosen.label or "label")
    limits = Limits.from_environment()
    table = read_table(Path(source), limits=limits)
    guess = guess_columns(table)
    label = chosen.label
    if not reference and getattr(chosen, "reference", None) and label not in table.frame.columns:
        label = None  # it names a column of the reference, whose labels are the ones that judge
    text = chosen.text or guess.text
    guessed = {what: name for what, name in (("label", guess.label), ("id", guess.id)) if name not in (text, label)}
    choice = ColumnChoice(text, label or guessed.get("label"), chosen.id or guessed.get("id"), guess.vector)
    given = not reference and chosen.embeddings
    vectors = read_npy(Path(chosen.embeddings), limits=limits) if given else None
    return build_corpus(table, choice, limits=limits, embeddings=vectors)


class Source:
    """The encoder that the options name, or another: described at once, opened when it is first needed."""

    def __init__(self, chosen: argparse.Namespace, encoder: str | None = None) -> None:
        named: str = chosen.encoder if encoder is None else encoder
        self.policy = policy_of(named)
        self.precision: Precision = chosen.precision
        self.checkpoint = described(named)
        self._opened: Encoder | None = None

    def open(self) -> Encoder:
        """The encoder, opened once."""
        if self._opened is None:
            self._opened = open_encoder(self.checkpoint, policy=self.policy, precision=self.precision)
        return self._opened

    def embed(
        self, texts: Sequence[str], what: str, *, role: Role = "document", under: Checkpoint | None = None
    ) -> Embeddings:
        """Their embeddings, by way of the store, with the prompts of `under`; progress names them `what`."""
        of, tell = under or self.checkpoint, progress(what)
        return embed(
            texts,
            of,
            lambda: self.open().under(of),
            default_store(),
            role=role,
            precision=self.precision,
            progress=tell,
        )

    def facts(self) -> dict[str, Any]:
        """What is reported of it."""
        return facts(self.checkpoint) | {"precision": self.precision}


def vectors_of(corpus: Corpus, chosen: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Embeddings (n, d), and what made them."""
    if corpus.embeddings is not None:
        return corpus.embeddings, {"source": "precomputed", "vectors_key": corpus.key}
    source = Source(chosen)
    made = source.embed(corpus.texts, corpus.name)
    counts = {"encoded_now": made.encoded, "truncated": made.truncated, "vectors_key": made.key}
    return made.vectors, source.facts() | counts


def progress(what: str, *, doing: str = "Encoding") -> Progress:
    """A line on stderr that counts, rewritten in place on a terminal and quiet elsewhere until the end."""

    def tell(done: int, of: int) -> None:
        line = f"{doing} {what}: {done:,} of {of:,}"
        if sys.stderr.isatty():
            print(f"\r{line}", end="\n" if done == of else "", file=sys.stderr, flush=True)
        elif done == of:
            print(line, file=sys.stderr)

    return tell


def write(result: dict[str, Any], out: str) -> None:
    """Write `result` as JSON to the file `out`, or to stdout where that is "-"."""
    write_text(json.dumps(result, indent=1, allow_nan=False, ensure_ascii=False) + "\n", out)


def write_text(text: str, out: str) -> None:
    """Write `text` to the file `out`, or to stdout where that is "-".

    Raises:
        InputError: the file cannot be written.
    """
    if out == "-":
        sys.stdout.write(text)
        return
    with writing(out):
        Path(out).write_text(text, encoding="utf-8")


def check_suffix(out: str, *suffixes: str) -> None:
    """Refuse the name of a file to write that ends in none of `suffixes`.

    Raises:
        InputError: it does not.
    """
    suffix = Path(out).suffix.lower()
    if suffix not in suffixes:
        expected = " or ".join(suffixes)
        raise InputError(f"{out}: expected a file name that ends in {expected}, got {suffix or 'no suffix'!r}.")


def write_table(table: "pd.DataFrame", out: str) -> None:
    """Write `table` as .csv (safe from formulas: `lib.tables`) or .parquet, as `out` ends.

    Raises:
        InputError: the file cannot be written.
    """
    with writing(out):
        tables.write(table, Path(out))


@contextmanager
def writing(out: str) -> Iterator[None]:
    """Say in one sentence why the file `out` cannot be written.

    Raises:
        InputError: it cannot.
    """
    try:
        yield
    except OSError as fault:
        raise InputError(f"{out} cannot be written: {fault.strerror}.") from None
