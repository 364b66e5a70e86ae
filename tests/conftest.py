"""What every test has: no hub, and a store and a shelf of its own instead of the user's."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the hub's library, which reads it once

import pytest

ROOT = Path(__file__).parents[1]


SLOW = ("browser/", "test_samples.py")
"""Files of few and long tests: they begin first, so that no processor waits for another at the end."""


def pytest_collection_modifyitems(items):
    """Put slow files first; all else stays in its order."""
    items.sort(key=lambda item: not any(part in item.path.as_posix() for part in SLOW))


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Where this run keeps embeddings and results; the user's cache is neither read nor written."""
    folder = tmp_path_factory.mktemp("embedscope")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("EMBEDSCOPE_")]:
            patch.delenv(name)
        patch.setenv("EMBEDSCOPE_STORE", str(folder / "store"))
        patch.setenv("EMBEDSCOPE_RESULTS", str(folder / "results"))
        patch.setenv("EMBEDSCOPE_RUNS", str(folder / "runs"))
        patch.setenv("EMBEDSCOPE_SHARES", str(folder / "shares"))
        yield folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def sample():
    """The sample corpus, labelled by topic, and its embeddings, shape (402, 384)."""
    from lib.corpora import load_sample
    from lib.embeddings import embed
    from lib.encoders import PACKAGED, Policy, describe, open_encoder
    from lib.store import default_store

    corpus, policy = load_sample("topics"), Policy.from_environment()
    checkpoint = describe(PACKAGED, policy=policy)
    made = embed(corpus.texts, checkpoint, lambda: open_encoder(checkpoint, policy=policy), default_store())
    return corpus, made.vectors


@pytest.fixture(scope="session")
def small_sae():
    """A random dictionary of 256 features for the packaged encoder, 24 active a text."""
    from tests.toy_sae import packaged_sae

    return packaged_sae(256, 24)


@pytest.fixture(scope="session")
def small_sae_folder(small_sae, tmp_path_factory):
    """That dictionary as a folder."""
    from lib.sae import save

    made = tmp_path_factory.mktemp("sae")
    save(small_sae, made)
    return made
