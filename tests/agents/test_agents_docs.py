"""docs/agents.md and the recorded session: every tool is told, every block of JSON is one, every picture is there."""

import json
import re

import pytest

pytest.importorskip("mcp")

from lib.agents.tools import TOOLS


def test_every_tool_is_in_the_table(root):
    told = re.findall(r"^\| `(\w+)` \|", (root / "docs/agents.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert told == [tool.name for tool in TOOLS]


def test_blocks_for_clients_are_json_that_names_the_command(root):
    blocks = re.findall(r"```json\n(.*?)```", (root / "docs/agents.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        ((servers),) = json.loads(block).values()
        assert servers["embedscope"]["args"][:3] == ["-m", "lib", "mcp"]


def test_the_recorded_session_shows_every_picture_and_a_refusal(root):
    text = (root / "docs/agents_session.md").read_text(encoding="utf-8")
    assert "**Refused.**" in text
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert len(pictures) >= 3
    for picture in pictures:
        assert (root / "docs" / picture).read_bytes().startswith(b"\x89PNG")
    named = set(re.findall(r"^`(\w+)` `\{", text, flags=re.MULTILINE))
    assert named <= {tool.name for tool in TOOLS}
