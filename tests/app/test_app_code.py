"""The same in Python: what stands beneath a view prints the numbers that the view shows."""

import contextlib
import io
import shlex

import pytest

from lib.cli import _parser
from tests.app.conftest import FAST

SHOWN = [
    ("overview", {}),
    ("geometry", {"view": "Map", **FAST, "count": "3"}),
    ("geometry", {"view": "Anisotropy", "label": "subtopic"}),
    ("geometry", {"view": "Dimension"}),
    ("geometry", {"view": "Labels", "label": "subtopic"}),
    ("geometry", {"view": "Hubs", "k": "5"}),
    ("geometry", {"view": "Outliers", "rule": "k-th neighbour", "quantile": "0.9"}),
    ("retrieval", {"view": "Quality", "measure": "l2", "quality_gain": "exponential"}),
    ("retrieval", {"view": "Hard negatives", "negatives_source": "BM25"}),
    ("retrieval", {"view": "Search", "search_top": "5"}),
    ("finetune_diff", {"view": "Monitor", "run": "harmful"}),
]
WITH_FEATURES = [
    ("sae_features", {"view": "Decompose"}),
    ("sae_features", {"view": "Contrast"}),
    ("sae_features", {"view": "Browser"}),
    ("network", {"network_features": "20"}),
    ("steering", {"view": "Steer", "recipe": "7:+4"}),
    ("steering", {"view": "Dose-response", "dose_delta": "2.0"}),
    ("diagnostics", {"view": "Absorption", "absorption_threshold": "0.7"}),
    ("diagnostics", {"view": "Health"}),
]


def _printed(python):
    """Names and values of the lines that a script prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(python, {"__name__": "snippet"})
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines() if ": " in line)


def _plain(value):
    return value.replace("\u202f", "").replace(" %", "%").replace("−", "-").replace("+", "").replace(" ", "")


def _code(shown):
    """The script, and the command where there is one."""
    boxes = [box for box in shown.page.expander if box.label == "The same in Python"]
    return [code.value for box in boxes for code in box.code]


def _same(shown, *, at_least=1):
    python, *shell = _code(shown)
    printed, numbers = _printed(python), shown.numbers
    both = printed.keys() & numbers.keys()
    assert len(both) >= at_least, (printed, numbers)
    for name in both:
        value = _plain(printed[name])
        expected = _plain(numbers[name])
        assert value == expected or value.startswith(f"{expected},"), (name, printed[name], numbers[name])
    for command in shell:
        assert callable(_parser().parse_args(shlex.split(command)[3:]).run)


@pytest.mark.parametrize(("page", "query"), SHOWN)
def test_it_prints_what_the_view_shows(app, page, query):
    _same(app(page=page, **query), at_least=2)


@pytest.mark.parametrize(("page", "query"), WITH_FEATURES)
def test_it_prints_what_a_view_of_features_shows(with_sae, page, query):
    _same(with_sae(page, **query), at_least=2)


def test_it_prints_what_the_build_up_shows(app):
    shown = app(page="layers", view="Build-up", build_cka="0.7")
    printed, table = _printed(_code(shown)[0]), shown.table("CKA with the output")
    for depth, mean, alike in zip(table["depth"], table["mean cosine"], table["CKA with the output"], strict=True):
        assert printed[depth] == f"mean cosine {mean:.3f}, CKA with the output {alike:.3f}"
    assert f"layer {printed['Settled at depth']}" in shown.numbers["Settles"]


def test_a_paste_stays_where_it_is(paste):
    shown = paste(["The first secret line.", "A second one of them.", "And yet a third secret."], view="Anisotropy")
    python, shell = _code(shown)
    assert "secret" not in python + shell
    assert "read_corpus(Path('your-file.csv'))" in python
    assert shlex.split(shell)[3:] == ["geometry", "--corpus", "your-file.csv"]


def test_a_view_that_refuses_has_no_code(app):
    shown = app(page="retrieval", view="Faithfulness", measure="manhattan", query_sample="lab")
    assert any("manhattan" in fault for fault in shown.refusals)
    assert not _code(shown)
