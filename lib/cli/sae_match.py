"""`python -m lib sae match`: which features of one dictionary return in another of the same space."""

import argparse
from typing import Any

from lib.cli.inputs import add_json, check_seed, progress, write
from lib.cli.sae_inputs import about_sae, add_sae, open_source
from lib.errors import InputError
from lib.sae.matching import SHARED, match_features
from lib.sae.sources import OpenedSae


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("match", help="match the features of two dictionaries by decoder cosine")
    add_sae(command)
    command.add_argument("--other", required=True, metavar="SOURCE", help="the dictionary to match it with")
    command.add_argument(
        "--threshold", type=float, default=SHARED, metavar="C", help=f"cosine of a shared feature (default: {SHARED})"
    )
    command.add_argument("--seed", type=int, default=0, help="of the random directions beside it (default: 0)")
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Match and write."""
    check_seed(chosen.seed)
    one, other = open_source(chosen.sae), open_source(chosen.other)
    _check_space(one, other)
    found = match_features(
        one.sae,
        other.sae,
        threshold=chosen.threshold,
        seed=chosen.seed,
        progress=progress("features", doing="Comparing"),
    )
    write({"sae": about_sae(one), "other": about_sae(other), "matching": found.to_dict()}, chosen.json)


def _check_space(one: OpenedSae, other: OpenedSae) -> None:
    """Refuse dictionaries for the vectors of two encoders, where both name theirs."""
    ours, theirs = one.sae.about.fingerprint, other.sae.about.fingerprint
    if ours and theirs and ours != theirs:
        names = " and ".join(opened.sae.about.encoder or opened.source for opened in (one, other))
        raise InputError(
            f"These dictionaries take the vectors of two encoders apart ({names}, fingerprints {ours[:12]} and "
            f"{theirs[:12]}): their directions cannot be compared; name two of one encoder."
        )
