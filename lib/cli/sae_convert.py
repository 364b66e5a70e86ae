"""`python -m lib sae convert`: a dictionary from any format that can be read, written as SAELens' or this project's."""

import argparse
from pathlib import Path
from typing import Any

from lib.cli.inputs import add_json, write, writing
from lib.cli.opening import opened_sae
from lib.cli.sae_inputs import add_sae
from lib.errors import InputError
from lib.sae import SparseAutoencoder, save
from lib.sae.facts import about_sae
from lib.sae.formats import read_sae, write_saelens

_FORMATS = ("saelens", "embedscope")
_TRIED = 256


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("convert", help="write a sparse autoencoder in another format")
    add_sae(command)
    command.add_argument("--to", required=True, choices=_FORMATS, help="the format to write")
    command.add_argument("--out", required=True, metavar="DIR", help="where to write it: a new or an empty folder")
    command.add_argument("--half", action="store_true", help="of embedscope: float16, half the bytes, less exact")
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Read, write, read again, and tell how far the two are apart."""
    if chosen.half and chosen.to != "embedscope":
        raise InputError("--half is for --to embedscope; SAELens' files are written in float32: leave --half out.")
    folder = Path(chosen.out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and is no empty folder: name a new one.")
    opened = opened_sae(chosen.sae)
    with writing(chosen.out):
        if chosen.to == "saelens":
            write_saelens(opened.sae, folder)
        else:
            save(opened.sae, folder, half=chosen.half)
    again = read_sae(folder)
    write(
        {
            "sae": about_sae(opened),
            "written": {
                "folder": str(folder),
                "format": chosen.to,
                "bytes": sum(path.stat().st_size for path in folder.iterdir()),
                "key": again.key,
                "largest_difference": _largest_difference(opened.sae, again),
                "compared_on": f"{_TRIED} random vectors",
            },
        },
        chosen.json,
    )


def _largest_difference(sae: SparseAutoencoder, again: SparseAutoencoder) -> float:
    """The largest difference between coordinates of their reconstructions of random unit vectors."""
    import numpy as np

    vectors = np.random.default_rng(0).standard_normal((_TRIED, sae.dimensions), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return float(np.abs(sae.reconstruct(vectors) - again.reconstruct(vectors)).max())
