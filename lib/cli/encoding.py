"""`python -m lib encode|encoder|samples`: vectors of a corpus, facts of an encoder, what ships beside the samples."""

import argparse
from pathlib import Path
from typing import Any

from lib.cli.inputs import add_corpus, add_json, corpus_of, progress, vectors_of, write, writing
from lib.cli.opening import described
from lib.corpora.facts import about
from lib.encoders import PACKAGED
from lib.encoders.facts import facts


def add(commands: Any) -> None:
    """The commands and their options."""
    encode = commands.add_parser("encode", help="embed a corpus and write its vectors as .npy")
    add_corpus(encode)
    encode.add_argument("--npy", metavar="OUT", required=True, help="where to write the vectors, float32")
    encode.set_defaults(run=_encode)

    encoder = commands.add_parser("encoder", help="describe an encoder without running it")
    encoder.add_argument("--encoder", default=PACKAGED, metavar="E")
    add_json(encoder)
    encoder.set_defaults(run=_encoder)

    samples = commands.add_parser("samples", help="compute again what ships in sample_data/")
    samples.set_defaults(run=_samples)


def _encode(chosen: argparse.Namespace) -> None:
    import numpy as np

    corpus = corpus_of(chosen.corpus, chosen)
    vectors, made_by = vectors_of(corpus, chosen)
    with writing(chosen.npy), Path(chosen.npy).open("wb") as file:
        np.save(file, np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    write({"corpus": about(corpus), "encoder": made_by, "shape": list(vectors.shape)}, chosen.json)


def _encoder(chosen: argparse.Namespace) -> None:
    write(facts(described(chosen.encoder)), chosen.json)


def _samples(_chosen: argparse.Namespace) -> None:
    from lib.samples import build

    build(progress("sample texts"))
