"""docs/examples.md and the README: every command in them is one that the command line takes, every page exists."""

import re
import shlex
from pathlib import Path

import pytest

from lib.cli import _parser

ROOT = Path(__file__).parent.parent
WRITTEN = [
    (name, line.strip())
    for name in (
        "README.md",
        "docs/examples.md",
        "docs/sae.md",
        "docs/query-sets.md",
        "docs/agents.md",
        "docs/reports.md",
        "docs/hosting.md",
        "sample_data/sae/README.md",
    )
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    if re.match(r"\s+python -m lib \w", line) and not line.endswith("\\") and "..." not in line
]


@pytest.mark.parametrize(("name", "command"), WRITTEN)
def test_a_written_command_is_taken(name, command):
    assert callable(_parser().parse_args(shlex.split(command)[3:]).run)


def test_commands_are_found_in_the_examples():
    commands = [command for name, command in WRITTEN if name == "docs/examples.md"]
    assert {command.split()[4] for command in commands} >= {"decompose", "network", "circuit", "steer", "match"}


def test_every_address_in_the_examples_is_a_page():
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    linked = re.findall(r"\[`/(\w+)", (ROOT / "docs/examples.md").read_text(encoding="utf-8"))
    assert linked
    assert set(linked) <= pages
