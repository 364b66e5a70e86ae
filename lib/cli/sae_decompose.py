"""`python -m lib sae decompose`: the features that texts are made of, and the tokens that fire them."""

import argparse
from typing import Any, get_args

from lib.cli.inputs import Source, add_encoder, add_json, write
from lib.cli.sae_inputs import add_sae, sae_of
from lib.encoders import Role
from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.database import find_database
from lib.sae.decomposition import decompose
from lib.sae.facts import about_sae, decomposition_facts
from lib.sae.tokens import token_shares


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("decompose", help="the features that a text is made of")
    command.add_argument("--text", required=True, action="append", metavar="T", help="a text; may be given repeatedly")
    command.add_argument(
        "--feature",
        type=int,
        action="append",
        default=[],
        metavar="F",
        help="tell how much each token fires this feature; may be given repeatedly",
    )
    command.add_argument("--top", type=int, metavar="N", help="write only the N strongest features (default: all)")
    add_sae(command)
    add_text_options(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Take the texts apart and write."""
    if chosen.top is not None and chosen.top < 1:
        raise InputError(f"--top is a number of features of at least 1, got {chosen.top}.")
    source = Source(chosen)
    opened = sae_of(chosen, source.checkpoint)
    database = find_database(opened.folder, opened.sae)
    made = source.open().encode(chosen.text, role=chosen.role)
    texts = []
    for row, text in enumerate(chosen.text):
        found = {
            "text": text,
            "truncated": bool(made.truncated_mask[row]),
            **decomposition_facts(decompose(opened.sae, made.vectors[row]), database, chosen.top),
        }
        if chosen.feature:
            found["tokens"] = _tokens(source, opened.sae, text, chosen)
        texts.append(found)
    write({"sae": about_sae(opened), "encoder": source.facts(), "role": chosen.role, "texts": texts}, chosen.json)


def add_text_options(command: argparse.ArgumentParser) -> None:
    """How texts that are typed become vectors, and where the result goes."""
    add_encoder(command)
    command.add_argument(
        "--role",
        choices=get_args(Role),
        default="document",
        help="whose prompt stands before texts (default: document)",
    )
    add_json(command)


def _tokens(source: Source, sae: SparseAutoencoder, text: str, chosen: argparse.Namespace) -> dict[str, Any]:
    shares = token_shares(source.open(), sae, text, features=chosen.feature, role=chosen.role)
    return shares.to_dict()
