"""The second packaged encoder: opened by its name, equal to the library that distilled it, and checked."""

import numpy as np
import pytest

from lib.encoders import PACKAGED_STATIC, Policy, describe, open_encoder, sources
from lib.errors import InputError

POLICY = Policy(allow_hub=False)
TEXTS = ["The tenant may terminate with thirty days' notice.", "aspirin thins the blood", "yield"]


def test_it_is_described_by_its_name_in_any_case():
    checkpoint = describe(PACKAGED_STATIC.upper(), policy=POLICY)
    assert (checkpoint.kind, checkpoint.dimensions, checkpoint.normalised, checkpoint.layers) == (
        "static", 128, True, None,
    )  # fmt: skip


def test_its_vectors_are_those_of_model2vec():
    from model2vec import StaticModel

    checkpoint = describe(PACKAGED_STATIC, policy=POLICY)
    reference = StaticModel.from_pretrained(str(checkpoint.path)).encode(TEXTS)
    made = open_encoder(checkpoint, policy=POLICY).encode(TEXTS).vectors
    np.testing.assert_allclose(made, reference, atol=2e-3)  # theirs are added up in float16


def test_weights_that_are_not_those_shipped_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_STATIC_FOLDER", tmp_path)
    with pytest.raises(InputError, match="fetch the project anew"):
        describe(PACKAGED_STATIC, policy=POLICY)
