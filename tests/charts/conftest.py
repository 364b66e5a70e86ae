"""Small results to draw."""

import json

import numpy as np
import pytest

from lib import geometry

WILD = "<script>alert('x')</script> & \"q\""


@pytest.fixture(scope="session")
def wild():
    """A name that must reach no page as HTML."""
    return WILD


@pytest.fixture(scope="session")
def vectors():
    """Forty embeddings, shape (40, 6), off-centre."""
    return (np.random.default_rng(0).normal(size=(40, 6)) + 0.5).astype(np.float32)


@pytest.fixture(scope="session")
def labels():
    """A label for each: three different ones, some texts without."""
    return [None if n % 10 == 9 else "abc"[n % 3] for n in range(40)]


@pytest.fixture(scope="session")
def texts():
    """A text for each."""
    return [f"text {n}" for n in range(40)]


@pytest.fixture(scope="session")
def flat_map(vectors):
    """A map of them in two dimensions."""
    return geometry.project(vectors, method="pca")


@pytest.fixture(scope="session")
def large_map():
    """A map of 20,001 points."""
    return geometry.project(np.random.default_rng(1).normal(size=(20_001, 3)).astype(np.float32), method="pca")


@pytest.fixture(scope="session")
def sent():
    """What a browser is sent of a figure: strict JSON, decoded."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return lambda fig: json.loads(fig.to_json(), parse_constant=refuse)
