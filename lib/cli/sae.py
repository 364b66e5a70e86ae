"""`python -m lib sae ...`: the headless twin of every page about features; a module a command."""

from importlib import import_module
from typing import Any

_COMMANDS = (
    "train",
    "evaluate",
    "decompose",
    "contrast",
    "features",
    "diagnose",
    "network",
    "circuit",
    "faithfulness",
    "match",
    "steer",
    "convert",
)


def add(commands: Any) -> None:
    """The commands and their options."""
    sae = commands.add_parser("sae", help="a sparse autoencoder: train it, take texts apart, browse and check features")
    below = sae.add_subparsers(required=True, metavar="COMMAND")
    for name in _COMMANDS:
        import_module(f"lib.cli.sae_{name}").add(below)
