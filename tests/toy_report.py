"""A report on a few texts of a hostile kind, with vectors drawn for it: no encoder runs."""

from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from lib.corpora import Corpus, QuerySet
from lib.encoders import PACKAGED, Policy, describe
from lib.reports.making import report_of
from lib.reports.material import CorpusSide, Material, Options, QuerySide
from lib.reports.sections import measured
from lib.shelf import Shelf

EVIL = "<script>hacked=1</script><img src=x onerror=hacked=1>\"'`|*[a](javascript:hacked=1)\u2028</script>"
"""Stands in every text, label, topic, id and name."""
D = 8


@contextmanager
def without_umap():
    """A map by PCA and clusters by k-means: UMAP, which takes seconds to compile, is not the point here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured, "kept_projection", partial(measured.kept_projection, method="pca"))
        patch.setattr(measured, "kept_clusters", partial(measured.kept_clusters, method="kmeans"))
        yield


@pytest.fixture
def quick():
    with without_umap():
        yield


def vectors(rng, groups, noise=0.3):
    """Unit vectors around one direction a group, shape (n, D)."""
    centres = np.eye(D)[np.asarray(groups)]
    made = centres + noise * rng.normal(size=centres.shape)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def hostile():
    """Corpus and query set whose every word is hostile."""
    rng = np.random.default_rng(0)
    groups = np.arange(30) % 3
    corpus = Corpus(
        name=f"corpus {EVIL}",
        texts=tuple(f"text {i} {EVIL}" for i in range(30)),
        ids=tuple(f"id{i}{EVIL}" for i in range(30)),
        labels=tuple(f"label {g} {EVIL}" for g in groups),
        embeddings=vectors(rng, groups),
    )
    asked = np.arange(12) % 3
    queries = QuerySet(
        name=f"queries {EVIL}",
        queries=tuple(f"query {i} {EVIL}" for i in range(12)),
        query_ids=tuple(f"q{i}{EVIL}" for i in range(12)),
        documents=tuple(f"document {i} {EVIL}" for i in range(30)),
        document_ids=tuple(f"d{i}{EVIL}" for i in range(30)),
        judged_query=np.arange(12),
        judged_document=np.arange(12),
        relevance=np.ones(12, dtype=np.int64),
        topics=tuple(f"topic {g} {EVIL}" for g in asked),
    )
    return corpus, queries, vectors(rng, asked), vectors(rng, groups)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def checkpoint():
    return describe(PACKAGED, policy=Policy(allow_hub=False))


@pytest.fixture(scope="session")
def material(hostile, checkpoint):
    corpus, queries, asked, documents = hostile
    return Material(
        CorpusSide(corpus, None, "float32", corpus.embeddings, corpus.key, layers_needed="None.", heads_needed="None."),
        QuerySide(queries, checkpoint, "float32", asked, documents),
    )


@pytest.fixture(scope="session")
def report(material, shelf):
    """With texts quoted, and links into an app."""
    with without_umap():
        return report_of(material, shelf, Options(app="https://app.example", query=(("encoder", EVIL),)))
