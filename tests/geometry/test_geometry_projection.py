"""Maps: PCA against scikit-learn, one seed one map, few and equal texts, placing, threads, messages."""

import threading
import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from lib.errors import InputError
from lib.geometry import projection
from lib.geometry.projection import place, project, warm_up

RNG = np.random.default_rng(2)
D = 12
CENTRES = RNG.normal(size=(3, D)) * 3
GROUPS = np.arange(90) % 3
X = CENTRES[GROUPS] + RNG.normal(size=(90, D))


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def distances(coordinates):
    return np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_pca_equals_scikit_learn_up_to_sign(dimensions):
    ours, theirs = project(X, method="pca", dimensions=dimensions), PCA(dimensions).fit(unit(X))
    expected = theirs.transform(unit(X))
    np.testing.assert_allclose(np.abs(ours.coordinates), np.abs(expected), atol=1e-5)
    np.testing.assert_allclose(ours.explained_variance, theirs.explained_variance_ratio_, atol=1e-5)
    assert (ours.fitted, ours.placed, ours.neighbours, ours.perplexity) == (90, 0, None, None)


def test_pca_does_not_hang_on_lengths_or_rotation():
    rotation, _ = np.linalg.qr(RNG.normal(size=(D, D)))
    turned = project(X @ rotation * RNG.uniform(0.1, 9, size=(90, 1)), method="pca")
    np.testing.assert_allclose(
        distances(turned.coordinates), distances(project(X, method="pca").coordinates), atol=1e-4
    )


@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
def test_one_seed_one_map(method):
    first, again = project(X, method=method, seed=3), project(X, method=method, seed=3)
    np.testing.assert_array_equal(first.coordinates, again.coordinates)
    assert first.coordinates.dtype == np.float32
    assert first.to_dict() == again.to_dict()


def test_another_seed_another_umap():
    assert (project(X, seed=1).coordinates != project(X, seed=2).coordinates).any()


@pytest.mark.parametrize("method", ["umap", "tsne"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_groups_stay_together(method, dimensions):
    result = project(X, method=method, dimensions=dimensions)
    between = distances(result.coordinates)
    np.fill_diagonal(between, np.inf)
    assert (GROUPS[between.argmin(axis=1)] == GROUPS).mean() > 0.9
    assert result.coordinates.shape == (90, dimensions)


def test_trustworthiness_equals_scikit_learn():
    result = project(X, method="pca")
    expected = trustworthiness(X, result.coordinates, n_neighbors=10, metric="cosine")
    assert result.trustworthiness == pytest.approx(expected, abs=1e-6)
    assert (result.trust_items, result.trust_neighbours) == (90, 10)


def test_trustworthiness_of_many_is_that_of_a_sample(monkeypatch):
    monkeypatch.setattr(projection, "_TRUST_SAMPLE", 40)
    assert project(X, method="pca").trust_items == 40


@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("copies", [1, 8])
def test_few_texts_have_a_map(method, n, copies):
    x = np.repeat(X[:n], copies, axis=0)
    result = project(x, method=method)
    assert result.coordinates.shape == (n * copies, 2)
    assert np.isfinite(result.coordinates).all()
    assert result.method == (method if n >= 5 else "pca")
    assert (result.method != method) == any("this map is PCA" in notice for notice in result.notices)
    assert (result.trustworthiness is None) == (n * copies < 4)


@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
def test_equal_texts_share_one_point(method):
    result = project(np.ones((30, 4)), method=method)
    np.testing.assert_allclose(result.coordinates, 0, atol=1e-6)
    np.testing.assert_array_equal(result.explained_variance, [0, 0])


def test_one_dimension_leaves_the_second_axis_empty():
    result = project(np.array([[1.0], [-1.0], [2.0]]), method="pca")
    np.testing.assert_allclose(np.abs(result.coordinates[:, 0]), [2 / 3, 4 / 3, 2 / 3], atol=1e-6)
    np.testing.assert_array_equal(result.coordinates[:, 1], 0)


def test_settings_that_were_lowered_are_said():
    umap, tsne = project(X[:12], neighbours=15), project(X[:12], method="tsne")
    assert umap.neighbours == 11
    assert tsne.perplexity == pytest.approx(11 / 3)
    assert umap.notices == ("UMAP looked at 11 neighbours: there are no more other texts.",)
    assert tsne.notices == ("t-SNE took a perplexity of 3.67: a third of the other texts.",)


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_above_the_limit_the_rest_is_placed(method):
    result = project(X, method=method, fit_on=60, seed=4)
    assert (result.fitted, result.placed) == (60, 30)
    assert "fitted on 60 of 90 texts" in result.notices[-1]
    alone = project(X[result.fitted_rows], method=method, seed=4)
    np.testing.assert_array_equal(result.coordinates[result.fitted_rows], alone.coordinates)
    rest = np.setdiff1d(np.arange(90), result.fitted_rows)
    np.testing.assert_allclose(place(result, X, X[rest]), result.coordinates[rest], atol=1e-5)
    fitted = result.coordinates[result.fitted_rows]
    nearest = np.linalg.norm(result.coordinates[rest][:, None] - fitted[None], axis=2).argmin(axis=1)
    assert (GROUPS[result.fitted_rows][nearest] == GROUPS[rest]).mean() > 0.9


@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
def test_a_text_of_the_map_lands_where_it_stands(method):
    result = project(X, method=method)
    np.testing.assert_allclose(place(result, X, 5 * X[:7]), result.coordinates[:7], atol=1e-4)


def test_a_text_with_copies_lands_amid_them():
    x = np.vstack([X, X[:1]])
    result = project(x, method="umap")
    np.testing.assert_allclose(place(result, x, x[:1])[0], result.coordinates[[0, 90]].mean(axis=0), atol=1e-4)


def slow_place(result, x, new):
    gaps = np.linalg.norm(unit(x) - unit(new), axis=1)
    nearest = np.argsort(gaps)[:10]
    weights, near = gaps[nearest] ** -2, result.coordinates[nearest].astype(float)
    between = distances(near)
    kept = np.argsort(between[(between * weights).sum(axis=1).argmin()], kind="stable")[:5]
    return np.average(near[kept], axis=0, weights=weights[kept])


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_placing_equals_the_definition(method):
    result = project(X, method=method)
    new = RNG.normal(size=(12, D)) + CENTRES[0]
    expected = [slow_place(result, X, row[None]) for row in new]
    np.testing.assert_allclose(place(result, X, new), expected, rtol=1e-4, atol=1e-4)


def test_a_text_between_two_islands_lands_on_one_of_them():
    result = project(X, method="tsne")
    between = unit(CENTRES[:1]) + unit(CENTRES[1:2])
    gap = np.linalg.norm(result.coordinates - place(result, X, between)[0], axis=1).min()
    assert gap < 0.2 * distances(result.coordinates).max()


def test_placing_nothing_gives_nothing():
    assert place(project(X, method="pca"), X, np.empty((0, D))).shape == (0, 2)


def test_three_maps_at_once_and_no_warnings():
    results = {}

    def work(seed):
        results[seed] = project(X, seed=seed).coordinates

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warm_up()
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for seed in range(3):
        np.testing.assert_array_equal(results[seed], project(X, seed=seed).coordinates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "isomap"}, "one of umap, pca, tsne, got 'isomap'"),
        ({"dimensions": 4}, "2 or 3 dimensions, got 4"),
        ({"neighbours": 1}, "at least 2 neighbours, got 1"),
        ({"min_dist": 2.0}, "between 0 and 1, got 2.0"),
        ({"perplexity": 0}, "above 0, got 0"),
        ({"fit_on": 3}, "at least 10 texts to be fitted on, got fit_on=3"),
    ],
)
def test_says_which_setting_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        project(X, **arguments)


def test_says_what_is_wrong_with_the_embeddings():
    with pytest.raises(InputError, match="at least 1 embeddings, got 0"):
        project(np.empty((0, 4)))
    with pytest.raises(InputError, match="Embedding 1 has zero length"):
        project(np.array([[1.0, 2.0], [0.0, 0.0]]))


@pytest.mark.parametrize(
    ("embeddings", "new", "message"),
    [(X[:5], X[:1], "holds 90 embeddings, got 5"), (X, X[:1, :4], "made from 12 dimensions, got 4")],
)
def test_placing_says_what_is_wrong(embeddings, new, message):
    with pytest.raises(InputError, match=message):
        place(project(X, method="pca"), embeddings, new)
