"""Snippets: every view has one, each is a script, what was typed stays a string, every command is taken."""

import ast
import contextlib
import io
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from lib.cli import _parser
from lib.encoders import PACKAGED_STATIC, PACKAGED_TUNED
from lib.errors import InputError
from lib.snippets import PAGES, Case, snippet

ROOT = Path(__file__).parents[2]
VIEWS = [(page, view) for page, views in PAGES.items() for view in views]
CHANGED = {
    "map": "t-SNE", "clusters": "k-means", "count": 3, "k": 5, "threshold": "value", "above": 0.4, "pairs": 50_000,
    "heads_texts": "64", "build_cka": 0.8, "measure": "dot", "quality_k": ["3", "x"], "negatives_source": "BM25",
    "q": "interest on a loan", "compare_cuts": ["64", "32"], "compare_with": [PACKAGED_STATIC], "rerank_top": 5,
    "late_encoder": "a ColBERT checkpoint", "late_checkpoint": "owner/colbert", "late_texts": "This query set",
    "prompts_of": "my own", "prompts_query": "q: ", "chunk_size": 64, "text": "a text", "text_a": "one",
    "text_b": "two",
    "browser_label": "legal", "browser_by": "score", "match_encoder": PACKAGED_TUNED, "match_space": "aligned",
    "train_settings": "my own", "train_nested": True, "train_features": "256", "tune_settings": "my own",
    "tune_rank": "16", "tune_nested": True, "tune_rate": "0.0001", "network_measure": "jaccard", "network_hide": False,
    "circuit_text": "a text", "circuit_feature": "7 · law", "circuit_lens": "raw", "writers_where": "over its texts",
    "steer_text": "a text", "recipe": "7:+4,9:-2", "steer_feature": "feature 7", "dose_delta": 2.0, "run": "harmful",
    "absorption_support": 6, "polysemy_top": "10", "concepts_through": "each its own", "drift_weight_ranks": 0.5,
}  # fmt: skip
HOSTILE = "x'); import os; os.system('id') #\"\"\"\n--json=/etc/passwd {1} \\ \u202e"
OWN = Case(corpus=None, queries=None, columns={"text": "body", "label": "it's", "id": "key"})
CASES = {
    "as it begins": Case(),
    "changed": Case(settings=CHANGED, precision="bfloat16", encoder=PACKAGED_STATIC, layered=True),
    "the user's own": replace(OWN, settings=CHANGED),
    "with vectors": replace(OWN, own_vectors=True),
    "prompts": Case(prompts=("query: ", 'it\'s a "passage": '), own_prompts=("query: ", "")),
    "typed": Case(encoder=HOSTILE, sae=HOSTILE, columns={"label": HOSTILE}, settings=dict.fromkeys(CHANGED, HOSTILE)),
}


def _made(case):
    return {where: made for where in VIEWS if (made := snippet(*where, case)) is not None}


def test_every_view_of_every_page_has_one():
    """The pages' own tables of views, read from their files."""
    for path in (ROOT / "pages").glob("*.py"):
        if path.stem == "glossary":
            continue
        tables = [
            node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "VIEWS"
        ]  # fmt: skip
        views = {key.value for table in tables for key in table.keys} or {""}
        assert set(PAGES[path.stem]) == views, path.stem


@pytest.mark.parametrize("name", CASES)
def test_each_is_a_script_of_this_library_alone(name):
    for where, made in _made(CASES[name]).items():
        tree = ast.parse(made.python, str(where))
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert all(one.startswith("lib.") for one in modules - {"functools", "pathlib", "numpy"}), where
        assert "lib.ui" not in made.python
        assert len(made.python.splitlines()) <= 50, where


@pytest.mark.parametrize("name", CASES)
def test_each_command_is_one_that_is_taken(name):
    commands = [made.shell for made in _made(CASES[name]).values() if made.shell is not None]
    assert len(commands) > 20 or name in ("typed", "prompts")
    parser = _parser()
    for command in commands:
        assert callable(parser.parse_args(shlex.split(command)[3:]).run), command


def test_what_was_typed_stays_a_string():
    """The same names, calls and imports as where something harmless was typed; and no comment holds it."""

    def skeleton(text):
        names = [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
        return names, [type(node).__name__ for node in ast.walk(ast.parse(text))]

    harmless = Case(encoder="word", sae="word", columns={"label": "word"}, settings=dict.fromkeys(CHANGED, "word"))
    for where, made in _made(CASES["typed"]).items():
        assert skeleton(made.python) == skeleton(snippet(*where, harmless).python), where
        assert made.python.isascii() or HOSTILE not in made.python
        assert made.shell is None, where  # a line break, and a sign that turns the line round


def test_a_shell_takes_what_was_typed_for_one_word():
    typed = "$(id); `id` 'quoted' --json"
    made = snippet("sae_features", "Decompose", Case(settings={"text": typed}))
    assert shlex.split(made.shell)[-1] == typed
    led = snippet("sae_features", "Decompose", Case(settings={"text": "--help"}))
    assert _parser().parse_args(shlex.split(led.shell)[3:]).text == ["--help"]


def test_texts_of_the_users_own_never_stand_in_it():
    secret = "The patient is Jane"
    settings = dict.fromkeys(("text_of_corpus", "text_a_of_corpus", "circuit_text_of_corpus"), f"r7 · {secret}")
    settings |= {"pasted": secret, "search_query": f"q3 · {secret}", "late_from_set": f"q3: {secret}"}
    for where, made in _made(replace(OWN, settings=settings | {"late_texts": "This query set"})).items():
        assert secret not in f"{made.python}{made.shell}", where
        if where[1] not in ("Monitor", "Train"):
            assert "your-" in made.python, where


def test_edited_prompts_are_in_the_script_and_have_no_command():
    made = snippet("geometry", "Anisotropy", CASES["prompts"])
    assert ".with_prompts(query='query: ', document='it\\'s a \"passage\": ')" in made.python
    assert made.shell is None
    assert "prompts" in made.note


def test_what_a_view_cannot_show_has_none():
    assert snippet("layers", "Heads", Case(layered=False)) is None
    assert snippet("retrieval", "Prompts", Case(settings={"prompts_of": "my own"})) is None
    assert snippet("retrieval", "Faithfulness", Case(settings={"measure": "manhattan"})) is None
    assert snippet("finetune_diff", "Drift", Case(encoder=PACKAGED_STATIC)) is None
    with pytest.raises(InputError, match="no view"):
        snippet("geometry", "Nowhere", Case())


def test_a_number_that_is_none_stands_as_it_begins():
    case = Case(settings={"a": "x", "b": float("inf"), "c": "3", "d": [1], "e": None})
    assert [case.number(key, 7) for key in "abcde"] == [7, 7, 3, 7, 7]
    assert case.whole("c", 1) == 3
    assert case.choice("d", ("one", "two")) == "one"


@pytest.mark.parametrize(("page", "view", "settings"), [("finetune_diff", "Monitor", {}), ("retrieval", "Comparison", {
    "compare_cuts": ["64"], "compare_metric": "mrr"})])  # fmt: skip
def test_others_run_as_they_are(page, view, settings):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet(page, view, Case(settings=settings)).python, {"__name__": "snippet"})
    assert out.getvalue().count("\n") > 3
