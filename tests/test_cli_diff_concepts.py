"""`python -m lib diff-concepts`: a planted change is told, a query taken apart, and what is refused."""

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest

from lib.cli import diff_concepts
from lib.cli.inputs import Source
from lib.encoders import PACKAGED, PACKAGED_STATIC
from lib.errors import InputError
from lib.sae import save
from tests.toy_sae import packaged_sae


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small dictionary for the packaged encoder."""
    made = tmp_path_factory.mktemp("sae")
    save(packaged_sae(64, 6), made)
    return made


@pytest.fixture
def pushed(monkeypatch):
    """The second encoder that a command opens pushes every document along feature 7, the opposite way for queries."""
    direction, opened = packaged_sae(64, 6).decoder_weights[7], []

    class Pushed(Source):
        def __init__(self, *given):
            super().__init__(*given)
            opened.append(self)

        def embed(self, texts, what, *, role="document", under=None):
            made = super().embed(texts, what, role=role, under=under)
            if self is opened[0]:
                return made
            vectors = np.asarray(made.vectors) + (0.5 if role == "document" else -0.5) * direction
            return replace(made, vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))

    monkeypatch.setattr(diff_concepts, "Source", Pushed)


def run(capsys, *arguments):
    parser = argparse.ArgumentParser()
    diff_concepts.add(parser.add_subparsers())
    chosen = parser.parse_args(["diff-concepts", "--tuned", PACKAGED, *map(str, arguments)])
    chosen.run(chosen)
    return json.loads(capsys.readouterr().out)


def test_the_base_against_itself_has_no_change(capsys, folder):
    found = run(capsys, "--corpus", "sample:topics", "--sae", folder)
    assert found["concepts"]["counts"]["unchanged"] == 64
    assert found["concepts"]["changed"] == []
    assert found["concepts"]["move"] == 0


def test_a_planted_change_is_told_and_a_query_taken_apart(capsys, folder, pushed):
    found = run(capsys, "--corpus", "sample:topics", "--queries", "sample:topics", "--why", "q10", "--sae", folder,
                "--top", 5)  # fmt: skip
    first = found["concepts"]["changed"][0]
    assert first["feature"] == 7
    assert first["change"] > 0
    assert set(first["change_by_topic"]) == {"finance", "legal", "medical"}
    assert len(found["concepts"]["changed"]) <= 5
    lead, places = found["why"]["lead"], found["why"]["places"]
    total = sum(one["change"] for one in lead["features"]) + lead["bias"] + lead["error"]
    assert total == pytest.approx(lead["after"] - lead["before"])
    assert places["relevant_base"] >= 1
    assert found["why"]["query"] == "q10"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give either"),
        (["--why", "q1"], "give both or neither"),
        (["--corpus", "sample:topics", "--top", "0"], "at least 1, got 0"),
        (["--corpus", "sample:topics", "--split", "dev"], "--split says how to read --queries"),
        (["--corpus", "sample:topics", "--tuned", PACKAGED_STATIC], "makes vectors of 128"),
        (["--queries", "sample:topics", "--why", "nobody"], "No query has the id 'nobody'"),
    ],
)
def test_what_cannot_be_told_is_refused(capsys, folder, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        run(capsys, "--sae", folder, *arguments)
