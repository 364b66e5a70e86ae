"""What holds on every page: help beside each control, what a wait says, colours, words, the tour."""

import ast
import itertools
import re
import tomllib
from pathlib import Path

import pytest

from lib.charts import palette
from lib.glossary import TERMS, of_page
from lib.numerals import minus, spelt
from lib.ui.tour import STEPS

ROOT = Path(__file__).parents[2]
INPUTS = {
    "selectbox", "multiselect", "slider", "select_slider", "toggle", "checkbox", "radio", "number_input", "text_input",
    "text_area", "segmented_control", "pills", "file_uploader", "date_input", "color_picker", "one_of",
}  # fmt: skip
PASSED_ON = {"lib/ui/controls.py"}
"""Files that hand a caller's help on."""
DIM_ON_LIGHT = {"#CCBB44", "#66CCEE"}
"""Of Paul Tol's scheme; see lib/charts/palette.py."""


def calls():
    """(file, called name, call) of every call under lib/ui and pages."""
    for path in sorted([*(ROOT / "lib" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield path.relative_to(ROOT).as_posix(), name, node


def test_every_control_has_help_in_one_sentence():
    without, long = [], []
    for path, name, node in calls():
        if name not in INPUTS:
            continue
        help = next((word.value for word in node.keywords if word.arg == "help"), None)
        if help is None and all(word.arg is not None for word in node.keywords):
            without.append(f"{path}:{node.lineno} {ast.unparse(node)[:60]}")
        if isinstance(help, ast.Constant) and not re.search(r"[.!?]$", str(help.value)):
            long.append(f"{path}:{node.lineno} {help.value}")
    assert not without
    assert not long, "no sentence: " + "; ".join(long)


def test_every_wait_says_what_is_going_on():
    silent = []
    for path, name, node in calls():
        if name == "spinner" and not (node.args and ast.unparse(node.args[0])):
            silent.append(f"{path}:{node.lineno}")
        if name in {"cache_data", "cache_resource"}:
            said = next((word.value for word in node.keywords if word.arg == "show_spinner"), None)
            quick = path == "lib/ui/resources.py" and said is None  # objects that are made at once
            if not quick and not (isinstance(said, ast.Constant) and (said.value is False or str(said.value).strip())):
                silent.append(f"{path}:{node.lineno}")
    assert not silent


# Contrast, after WCAG 2.1


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faded(ink, paper, share):
    """Ink at that opacity on paper."""
    mixed = [round(share * int(ink[i : i + 2], 16) + (1 - share) * int(paper[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02X}" for part in mixed)


def themes():
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]


def test_the_scale_of_contrast():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_stands_out_from_either_paper(name):
    theme = themes()[name]
    css = (ROOT / "lib" / "ui" / "assets" / "page.css").read_text("utf-8")
    caption = float(re.search(r"stCaptionContainer\"\][^{]*\{ opacity: ([\d.]+)", css)[1])
    for paper in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        for ink in (theme["textColor"], theme["linkColor"], theme["primaryColor"]):
            assert contrast(ink, paper) >= 4.5, (ink, paper)
        assert contrast(faded(theme["textColor"], paper, caption), paper) >= 4.5
    button = next(line for line in css.splitlines() if "stBaseButton-primary" in line)
    on_accent = re.search(r"light-dark\((#\w+), (#\w+)\)", button).groups()[name == "dark"]
    assert contrast(on_accent, theme["primaryColor"]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_colours_of_data_stand_out_from_either_paper(name):
    paper = themes()[name]["backgroundColor"]
    used = {*palette.CATEGORIES, palette.GREY, palette.LOW, palette.HIGH, palette.INK, palette.LANDING}
    dim = {colour for colour in used if contrast(colour, paper) < 3}
    assert dim == (DIM_ON_LIGHT if name == "light" else set())


def test_the_theme_and_the_palette_agree():
    for theme in (themes()["light"], themes()["dark"]):
        assert tuple(theme["chartCategoricalColors"]) == palette.CATEGORIES
        assert theme["chartSequentialColors"][0] == palette.LOW
        assert palette.HIGH in theme["chartSequentialColors"]


def test_categories_can_be_told_apart():
    assert (
        min(abs(luminance(a) - luminance(b)) + _hue(a, b) for a, b in itertools.combinations(palette.CATEGORIES, 2))
        > 0.1
    )


def _hue(one, other):
    return max(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in (1, 3, 5)) / 255


def test_a_minus_is_a_minus():
    assert minus("-0.1") == "−0.1"
    assert minus("0.2 to -.05") == "0.2 to −.05"
    assert minus("-0.3 → -0.1 (-5)") == "−0.3 → −0.1 (−5)"
    assert minus("a-1, MiniLM-L6, 1-3, 2024-10-01, - and --1") == "a-1, MiniLM-L6, 1-3, 2024-10-01, - and --1"


def test_a_metric_is_spelt_one_way():
    names = ["ndcg@10", "recall@1", "mrr", "map", "hit@5", "precision@3", "mrr@10", "eval_cosine_ndcg@10"]
    shown = ["NDCG@10", "Recall@1", "MRR", "MAP", "Hit rate@5", "Precision@3", "MRR@10", "eval_cosine_ndcg@10"]
    assert list(map(spelt, names)) == shown


@pytest.mark.parametrize("given", ["MRR@5", "mrr@5"])
def test_a_metric_in_an_address_is_understood_as_either_hand_writes_it(app, given):
    shown = app(page="retrieval", view="Quality", quality_metric=given)
    assert shown.page.selectbox(key="quality_metric").value == "mrr@5"


# The glossary and the tour on their pages


def markdown(shown):
    return "\n".join(one.value for one in shown.page.markdown)


def test_the_glossary_shows_all_terms(app):
    shown = app(page="glossary")
    for one in TERMS:
        assert f"#### [{one.name}](?term={one.slug})" in markdown(shown)
    assert f"{len(TERMS)} of {len(TERMS)} terms" in shown.captions


def test_the_glossary_is_searched_and_opens_one_term(app):
    shown = app(page="glossary", glossary_search="järvelin")
    assert "?term=ndcg)" in markdown(shown)
    assert "?term=anisotropy)" not in markdown(shown)
    assert "No term has" in app(page="glossary", glossary_search="<b>qq</b>").page.info[0].value
    one = app(page="glossary", term="anisotropy")
    assert "?term=anisotropy)" in markdown(one)
    assert "?term=ndcg)" not in markdown(one)
    one.press("All terms")
    assert "?term=ndcg)" in markdown(one)
    assert "No term is called" in app(page="glossary", term="<script>").page.info[0].value


def test_every_page_has_its_words_and_the_tour(app):
    shown = app(map="PCA")
    for one in of_page("geometry"):
        assert f"(glossary?term={one.slug})" in markdown(shown)
    assert "Take the tour" in shown.buttons
    metric = next(one for one in shown.page.metric if one.label == "Trustworthiness")
    assert "(glossary?term=trustworthiness)" in metric.help


def test_the_tour_begins_at_the_bare_address_alone(app):
    state = "_tour_runs"
    assert not app(map="PCA").page.session_state[state]
    assert not app(page="overview", corpus="Paste").page.session_state[state]
    shown = app(page=None)
    assert shown.page.session_state[state]
    asked = app(page="glossary")
    assert not asked.page.session_state[state]
    assert asked.press("Take the tour").page.session_state[state]
    assert [step.title for step in STEPS]
    assert all(step.text.endswith(".") for step in STEPS)
