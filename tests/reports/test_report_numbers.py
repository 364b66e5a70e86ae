"""The numbers: those of the library, each with its reason where there is none."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lib.corpora import Corpus, load_sample
from lib.encoders import PACKAGED_STATIC, PACKAGED_TUNED, Policy, describe
from lib.errors import InputError
from lib.geometry import anisotropy, intrinsic_dimension, label_fit
from lib.reports.assertions import demand
from lib.reports.layers import known_layers, with_layers
from lib.reports.making import report_of
from lib.reports.material import CorpusSide, Material, Options, QuerySide
from lib.reports.parts import shown_cell
from lib.reports.report import Report
from lib.retrieval import evaluate
from lib.shelf import default_shelf


def section(report: Report, name: str):
    return next(one for one in report.sections if one.name == name)


def test_the_numbers_are_the_librarys(report, material):
    facts, corpus, asked = report.facts, material.corpus, material.queries
    assert facts["anisotropy"] == anisotropy(corpus.vectors).mean_cosine
    assert facts["two_nn"] == intrinsic_dimension(corpus.vectors).two_nn
    assert facts["purity"] == label_fit(corpus.vectors, corpus.corpus.labels).purity
    found = evaluate(asked.queries, asked.query_vectors, asked.document_vectors)
    summary = next(s for s in found.summaries if s.metric == "ndcg@10" and s.group is None)
    assert (facts["ndcg@10"], facts["ndcg@10.low"]) == (summary.mean, summary.low)
    assert facts["hard_negatives.below"] == found.negatives.share_below


def test_no_number_is_told_twice_in_two_ways(report):
    told: dict[str, float] = {}
    for one in report.sections:
        every = dict(one.facts) | {number.name: number.value for number in one.numbers if number.value is not None}
        for name, value in every.items():
            assert told.setdefault(name, value) == pytest.approx(value), name


def test_every_number_has_an_interval_a_baseline_or_a_meaning(report):
    numbers = [number for one in report.sections for number in one.numbers]
    assert all(number.interval or number.baseline or number.meaning or number.needs for number in numbers)


def test_json_holds_every_number_and_no_figure(report):
    made = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert made["facts"] == report.facts
    assert "figure" not in made["sections"][1]["pictures"][0]
    assert made["corpus"]["key"] == report.corpus["key"]
    assert made["encoder"]["fingerprint"] == report.encoder["fingerprint"]
    assert made["versions"]["numpy"] == np.__version__


def test_what_cannot_be_had_says_so_and_the_rest_stands(hostile, checkpoint, shelf):
    corpus, queries, asked, documents = hostile
    two = corpus.subset([0, 1])
    nobody = replace(queries, relevance=np.zeros_like(queries.relevance))
    report = report_of(
        Material(
            CorpusSide(two, None, "float32", two.embeddings, two.key),
            QuerySide(nobody, checkpoint, "float32", asked, documents),
        ),
        shelf,
        demands=[demand("ndcg@10>0"), demand("anisotropy>0")],
    )
    assert section(report, "map").missing
    assert "relevant" in section(report, "quality").sentence
    assert len(report.failed) == 2
    assert "3 texts" in report.assertions[1].reason
    with pytest.raises(InputError, match="needs a corpus"):
        report_of(Material(None, None), shelf)


def test_a_corpus_without_labels_lacks_what_labels_give(hostile, shelf):
    corpus = replace(hostile[0], labels=None)
    side = CorpusSide(corpus, None, "float32", corpus.embeddings, corpus.key)
    report = report_of(Material(side, None), shelf, demands=[demand("purity>0")])
    assert section(report, "labels").missing
    assert "label" in report.assertions[0].reason
    assert "anisotropy" in report.facts


def test_a_second_encoder_is_held_against_the_first(material, checkpoint, shelf):
    asked = material.queries
    tuned = describe(PACKAGED_TUNED, policy=Policy(allow_hub=False))
    noise = np.random.default_rng(1).normal(size=asked.document_vectors.shape).astype(np.float32)
    worse = replace(asked, checkpoint=tuned, document_vectors=noise)
    report = report_of(Material(None, asked, None, worse), shelf, Options())
    against = section(report, "against")
    assert against.facts["against.p"] < 0.05
    assert report.facts["against.ndcg@10"] > 0
    assert against.sentence.startswith(checkpoint.source)
    back = report_of(Material(None, worse, None, asked), shelf, Options())
    assert back.facts["against.ndcg@10"] == pytest.approx(-report.facts["against.ndcg@10"])


def test_layers_come_from_the_shelf_and_say_why_they_do_not(checkpoint):
    corpus = load_sample("topics")
    nothing = np.zeros((len(corpus), 1), dtype=np.float32)
    known = known_layers(CorpusSide(corpus, checkpoint, "float32", nothing, ""), default_shelf())
    assert known.build_up is not None
    assert known.heads is not None
    static = describe(PACKAGED_STATIC, policy=Policy(allow_hub=False))

    def never(*_):
        raise AssertionError("nothing is to be run")

    side = with_layers(CorpusSide(corpus, static, "float32", nothing, ""), default_shelf(), never, progress=never)
    assert side.build_up is None
    assert "static" in side.layers_needed


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "—"),
        ("a", "a"),
        (12345, "12\u202f345"),
        (0.12345, "0.123"),
        (-0.5, "−0.500"),
        (2.0, "2"),
        (1e-5, "1e−05"),
    ],
)
def test_cells_are_written_alike(cell, shown):
    assert shown_cell(cell) == shown


def test_layers_of_many_texts_are_those_of_the_layers_page(checkpoint):
    """Both pass 2,000 texts through the layers where there are more, so that they find and show the same numbers."""
    asked = []

    class Noting:
        def get(self, kind, inputs):
            asked.append(inputs)

    many = tuple(f"text {i}" for i in range(2_001))
    for texts, most in ((many, 2_000), (many[:-1], None)):
        corpus = Corpus("many", texts, texts)
        known_layers(CorpusSide(corpus, checkpoint, "float32", np.zeros((0, 1), "f4"), ""), Noting())
        assert asked[-2]["most_texts"] == most
