"""How many of its dimensions does the encoder use? Intrinsic dimension and distance concentration."""

import streamlit as st

from lib.charts import geometry as charts
from lib.geometry import IntrinsicDimension
from lib.ui import downloads
from lib.ui.geometry import cached
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count
from lib.ui.workspace import Space


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("How many dimensions do these texts fill?")
    result = cached.intrinsic_dimension(space.vectors_key, space.vectors, k=10, seed=0)
    numbers, picture = numbers_over_picture()
    with numbers:
        number(
            "Components for 95 %",
            f"{result.components_95} of {result.dimensions}",
            f"Principal components that hold 95 % of the variance; 90 %: {result.components_90}, "
            f"99 %: {result.components_99}.",
            wide=True,
        )
        number(
            "Participation ratio",
            f"{result.participation_ratio:.1f}",
            "The number of equally strong components that would spread the variance as evenly.",
        )
        _two_nn(result)
    with picture:
        downloads.picture(
            charts.cumulative_variance(result),
            key="variance",
            name="cumulative_variance",
            about="How much of the variance the strongest components hold together.",
        )
        st.caption(_reading(result))
    st.subheader("Can the nearest still be told from the farthest?")
    contrast = cached.concentration(space.vectors_key, space.vectors, seed=0)
    downloads.picture(
        charts.contrast_by_dimension(contrast),
        key="contrast",
        name="relative_contrast",
        about="How well the nearest text can still be told from the farthest as dimensions are added, beside noise.",
    )
    st.caption(
        f"Relative contrast is (farthest − nearest) / nearest, the median over {count(contrast.points)} texts among "
        "each other. It falls as dimensions are added; where it comes close to the noise, neighbours mean little. It "
        "grows with the number of texts, so compare equal numbers only."
    )
    downloads.offer_result(result, name="intrinsic_dimension")


def _two_nn(result: IntrinsicDimension) -> None:
    if result.two_nn is None or result.two_nn_interval is None:
        number("TwoNN", "—", "Needs ten different texts or more.")
        return
    low, high = result.two_nn_interval
    asked = "all texts" if result.every_row else "a sample of texts, each against the whole corpus"
    number(
        "TwoNN",
        f"{result.two_nn:.1f}",
        f"Nonlinear estimate from the two nearest neighbours (Facco et al. 2017), 95 % interval {low:.1f} to "
        f"{high:.1f}, over {asked}.",
    )


def _reading(result: IntrinsicDimension) -> str:
    limit = min(result.items - 1, result.dimensions)
    small = (
        f" {count(result.items)} texts have at most {limit} components: more texts would raise these counts."
        if result.items < 5 * result.dimensions
        else ""
    )
    return (
        f"{result.components_90}, {result.components_95} and {result.components_99} of {result.dimensions} components "
        f"hold 90, 95 and 99 % of the variance.{small} A low count is not bad in itself: it says how far this corpus "
        "could be compressed. Compare encoders on the same texts only."
    )
