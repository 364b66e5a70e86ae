"""The command line: the same functions as the pages, JSON out.

Progress goes to stderr. Bad input is one sentence on stderr and exit status 2.
"""

import argparse
import sys
from collections.abc import Sequence

from lib.cli import (
    diff,
    diff_concepts,
    encoding,
    finetune,
    geometry,
    layers,
    mcp,
    overview,
    report,
    retrieval,
    sae,
    settings,
)
from lib.errors import InputError, Stopped

_BAD_INPUT = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 an assertion fails, 2 bad input, 130 interrupted."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen) or 0
    except InputError as fault:
        print(fault, file=sys.stderr)
        return _BAD_INPUT
    except (KeyboardInterrupt, Stopped) as stop:
        print(str(stop) or "Stopped. What was encoded is kept.", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib", description="Embedscope without its pages: JSON out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        overview,
        geometry,
        layers,
        retrieval,
        finetune,
        diff,
        diff_concepts,
        sae,
        encoding,
        settings,
        mcp,
        report,
    ):
        command.add(commands)
    return parser
