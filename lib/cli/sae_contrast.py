"""`python -m lib sae contrast`: two texts feature by feature, and what makes up their cosine."""

import argparse
from typing import Any

from lib.cli.inputs import Source, write
from lib.cli.sae_decompose import add_text_options
from lib.cli.sae_inputs import add_sae, sae_of
from lib.errors import InputError
from lib.sae.database import find_database
from lib.sae.decomposition import TWICE, contrast
from lib.sae.facts import about_sae, contrast_facts


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("contrast", help="what two texts share, and what not, feature by feature")
    command.add_argument("--text", required=True, action="append", metavar="T", help="A; given again: B")
    command.add_argument("--shared", action="store_true", help="write features as well that do not differ")
    command.add_argument(
        "--times",
        type=float,
        default=TWICE,
        metavar="X",
        help="a feature of both texts differs from X times as strong on (default: 2)",
    )
    add_sae(command)
    add_text_options(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Set the two texts side by side and write."""
    if len(chosen.text) != 2:
        raise InputError(f"A contrast takes two texts, --text A --text B; got {len(chosen.text)}.")
    if not chosen.times > 1:
        raise InputError(f"--times is a factor above 1, got {chosen.times:g}.")
    source = Source(chosen)
    opened = sae_of(chosen, source.checkpoint)
    made = source.open().encode(chosen.text, role=chosen.role)
    result = contrast(opened.sae, made.vectors[0], made.vectors[1])
    database = find_database(opened.folder, opened.sae)
    facts = {"sae": about_sae(opened), "encoder": source.facts(), "role": chosen.role}
    texts = {"a": chosen.text[0], "b": chosen.text[1], "truncated": made.truncated_mask.tolist()}
    write(facts | texts | contrast_facts(result, database, times=chosen.times, shared=chosen.shared), chosen.json)
