"""What ships beside the sample texts is what this code computes, and opens the app without its heavy parts.

Maps may differ between processors in where a group lies, so they are compared by what they are for: neighbours.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from lib.corpora import QUERY_SET_NAMES, load_query_set, load_sample
from lib.encoders.sources import PACKAGED_ADAPTERS
from lib.kept import kept_clusters, kept_projection
from lib.samples import ASKED, EMBEDDINGS, GROUPINGS, LAYOUTS, MAPS, build
from lib.shelf import Shelf
from lib.tensors import read_tensors

HEAVY = ("torch", "transformers", "sentence_transformers", "umap", "numba", "pynndescent", "sklearn")


def names(folder):
    return sorted(path.name for path in folder.rglob("*.safetensors"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """All that ships, computed again: the folder of the embeddings and that of the maps, and the key of the vectors."""
    root = tmp_path_factory.mktemp("samples")
    build(lambda done, of: None, embeddings=root / "embeddings", maps=root / "maps")
    return root / "embeddings", root / "maps"


@pytest.fixture(scope="module")
def key():
    """The content key of the sample's vectors."""
    from lib.embeddings import embed
    from lib.encoders import PACKAGED, Policy, describe
    from lib.store import EmbeddingStore

    def never():
        raise AssertionError("the sample's embeddings should ship")

    texts = load_sample("topics").texts
    return embed(texts, describe(PACKAGED, policy=Policy(allow_hub=False)), never, EmbeddingStore(EMBEDDINGS)).key


@pytest.fixture
def kept(key, monkeypatch):
    """Read a map or clusters from a folder, where they must be."""

    def never(*_arguments, **_settings):
        raise AssertionError("it is not kept under these settings")

    monkeypatch.setattr("lib.kept.project", never)
    monkeypatch.setattr("lib.kept.cluster", never)

    def read(folder, settings):
        get = kept_projection if "dimensions" in settings else kept_clusters
        return get(key, np.empty((0, 0)), Shelf(folder), **settings)

    return read


def rows_by_text(folder):
    """Embeddings of a folder's files, space and text key to vector."""
    rows = {}
    for path in folder.rglob("*.safetensors"):
        tensors, _ = read_tensors(path)
        vectors = next(tensor for tensor in tensors.values() if tensor.ndim == 2 and tensor.dtype.kind == "f")
        keys = next(tensor for tensor in tensors.values() if tensor.dtype == np.uint8 and tensor.ndim == 2)
        rows |= {(path.parent.name, key.tobytes()): vector for key, vector in zip(keys, vectors, strict=True)}
    return rows


def nearest(points, count=10):
    """The `count` nearest other rows of each row, by Euclidean distance."""
    squares = np.square(points).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :count]


def overlap(a, b, count=10):
    """Mean share of neighbours in common."""
    pairs = zip(nearest(a.astype(float), count), nearest(b.astype(float), count), strict=True)
    return np.mean([len(set(left) & set(right)) / count for left, right in pairs])


def test_the_embeddings_are_those_of_the_packaged_encoders(built):
    shipped, again = rows_by_text(EMBEDDINGS), rows_by_text(built[0])
    assert shipped.keys() == again.keys()
    corpus = set(load_sample("topics").texts)
    texts, compared = set(corpus), set(corpus)
    for name in QUERY_SET_NAMES:
        read = {*load_query_set(name).documents, *load_query_set(name).queries}
        texts |= read
        compared |= read if name in ASKED else set()
    assert len(shipped) == len(texts) + len(corpus) + len(PACKAGED_ADAPTERS) * len(compared)
    for text, vector in shipped.items():
        cosine = vector @ again[text] / np.linalg.norm(vector) / np.linalg.norm(again[text])
        assert cosine > 1 - 1e-4


def test_the_embeddings_lie_in_the_same_spaces(built):
    assert {path.name for path in EMBEDDINGS.iterdir()} == {path.name for path in built[0].iterdir()}


def test_the_same_maps_and_clusters_ship_under_the_same_keys(built):
    assert names(MAPS) == names(built[1])
    assert len(names(MAPS)) == len(LAYOUTS) + len(GROUPINGS) + 5  # Layers opens with two, Circuits with three


def result_file(folder, kind):
    """The arrays of the one result of a kind in a folder."""
    (path,) = folder.glob(f"{kind}-*.safetensors")
    return read_tensors(path)[0]


def test_births_are_the_same(built):
    shipped, again = (result_file(folder, "births") for folder in (MAPS, built[1]))
    common, left, right = np.intersect1d(shipped["features"], again["features"], return_indices=True)
    assert len(common) >= 0.98 * max(
        len(shipped["features"]), len(again["features"])
    )  # a few fire on just enough texts
    assert np.mean(shipped["birth"][left] == again["birth"][right]) > 0.98
    np.testing.assert_allclose(shipped["curves"][left], again["curves"][right], atol=0.02)


@pytest.mark.parametrize("kind", ["states", "background"])
def test_what_is_read_of_the_layers_is_the_same(built, kind):
    shipped, again = (result_file(folder, kind) for folder in (MAPS, built[1]))
    assert shipped.keys() == again.keys()
    for name, values in shipped.items():
        np.testing.assert_allclose(values, again[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout['method']} {layout['dimensions']}")
def test_a_map_is_as_good(built, kept, layout):
    shipped, again = kept(MAPS, layout), kept(built[1], layout)
    assert shipped.items == again.items == len(load_sample("topics"))
    assert shipped.trustworthiness == pytest.approx(again.trustworthiness, abs=0.03)
    assert shipped.notices == again.notices
    assert overlap(shipped.coordinates, again.coordinates) > 0.5  # by chance: 10 of 401


@pytest.mark.parametrize("grouping", GROUPINGS, ids=lambda grouping: grouping["method"])
def test_clusters_are_the_same(built, kept, grouping):
    from sklearn.metrics import adjusted_rand_score

    shipped, again = kept(MAPS, grouping), kept(built[1], grouping)
    agreement = adjusted_rand_score(shipped.labels, again.labels)
    if grouping["method"] == "kmeans":
        assert agreement >= 0.95
        assert shipped.tried.keys() == again.tried.keys()
        assert list(shipped.tried.values()) == pytest.approx(list(again.tried.values()), abs=0.02)
    else:  # it stands on a UMAP, which a processor may lay out a little differently
        assert agreement >= 0.5
        assert shipped.fence == pytest.approx(again.fence, abs=0.03)


@pytest.mark.parametrize("settings", [*LAYOUTS, *GROUPINGS])
def test_the_page_asks_for_what_ships(kept, settings):
    """The settings in `samples` are the page's own, spelt alike: else the page would compute them anew."""
    from lib.ui.geometry.cached import Grouping, Layout

    kind = Layout if "dimensions" in settings else Grouping
    assert kept(MAPS, asdict(kind(**settings))) is not None


def test_what_ships_is_small():
    files = [path for folder in (EMBEDDINGS, MAPS) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert {path.suffix for path in files} == {".safetensors"}


SCRIPT = """
import json, sys
from streamlit.testing.v1 import AppTest

page = AppTest.from_file(sys.argv[1], default_timeout=60)
page.query_params.update(json.loads(sys.argv[2]))
if len(sys.argv) > 3:
    page.switch_page(sys.argv[3])
page.run()
print(json.dumps({
    "modules": sorted({name.split(".")[0] for name in sys.modules}),
    "errors": [fault.value for fault in (*page.exception, *page.error)],
    "shown": [*(metric.label for metric in page.metric), *("chart" for _ in page.get("plotly_chart"))],
}))
"""


def opened_by_itself(root, tmp_path, query, *page):
    """What a fresh process imported to show the app (or one of its pages), with a cache that holds nothing."""
    environment = os.environ | {
        "EMBEDSCOPE_STORE": str(tmp_path / "store"),
        "EMBEDSCOPE_RESULTS": str(tmp_path / "results"),
    }
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(root / "app.py"), json.dumps(query), *page], cwd=root,
                          env=environment, capture_output=True, text=True, check=True)  # fmt: skip
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["errors"] == []
    assert said["shown"]
    return set(said["modules"])


@pytest.mark.parametrize("query", [{}, {"map": "t-SNE", "clusters": "k-means"}, {"dims": "3D"}])
def test_a_first_look_imports_nothing_heavy(root, tmp_path, query):
    """The first page compares with BM25, whose library looks for numba."""
    assert not opened_by_itself(root, tmp_path, query) & set(HEAVY) - {"numba"}


@pytest.mark.parametrize("view", ["Anisotropy", "Dimension", "Labels", "Hubs", "Outliers"])
def test_no_view_of_the_sample_imports_torch_or_umap(root, tmp_path, view):
    assert not opened_by_itself(root, tmp_path, {"view": view}) & set(HEAVY[:6])


@pytest.mark.parametrize("view", ["Trace", "Births"])
def test_circuits_of_the_sample_open_no_encoder(root, tmp_path, view):
    assert not opened_by_itself(root, tmp_path, {"view": view}, "pages/circuits.py") & set(HEAVY)


def test_the_diff_of_the_sample_opens_no_encoder(root, tmp_path):
    assert not opened_by_itself(root, tmp_path, {}, "pages/finetune_diff.py") & set(HEAVY[:6])
