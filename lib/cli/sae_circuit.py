"""`python -m lib sae circuit`: a feature through the layers, and where features of a corpus are born."""

import argparse
from pathlib import Path
from typing import Any, get_args

from lib.cli.inputs import Source, check_seed, corpus_of, progress, write, writing
from lib.cli.sae_decompose import add_text_options
from lib.cli.sae_inputs import add_sae, sae_of
from lib.cli.sae_writers import add_writers, check_writers, writers_of
from lib.corpora import SAMPLE_NAMES, Corpus
from lib.corpora.facts import about
from lib.errors import InputError
from lib.kept import kept
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.births import BIRTH_RULE, LEAST, MOST_TEXTS, Births, births
from lib.sae.circuits.lens import Kind, Lens, check_lens, raw_lens
from lib.sae.circuits.lens_file import known_lens, load_lens, save_lens
from lib.sae.circuits.lens_fit import fit_lens, measure_lens
from lib.sae.circuits.shelved import births_inputs
from lib.sae.circuits.states import pooled_states
from lib.sae.circuits.trace import Trace, trace
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.facts import about_sae, label_of
from lib.sae.tokens import check_features
from lib.shelf import default_shelf


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("circuit", help="the layers at which a feature appears and grows")
    command.add_argument("--text", required=True, metavar="T", help="the text to follow through the layers")
    command.add_argument("--feature", required=True, type=int, metavar="N", help="the feature to follow")
    command.add_argument(
        "--lens", choices=get_args(Kind), default="tuned", help="how a layer is read as an output (default: tuned)"
    )
    command.add_argument("--lens-folder", metavar="DIR", help="a lens that --lens-out wrote")
    command.add_argument("--lens-out", metavar="DIR", help="write the lens that was used into this folder")
    command.add_argument(
        "--corpus", metavar="FILE",
        help="tell where the features of these texts are born, and fit the tuned lens on them where the encoder has "
        f"none: a file, or sample:{SAMPLE_NAMES[0]}",
    )  # fmt: skip
    command.add_argument("--column", metavar="COLUMN", help="column of the corpus's texts (default: guessed)")
    command.add_argument(
        "--least", type=int, default=LEAST, metavar="N", help=f"texts a judged feature fires on (default: {LEAST})"
    )
    command.add_argument(
        "--most-texts", type=int, default=MOST_TEXTS, metavar="N", help=f"of the corpus (default: {MOST_TEXTS:,})"
    )
    command.add_argument("--seed", type=int, default=0, help="of what is drawn from the corpus (default: 0)")
    add_writers(command)
    add_sae(command)
    add_text_options(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Follow and write; what can be refused at once is refused before anything is encoded."""
    check_seed(chosen.seed)
    for name, given in (("least", chosen.least), ("most-texts", chosen.most_texts)):
        if given < 1:
            raise InputError(f"--{name} is a number of texts of at least 1, got {given}.")
    check_writers(chosen)
    source = Source(chosen)
    opened = sae_of(chosen, source.checkpoint)
    check_features(opened.sae, [chosen.feature])
    raw_lens(source.checkpoint)  # refuses an encoder without layers
    corpus = _corpus(chosen)
    database = find_database(opened.folder, opened.sae)
    lens = _lens(chosen, source, opened.sae, corpus)
    if chosen.lens_out:
        with writing(chosen.lens_out):
            save_lens(lens, Path(chosen.lens_out))
    states = pooled_states(source.open(), [chosen.text], role=chosen.role)
    found = trace(opened.sae, lens, states, text=chosen.text, feature=chosen.feature)
    result = {
        "sae": about_sae(opened),
        "encoder": source.facts(),
        "role": chosen.role,
        "lens": _about_lens(lens),
        "trace": _written(found, database),
    }
    if chosen.writers:
        result["writers"] = writers_of(chosen, source, opened.sae, corpus)
    if corpus is not None:
        born = _births(chosen, source, opened.sae, (lens, corpus))
        result |= {"corpus": about(corpus), "births": _written_births(born, database)}
    write(result, chosen.json)


def _births(chosen: argparse.Namespace, source: Source, sae: SparseAutoencoder, read: tuple[Lens, Corpus]) -> Births:
    """From the shelf that the page shares, else made here."""
    lens, corpus = read
    options: dict[str, Any] = {
        "sae": sae, "lens": lens, "least": chosen.least, "most": chosen.most_texts, "role": chosen.role,
        "seed": chosen.seed,
    }  # fmt: skip
    return kept(
        Births,
        births_inputs(corpus.texts, source.checkpoint, precision=source.precision, **options),
        default_shelf(),
        lambda: births(source.open(), corpus.texts, progress=progress(corpus.name, doing="Following"), **options),
    )


def _corpus(chosen: argparse.Namespace) -> Corpus | None:
    if chosen.corpus is None:
        return None
    options = {"text": chosen.column, "label": None, "id": None, "embeddings": None}
    return corpus_of(chosen.corpus, argparse.Namespace(**vars(chosen) | options))


def _lens(chosen: argparse.Namespace, source: Source, sae: SparseAutoencoder, corpus: Corpus | None) -> Lens:
    """The lens in the folder given, else the one that ships, else one made on the corpus; raw needs none."""
    if chosen.lens_folder:
        given = load_lens(Path(chosen.lens_folder), chosen.lens)
        check_lens(given, source.checkpoint)
        return given
    known = known_lens(chosen.lens, source.checkpoint, sae)
    if known is not None:
        return known
    if chosen.lens == "raw" and corpus is None:
        return raw_lens(source.checkpoint)
    if corpus is None:
        raise InputError(
            f"No tuned lens ships for {source.checkpoint.source}: name a corpus to fit one on with --corpus, a lens "
            "with --lens-folder, or take --lens raw."
        )
    options: dict[str, Any] = {"sae": sae, "corpus": corpus.name, "role": chosen.role, "seed": chosen.seed}
    if chosen.lens == "raw":
        tell = progress(corpus.name, doing="Measuring the lens on")
        return measure_lens(raw_lens(source.checkpoint), source.open(), corpus.texts, progress=tell, **options)
    return fit_lens(source.open(), corpus.texts, progress=progress(corpus.name, doing="Fitting the lens on"), **options)


def _about_lens(lens: Lens) -> dict[str, Any]:
    return {name: value for name, value in lens.to_dict().items() if name not in ("maps", "offsets")}


def _written(found: Trace, database: FeatureDatabase | None) -> dict[str, Any]:
    """A trace as JSON values, the labels of its features beside them."""
    features = {found.feature, *(int(feature) for feature in found.coactive.flat if feature >= 0)}
    labels = {str(feature): label_of(database, feature) for feature in sorted(features)}
    return found.to_dict() | {"peak_depth": found.depths[found.peak], "labels": labels}


def _written_births(found: Births, database: FeatureDatabase | None) -> dict[str, Any]:
    labels = [label_of(database, feature) for feature in found.features.tolist()]
    return found.to_dict() | {"labels": labels, "birth_rule": BIRTH_RULE}
