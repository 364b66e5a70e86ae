"""The glossary: complete for what is on screen, found by words, right where a formula can be checked."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from lib import geometry
from lib.glossary import PAGES, TERMS, find, meant_by, of_page, term
from lib.retrieval import JudgedRanks, query_metrics

ROOT = Path(__file__).parents[1]
MADE = {
    "label": "texts, space: named in their *_words modules, see NAMED_ELSEWHERE",
    "verdict.capitalize()": "circuits and faithfulness: the verdicts, see NAMED_ELSEWHERE",
    "signal.quantity": "overview: the signals, see NAMED_ELSEWHERE",
    "name": "quality, reranking: names of metrics, see NAMED_ELSEWHERE",
}
"""Labels that are made while the app runs, as they stand in the source."""
NAMED_ELSEWHERE = [
    "Trustworthiness", "Heads flagged", "Hard negative leads", "Far out", "Label purity", "▲ Gained", "▼ Lost",
    "Anisotropy", "Intrinsic dimension", "Separation of topics", "Silhouette", "Same layout (CKA)", "Neighbours kept",
    "Kept them all", "Lost them all", "Cosine with itself",
    "Structural", "From the start", "Late-binding", "Transient", "Mixed", "Silent",
    "Essential", "Ordinary", "Harmful", "Redundant",
    "Recall@10", "Hit rate@5", "Precision@3", "NDCG@10", "MRR", "MRR@10", "MAP",
]  # fmt: skip


def labels():
    """(file, label) of every number on every page; "x" stands for what is put in while the app runs."""
    for path in sorted((ROOT / "lib" / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or path.name == "layout.py":
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "number" or (called == "metric" and ast.unparse(node.func) == "st.metric"):
                yield path.relative_to(ROOT), node.args[0]


def written(label):
    """The label as it may read on screen; None where it is made elsewhere."""
    if isinstance(label, ast.Constant):
        return str(label.value)
    if isinstance(label, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in label.values)
    return None


def test_every_number_on_every_page_has_a_term():
    found = list(labels())
    assert len(found) > 150
    unknown = []
    for path, label in found:
        source = ast.unparse(label)
        said = written(label.body if isinstance(label, ast.IfExp) else label)
        known = source in MADE or source.startswith(("_NAMES.get(", "_metric(", "spelt(", "f'{sign}"))
        if not known and not (said and meant_by(said)):
            unknown.append(f"{path}:{label.lineno} {source}")
    assert not unknown, "without a term: " + "; ".join(unknown)


@pytest.mark.parametrize("label", NAMED_ELSEWHERE)
def test_a_label_that_is_made_elsewhere_has_a_term(label):
    assert meant_by(label) is not None


def test_terms_are_whole():
    slugs = [one.slug for one in TERMS]
    assert len(set(slugs)) == len(slugs)
    assert len({one.name.casefold() for one in TERMS}) == len(TERMS)
    for one in TERMS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.slug)
        assert one.page in PAGES
        assert one.meaning.endswith(".")
        assert one.meaning[0].isupper()
        for said in (one.range, one.baseline, one.beware):
            assert not said or said.endswith("."), (one.slug, said)
        assert one.formula.count("{") == one.formula.count("}")
        assert one.formula or one.range or one.baseline or one.source or one.beware, one.slug
    assert set(PAGES) == {one.page for one in TERMS}
    assert all(of_page(page) for page in PAGES)


def test_a_term_names_a_view_that_there_is():
    views = {}
    for page in PAGES:
        tree = ast.parse((ROOT / "pages" / f"{page}.py").read_text("utf-8"))
        views[page] = {
            str(key.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant)
        }
    assert [one.slug for one in TERMS if one.view and one.view not in views[one.page]] == []


def test_a_term_is_found():
    assert term("anisotropy").name.startswith("Anisotropy")
    assert term(" Anisotropy ") is term("anisotropy")
    assert term("no such thing") is None
    assert find("") == TERMS
    assert find("ndcg")[0].slug in {"ndcg", "ndcg-kept"}
    assert term("ndcg") in find("järvelin")
    assert find("qqqq") == ()
    assert find("rank closest")[0].slug == "rank-of-first"


def test_a_label_means_the_term_of_its_page_first():
    assert meant_by("Clusters", "network").slug == "communities"
    assert meant_by("Clusters", "geometry").slug == "clusters"
    assert meant_by("NDCG@10 kept").slug == "ndcg-kept"
    assert meant_by("NDCG@5").slug == "ndcg"
    assert meant_by("mean cosine").slug == "anisotropy"
    assert meant_by("something else") is None


# Formulas, against the code that they describe


def test_formulas_of_the_space_hold():
    rows = np.random.default_rng(0).normal(size=(40, 6)) + 0.5
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    n = len(unit)
    measured = geometry.anisotropy(rows)
    assert measured.mean_cosine == pytest.approx((np.linalg.norm(unit.sum(axis=0)) ** 2 - n) / (n * (n - 1)))
    dimension = geometry.intrinsic_dimension(rows)
    spectrum = np.linalg.eigvalsh(np.cov(unit.T))
    assert dimension.participation_ratio == pytest.approx(spectrum.sum() ** 2 / np.square(spectrum).sum())
    even = geometry.uniformity(rows)
    squares = np.square(unit[:, None] - unit[None]).sum(axis=2)[~np.eye(n, dtype=bool)]
    assert even.uniformity == pytest.approx(np.log(np.exp(-2 * squares).mean()), rel=1e-5)


def test_formulas_of_ranks_hold():
    judged = JudgedRanks(query=np.array([0, 0]), rank=np.array([2, 0]), relevance=np.array([1, 1]), queries=1)
    found = dict(zip((made := query_metrics(judged, cutoffs=[3])).names, made.values[0], strict=True))
    gains, best = np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0])
    discount = np.log2(np.arange(3) + 2)
    assert found["ndcg@3"] == pytest.approx((gains / discount).sum() / (best / discount).sum())
    assert found["recall@3"] == pytest.approx(1 / 2)
    assert found["precision@3"] == pytest.approx(1 / 3)
    assert found["mrr"] == pytest.approx(1 / 2)
    assert found["map"] == pytest.approx((1 / 2) / 2)
