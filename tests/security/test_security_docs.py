"""The table of attacks names tests that are there."""

import ast
import re


def test_every_test_that_the_table_names_is_there(root):
    text = (root / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "| test |" not in line]
    assert len(named) >= len(rows) > 30
    assert all("`tests/" in row for row in rows)
    for file in {file for file, _ in named}:
        tree = ast.parse((root / file).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert {test for of, test in named if of == file} <= there, file
