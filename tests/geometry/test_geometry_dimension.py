"""Intrinsic dimension: scikit-dimension and scikit-learn agree; known manifolds; sets that carry no dimension."""

import json
import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

from lib.errors import InputError
from lib.geometry import intrinsic_dimension, moments, neighbours
from lib.geometry.dimension import components, two_nn

RNG = np.random.default_rng(5)


def units(x):
    u = np.asarray(x, dtype=np.float32)
    return (u / np.linalg.norm(u, axis=1, keepdims=True)).astype(np.float64)


def embedded_ball(n, inner, outer, *, shift=1.0):
    """`inner`-dimensional Gaussian points turned into `outer` dimensions, away from the origin."""
    basis, _ = np.linalg.qr(RNG.normal(size=(outer, inner + 1)))
    return RNG.normal(size=(n, inner)) @ basis[:, :inner].T * 0.3 + shift * basis[:, inner]


@pytest.mark.parametrize(("n", "d", "inner"), [(400, 5, 5), (500, 25, 4), (400, 26, 10), (600, 384, 12), (300, 64, 64)])
def test_two_nn_equals_scikit_dimension(n, d, inner):
    from skdim.id import TwoNN

    x = embedded_ball(n, inner, d) if inner < d else RNG.normal(size=(n, d))
    reference = TwoNN(discard_fraction=0.1, method="linear").fit(units(x)).dimension_
    assert intrinsic_dimension(x).two_nn == pytest.approx(reference, rel=1e-6)


def test_two_nn_equals_scikit_dimension_with_copies():
    from skdim.id import TwoNN

    x = RNG.normal(size=(200, 6)).astype(np.float32)
    x = np.vstack([x, x[:30]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = TwoNN(discard_fraction=0.1, method="linear").fit(units(x)).dimension_
    result = intrinsic_dimension(x)
    assert (result.copies, result.two_nn_points) == (60, 170)
    assert result.two_nn == pytest.approx(reference, rel=1e-6)


@pytest.mark.parametrize("inner", [1, 2, 5])
def test_two_nn_finds_the_dimension_of_a_flat_sheet(inner):
    result = intrinsic_dimension(embedded_ball(3_000, inner, 30))
    assert result.two_nn == pytest.approx(inner, rel=0.1)
    low, high = result.two_nn_interval
    assert low < result.two_nn < high


def test_a_curve_bends_through_many_components_but_is_one_dimensional():
    t = RNG.uniform(0, 2 * np.pi, size=2_000)
    curve = np.column_stack([f(k * t) for k in range(1, 11) for f in (np.sin, np.cos)])
    result = intrinsic_dimension(curve)
    assert result.two_nn == pytest.approx(1, abs=0.1)
    assert result.components_90 == 18
    assert result.participation_ratio == pytest.approx(20, rel=0.05)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        low, high = intrinsic_dimension(rng.normal(size=(300, 4)), seed=seed).two_nn_interval  # the sphere: 3
        covered += low <= 3 <= high
    assert covered >= 48


def test_linear_figures_equal_principal_components():
    x = RNG.normal(size=(300, 20)) / np.arange(1, 21)
    fitted = PCA().fit(units(x))
    share, result = np.cumsum(fitted.explained_variance_ratio_), intrinsic_dimension(x)
    assert result.cumulative == pytest.approx(share, abs=1e-6)
    for wanted, found in ((0.9, result.components_90), (0.95, result.components_95), (0.99, result.components_99)):
        assert found == np.flatnonzero(share >= wanted)[0] + 1
    variance = fitted.explained_variance_
    assert result.participation_ratio == pytest.approx(variance.sum() ** 2 / (variance**2).sum(), rel=1e-5)


def test_equal_axes_count_themselves():
    result = intrinsic_dimension(np.vstack([np.eye(10), -np.eye(10)]))
    assert (result.components_90, result.components_95, result.components_99) == (9, 10, 10)
    assert result.participation_ratio == pytest.approx(10)
    assert result.cumulative == pytest.approx(np.arange(1, 11) / 10)


def test_components_reach_the_share_exactly():
    assert components(np.array([0.5, 0.9, 1.0]), 0.9) == 2
    assert components(np.array([0.5, 0.9, 1.0]), 0.91) == 3
    assert components(np.zeros(3), 0.9) == 0


def test_two_nn_closed_form():
    """Ratios placed on the quantiles of the Pareto law with exponent 7."""
    n = 1_000
    ratios = (1 - np.arange(1, n + 1) / (n + 1e-9)) ** (-1 / 7)
    assert two_nn(ratios) == pytest.approx(7, rel=1e-6)
    assert two_nn(RNG.permutation(ratios)) == pytest.approx(two_nn(ratios))


@pytest.mark.parametrize(
    ("ratios", "discard", "message"),
    [
        (np.array([1.5, 1.2]), 0.1, "at least 3 points with a second neighbour, got 2"),
        (np.ones(20), 0.1, "at different distances"),
        (np.full(20, 1.5), 0.0, "between 0 and 1, got 0.0"),
        (np.full(20, 1.5), 1.0, "between 0 and 1, got 1.0"),
    ],
)
def test_two_nn_says_what_is_wrong(ratios, discard, message):
    with pytest.raises(InputError, match=message):
        two_nn(ratios, discard=discard)


def test_rotation_order_and_scale_change_nothing():
    x = embedded_ball(300, 3, 8)
    rotation, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    plain = intrinsic_dimension(x)
    for other in (x @ rotation, RNG.permutation(x), x * RNG.uniform(0.1, 9, size=(300, 1))):
        result = intrinsic_dimension(other)
        assert result.two_nn == pytest.approx(plain.two_nn, rel=1e-3)
        assert result.participation_ratio == pytest.approx(plain.participation_ratio, rel=1e-4)
        assert result.components_95 == plain.components_95


def test_copies_of_some_points_leave_the_rest_in_place():
    x = RNG.normal(size=(100, 4))
    with_copies = intrinsic_dimension(np.vstack([x, x[:5]]))
    assert with_copies.copies == 10
    assert with_copies.two_nn_points == 95


@pytest.mark.parametrize("n", [2, 3, 11, 3_000])
def test_all_the_same_vector_has_no_dimension(n):
    result = intrinsic_dimension(np.outer(np.arange(1, n + 1), RNG.normal(size=30)))
    assert (result.components_90, result.components_99, result.participation_ratio) == (0, 0, 0)
    assert not result.cumulative.any()
    assert (result.two_nn, result.two_nn_interval) == (None, None)
    assert (result.two_nn_points, result.copies) == (0, n)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_few_texts_carry_no_two_nn(n):
    result = intrinsic_dimension(RNG.normal(size=(n, 5)))
    assert result.two_nn is None
    assert 1 <= result.components_99 <= min(n - 1, 5)


def test_texts_equally_far_from_each_other_carry_no_two_nn():
    rotation, _ = np.linalg.qr(RNG.normal(size=(40, 40)))
    for corners in (np.eye(40), rotation):
        result = intrinsic_dimension(corners)
        assert (result.two_nn, result.two_nn_interval) == (None, None)
        assert result.two_nn_points == 40


def test_a_few_telling_points_among_equally_far_ones():
    x = np.eye(20)
    x[:3, 3] = [0.4, 0.5, 0.6]  # too few to be left when the largest ratios are discarded
    result = intrinsic_dimension(x)
    assert result.two_nn is None or result.two_nn_interval[0] > 0


@pytest.mark.parametrize("d", [1, 2])
def test_few_dimensions(d):
    result = intrinsic_dimension(RNG.normal(size=(60, d)))
    assert result.dimensions == d
    assert 1 <= result.participation_ratio <= d
    assert (result.two_nn is None) == (d == 1)


def test_given_moments_and_neighbours_are_used():
    x = RNG.normal(size=(100, 6))
    plain = intrinsic_dimension(x)
    assert intrinsic_dimension(x, known=moments(x), nearest=neighbours(x, 10)).to_dict() == plain.to_dict()


def test_a_sample_of_points_says_so():
    x = RNG.normal(size=(200, 6))
    result = intrinsic_dimension(x, nearest=neighbours(x, 2, exact_up_to=10, sample=80))
    assert (result.every_row, result.two_nn_points, result.items) == (False, 80, 200)


def test_result_is_json():
    for x in (np.ones((3, 2)), RNG.normal(size=(50, 3))):
        json.dumps(intrinsic_dimension(x).to_dict(), allow_nan=False)


def test_refuses():
    with pytest.raises(InputError, match="Intrinsic dimension needs at least 2 embeddings, got 1"):
        intrinsic_dimension(np.ones((1, 3)))
    with pytest.raises(InputError, match="Embedding 1 has zero length"):
        intrinsic_dimension(np.array([[1.0, 0], [0, 0]]))
