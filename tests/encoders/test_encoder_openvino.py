"""The optional precision "openvino": refused in one sentence where it cannot be had, near float32 where it can."""

import sys

import numpy as np
import pytest

from lib.embeddings import space_of
from lib.encoders import PACKAGED, PRECISIONS, Policy, describe, open_encoder, openvino_available, precisions_available
from lib.encoders.precision import check_precision
from lib.errors import InputError

installed = pytest.mark.skipif(
    not openvino_available(),
    reason="OPENVINO IS NOT INSTALLED, its vectors go untested: pip install -r requirements-openvino.txt",
)
FAMILIES = ["bge", "bge-m3", "mpnet", "nomic", "gte-new", "jina-v3", "gte-qwen2", "instructor", "weighted", "max"]
MIXED = ["one", "a much longer text about the treatment of a rare disease " * 40, "", "two words", "one"] + [
    "word " * length for length in (3, 9, 27, 81, 200)
]


def cosine_errors(a, b):
    a, b = (v.astype(np.float64) / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    return 1 - (a * b).sum(axis=1)


def test_without_the_package_it_is_not_offered_and_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("lib.encoders.precision.openvino_available", lambda: False)
    assert "openvino" not in precisions_available()
    with pytest.raises(InputError, match=r"install it with pip install -r requirements-openvino\.txt\.$"):
        open_encoder(PACKAGED, policy=Policy(), precision="openvino")


def test_with_the_package_it_is_offered_last(monkeypatch):
    monkeypatch.setattr("lib.encoders.precision.openvino_available", lambda: True)
    assert precisions_available()[-1] == "openvino"


@pytest.mark.parametrize("openvino", [False, True])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_is_offered_is_what_is_accepted(monkeypatch, bfloat16, openvino):
    monkeypatch.setattr("lib.encoders.precision.bfloat16_available", lambda: bfloat16)
    monkeypatch.setattr("lib.encoders.precision.openvino_available", lambda: openvino)
    here = {"float32": True, "bfloat16": bfloat16, "openvino": openvino}
    assert precisions_available() == tuple(precision for precision, offered in here.items() if offered)
    for precision, offered in here.items():
        if offered:
            check_precision(precision)
        else:
            with pytest.raises(InputError, match=precision):
                check_precision(precision)


def test_its_vectors_are_kept_apart():
    checkpoint = describe(PACKAGED, policy=Policy())
    spaces = {space_of(checkpoint, role="document", precision=p) for p in (*PRECISIONS, "openvino")}
    assert len(spaces) == 3


@installed
def test_packaged_is_near_float32_whatever_the_batch():
    exact = open_encoder(PACKAGED, policy=Policy())
    fast = open_encoder(PACKAGED, policy=Policy(), precision="openvino")
    ours, theirs = fast.encode(MIXED), exact.encode(MIXED)
    assert fast.precision == "openvino"
    assert ours.vectors.dtype == np.float32
    assert cosine_errors(ours.vectors, theirs.vectors).max() < 1e-3
    np.testing.assert_allclose(np.linalg.norm(ours.vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(ours.truncated_mask, theirs.truncated_mask)
    alone = np.concatenate([fast.encode([text]).vectors for text in MIXED])
    assert cosine_errors(alone, theirs.vectors).max() < 1e-3
    np.testing.assert_array_equal(fast.encode(MIXED).vectors, ours.vectors)


@installed
def test_hidden_states_are_those_of_float32():
    exact, fast = (open_encoder(PACKAGED, policy=Policy(), precision=p) for p in ("float32", "openvino"))
    for a, b in zip(exact.hidden_states(MIXED), fast.hidden_states(MIXED), strict=True):
        np.testing.assert_array_equal(a.pooled, b.pooled)


@installed
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_converted_exactly(family, build, open_tiny, texts, monkeypatch):
    monkeypatch.setattr("lib.encoders.openvino.bfloat16_available", lambda: False)  # only rounding would differ
    folder = build(family)
    exact, fast = open_tiny(folder), open_tiny(folder, precision="openvino")
    for role in ("query", "document"):
        for some in (texts, texts[:1], [*texts, "word " * 15]):
            ours, theirs = (encoder.encode(some, role=role).vectors for encoder in (fast, exact))
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
            assert cosine_errors(ours, theirs).max() < 1e-6


@installed
def test_an_architecture_that_cannot_be_converted_is_refused(monkeypatch, open_tiny):
    def fail(*_):
        raise RuntimeError("no such operation")

    monkeypatch.setattr("lib.encoders.openvino._compile", fail)
    with pytest.raises(InputError, match="cannot be run with OpenVINO: its layers cannot be traced and compiled"):
        open_tiny("bge", precision="openvino")


@installed
def test_a_conversion_that_computes_something_else_is_refused(monkeypatch, open_tiny):
    monkeypatch.setattr("lib.encoders.openvino._MAX_ERROR", -1.0)
    with pytest.raises(InputError, match="converted, its vectors are off by a cosine error of"):
        open_tiny("bge", precision="openvino")


@installed
def test_nothing_is_reported_to_the_makers(open_tiny):
    open_tiny("bge", precision="openvino")
    assert "openvino" in sys.modules
    assert sys.modules["openvino_telemetry"] is None  # it could not be imported, so nothing of it ran
