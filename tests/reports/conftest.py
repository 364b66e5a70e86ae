"""The report on hostile texts, for every test here."""
# ruff: noqa: F811 - a fixture is asked for by its name

import pytest

from tests.toy_report import checkpoint, hostile, material, quick, report, shelf  # noqa: F401


@pytest.fixture(autouse=True)
def _quick(quick):
    """No UMAP."""
