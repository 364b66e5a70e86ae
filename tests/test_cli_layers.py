"""`python -m lib layers`: the numbers of the page as JSON."""

import json

import pytest

from lib.cli import main


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A few texts with labels."""
    path = tmp_path_factory.mktemp("layers") / "texts.csv"
    rows = [f"{kind} text number {i},{kind}" for kind in ("red", "blue") for i in range(8)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def measured(capsys, *arguments):
    """The JSON that the command writes."""
    assert main(["layers", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_depth_and_every_head(capsys, corpus):
    result = measured(capsys, "--corpus", corpus)
    built, heads = result["build_up"], result["heads"]
    assert built["names"] == ["embedding", *(f"layer {i}" for i in range(1, 7)), "output"]
    assert built["cka_output"][-1] == pytest.approx(1)
    assert built["items"] == 16
    assert "settled" in built["findings"]
    assert (len(heads["entropy"]), len(heads["entropy"][0])) == (6, 12)
    assert (len(heads["flags"]["collapsed"]), len(heads["flags"]["collapsed"][0])) == (6, 12)


def test_the_output_has_the_mean_cosine_of_geometry(capsys, corpus):
    built = measured(capsys, "--corpus", corpus, "--head-texts", 0)
    assert "heads" not in built
    main(["geometry", "--corpus", str(corpus)])
    geometry = json.loads(capsys.readouterr().out)
    assert built["build_up"]["mean_cosine"][-1] == pytest.approx(geometry["anisotropy"]["mean_cosine"], abs=1e-6)


def test_thresholds_move_the_flags(capsys, corpus):
    flags = measured(capsys, "--corpus", corpus, "--collapsed", 0, "--silent", 1)["heads"]["flags"]
    assert not any(map(any, flags["collapsed"]))
    assert all(map(all, flags["silent"]))


def test_vectors_without_an_encoder_have_no_layers(capsys, corpus, tmp_path):
    import numpy as np

    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32))
    assert main(["layers", "--corpus", str(corpus), "--embeddings", str(tmp_path / "v.npy")]) == 2
    assert "no layers" in capsys.readouterr().err


def test_a_threshold_that_is_none(capsys, corpus):
    assert main(["layers", "--corpus", str(corpus), "--uniform", "2"]) == 2
    assert "2" in capsys.readouterr().err


def test_thresholds_move_what_is_said_of_the_build_up(capsys, corpus):
    said = measured(capsys, "--corpus", corpus, "--head-texts", 0, "--collapsed-cosine", 0.01, "--settled-cka", 1,
                    "--settled-overlap", 1)["build_up"]["findings"]  # fmt: skip
    assert (said["settled_cka"], said["settled_overlap"], said["collapsed_cosine"]) == (1, 1, 0.01)
    assert said["collapse"] == 0
    plain = measured(capsys, "--corpus", corpus, "--head-texts", 0)["build_up"]["findings"]
    assert (plain["settled_cka"], plain["settled_overlap"], plain["collapsed_cosine"]) == (0.9, 0.5, 0.9)
    assert main(["layers", "--corpus", str(corpus), "--head-texts", "0", "--settled-cka", "2"]) == 2
    assert "settled_cka" in capsys.readouterr().err


def test_texts_as_queries(capsys, corpus):
    asked = measured(capsys, "--corpus", corpus, "--head-texts", 4, "--role", "query")
    told = measured(capsys, "--corpus", corpus, "--head-texts", 4)
    assert (asked["build_up"]["role"], told["build_up"]["role"]) == ("query", "document")
    assert asked["build_up"]["mean_cosine"] == told["build_up"]["mean_cosine"]  # no prompts: the same texts
    assert asked["heads"]["entropy"] == told["heads"]["entropy"]
