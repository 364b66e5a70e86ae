"""Findings: each rule on build-ups made by hand."""

import dataclasses
import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.layers.build_up import BuildUp
from lib.layers.findings import build_up_report, findings
from lib.layers.shelved import build_up_inputs
from lib.shelf import Shelf


def made(**changes):
    """A build-up of four layers in which nothing happens but what `changes` say."""
    depths = 6
    plain = BuildUp(
        names=("embedding", "layer 1", "layer 2", "layer 3", "layer 4", "output"),
        mean_cosine=np.full(depths, 0.2),
        within=np.full(depths, 0.3),
        between=np.full(depths, 0.1),
        cka_output=np.ones(depths),
        cka_chance=np.full(depths, 0.1),
        overlap=np.ones(depths),
        overlap_chance=0.02,
        cka_between=np.ones((depths, depths)),
        components_90=np.full(depths, 5),
        components_95=np.full(depths, 6),
        components_99=np.full(depths, 7),
        participation_ratio=np.full(depths, 4.0),
        two_nn=np.full(depths, 3.0),
        two_nn_interval=np.full((depths, 2), 3.0),
        dimensions=np.full(depths, 8),
        k=10, sample=400, items=400, different=400, drawn=400, given=400, left_out=0, labels=2, labelled=400,
        role="document",
        seed=0,
    )  # fmt: skip
    return dataclasses.replace(plain, **{name: np.array(value) for name, value in changes.items()})


def steps(*sizes):
    """CKA of every two depths where each step has the given 1 - CKA."""
    cka = np.ones((6, 6))
    for place, size in enumerate(sizes):
        cka[place, place + 1] = cka[place + 1, place] = 1 - size
    return cka


@pytest.mark.parametrize(
    ("cka", "overlap", "settled"),
    [
        ([1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], 0),
        ([0.1, 0.95, 0.95, 0.95, 1, 1], [0.1, 0.2, 0.6, 0.7, 1, 1], 2),
        ([0.1, 0.2, 0.95, 0.8, 1, 1], [1, 1, 1, 1, 1, 1], 4),  # it must stay
        ([0.9, 0.9, 0.9, 0.9, 0.9, 1], [0.5, 0.5, 0.5, 0.5, 0.5, 1], 0),  # at the thresholds
        ([0.1, 0.2, 0.3, 0.4, 0.5, 1], [1, 1, 1, 1, 1, 1], None),  # not even the last layer
        ([np.nan, 1, 1, 1, 1, 1], [np.nan, 1, 1, 1, 1, 1], 1),
    ],
)
def test_it_settles_where_both_stay(cka, overlap, settled):
    read = findings(made(cka_output=cka, overlap=overlap))
    assert read.settled == settled
    assert read.settling_told


def test_thresholds_move_it_and_are_reported():
    result = made(cka_output=[0.1, 0.5, 0.7, 0.8, 1, 1], overlap=[0.1, 0.2, 0.3, 0.4, 1, 1])
    assert findings(result).settled == 4
    read = findings(result, settled_cka=0.6, settled_overlap=0.25)
    assert (read.settled, read.settled_cka, read.settled_overlap) == (2, 0.6, 0.25)


@pytest.mark.parametrize("changes", [{"cka_chance": [0.2, 0.3, 0.95, 0.1, 0.1, 0.1]}, {"overlap_chance": 0.5}])
def test_it_is_not_told_where_chance_would_settle(changes):
    read = findings(made(**changes))
    assert (read.settling_told, read.settled, read.agreement) == (False, None, None)


def test_the_greatest_change_and_the_greatest_jump():
    read = findings(made(cka_between=steps(0.1, 0.4, 0.2, 0.1, 0.9), mean_cosine=[0.1, 0.2, 0.3, 0.8, 0.2, 0.9]))
    assert (read.change, read.change_size) == (2, pytest.approx(0.4))  # what follows the last layer is no layer
    assert (read.jump, read.jump_size) == (4, pytest.approx(-0.6))


def test_steps_out_of_states_that_do_not_vary_are_no_change():
    cka = steps(0.0, 0.1, 0.2, 0.1, 0.0)
    cka[0] = cka[:, 0] = np.nan
    read = findings(made(cka_between=cka, mean_cosine=[1, 0.2, 0.3, 0.35, 0.3, 0.3]))
    assert (read.change, read.jump, read.unvaried) == (3, 2, (0,))
    assert read.jump_size == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("cosines", "collapse", "recovered"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.5], None, ()),
        ([0.1, 0.2, 0.95, 0.95, 0.99, 0.99], 2, ()),
        ([0.1, 0.95, 0.2, 0.95, 0.99, 0.99], 3, (1,)),
        ([1, 0.95, 0.2, 0.3, 0.1, 0.1], None, (0, 1)),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9], 0, ()),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.95], 5, ()),  # what follows pooling does it
    ],
)
def test_collapse_is_a_rise_that_stays(cosines, collapse, recovered):
    read = findings(made(mean_cosine=cosines))
    assert (read.collapse, read.recovered) == (collapse, recovered)


@pytest.mark.parametrize(
    ("changes", "agreement"),
    [
        ({}, "both"),
        ({"cka_output": [1, 1, 1, 0.5, 1, 1]}, "last"),
        ({"overlap": [1, 1, 1, 0.3, 1, 1]}, "last"),
        ({"mean_cosine": [0.2, 0.2, 0.2, 0.6, 0.2, 0.2]}, "last"),
        ({"mean_cosine": [0.2, 0.2, 0.2, 0.2, 0.6, 0.2]}, "neither"),
        ({"cka_output": [1, 1, 1, 1, 0.5, 1]}, "neither"),
    ],
)
def test_agreement_with_the_last_layers(changes, agreement):
    assert findings(made(**changes)).agreement == agreement


@pytest.mark.parametrize("name", ["settled_cka", "settled_overlap", "collapsed_cosine", "same_cosine"])
@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan")])
def test_thresholds_that_make_no_sense(name, value):
    with pytest.raises(InputError, match=f"{name} should be above 0 and at most 1"):
        findings(made(), **{name: value})


def test_the_report_is_json_and_the_build_up_comes_back_from_a_shelf(tmp_path, sample):
    result = made(two_nn=[np.nan, 1, 2, 3, 4, 5])
    content = json.loads(json.dumps(build_up_report(result).to_dict(), allow_nan=False))
    assert content["findings"]["settled"] == 0
    assert content["build_up"]["two_nn"][0] is None
    shelf = Shelf(tmp_path)
    shelf.put(result, {"a": 1})
    assert shelf.get(BuildUp, {"a": 1}).to_dict() == result.to_dict()


def test_inputs_name_what_a_build_up_depends_on(sample):
    from lib.encoders import PACKAGED, Policy, describe

    corpus, checkpoint = sample[0], describe(PACKAGED, policy=Policy())
    plain = build_up_inputs(corpus, checkpoint, precision="float32")
    assert build_up_inputs(corpus, checkpoint, precision="float32", most_texts=402) == plain
    assert build_up_inputs(corpus, checkpoint.with_prompts(query="q: "), precision="float32") == plain
    others = [
        build_up_inputs(corpus, checkpoint, precision="float32", most_texts=401),
        build_up_inputs(corpus, checkpoint, precision="bfloat16"),
        build_up_inputs(corpus, checkpoint.with_prompts(document="d: "), precision="float32"),
        build_up_inputs(corpus, checkpoint, precision="float32", seed=1),
    ]
    assert all(other != plain for other in others)
