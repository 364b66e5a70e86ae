"""Smoothing: running medians, the noise of a curve, and stretches of steps that share something."""

import numpy as np
from numpy.typing import NDArray

_TO_SD = 1.4826  # a normal law's standard deviation over its median absolute deviation


def running_median(values: NDArray[np.float64], window: int, *, least: int = 1) -> NDArray[np.float64]:
    """Median of each value and those before it, `window` in all, along the first axis; NaN with fewer than `least`."""
    import pandas as pd

    found: NDArray[np.float64] = pd.DataFrame(values).rolling(window, min_periods=least).median().to_numpy()
    return found.reshape(values.shape)


def median_about(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Median of each value and its neighbours on both sides, `window` in all, fewer at the ends."""
    import pandas as pd

    found: NDArray[np.float64] = pd.Series(values).rolling(window, min_periods=1, center=True).median().to_numpy()
    return found


def median_so_far(values: NDArray[np.float64], *, lag: int, least: int) -> NDArray[np.float64]:
    """Median of all values at least `lag` before each, along the first axis; NaN with fewer than `least` of them."""
    import pandas as pd

    found: NDArray[np.float64] = pd.DataFrame(values).expanding(min_periods=least).median().shift(lag).to_numpy()
    return found.reshape(values.shape)


def noise(values: NDArray[np.float64]) -> float:
    """Standard deviation of a curve about its own course, from its successive differences, robust; 0 below 3 values."""
    steps = np.diff(values)
    if len(steps) < 2:
        return 0.0
    return float(_TO_SD * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def spread(values: NDArray[np.float64], window: int, *, least: int) -> NDArray[np.float64]:
    """Robust standard deviation of the values in a window that ends at each, along the first axis."""
    away = np.abs(values - running_median(values, window, least=least))
    return _TO_SD * running_median(away, window, least=least)


def slopes(values: NDArray[np.float64], window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least-squares slope a step of each window, and the standard deviation about its line, each (n - window + 1,)."""
    at = np.arange(window) - (window - 1) / 2
    squares = float((at**2).sum())
    slope = np.convolve(values, at[::-1], mode="valid") / squares
    total, ones = values - values.mean(), np.ones(window)
    means = np.convolve(total, ones, mode="valid") / window
    rest = np.convolve(total**2, ones, mode="valid") - window * means**2 - slope**2 * squares
    if window <= 2:
        return slope, np.zeros(len(slope))
    return slope, np.sqrt(np.maximum(rest, 0.0) / (window - 2))


def stretches(chosen: NDArray[np.bool_], *, least: int = 1) -> list[tuple[int, int]]:
    """First and last place of each run of at least `least` places that are chosen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]
