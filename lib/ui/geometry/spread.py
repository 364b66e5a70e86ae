"""Do all embeddings point the same way? Anisotropy, dominant dimensions, uniformity."""

import pandas as pd
import streamlit as st

from lib.charts import geometry as charts
from lib.geometry import Anisotropy, Uniformity
from lib.ui import downloads
from lib.ui.geometry import cached
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share
from lib.ui.workspace import Space

_PAIRS = [50_000, 200_000, 1_000_000]


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("Do all embeddings point the same way?")
    pairs = int(
        st.select_slider(
            "Pairs in the histogram", _PAIRS, value=_PAIRS[1], format_func=count, key="pairs", bind="query-params",
        persist_state="session",
            help="The mean needs none: it is exact. Up to this many, every pair is taken; above, a sample.", width=320,
        )
    )  # fmt: skip
    result = cached.anisotropy(space.vectors_key, space.vectors, max_pairs=pairs, seed=0)
    even = cached.uniformity(space.key, space.vectors_key, space.vectors, space.labels, max_pairs=pairs, seed=0)
    numbers, picture = numbers_over_picture()
    with numbers:
        number("Mean cosine", f"{result.mean_cosine:.3f}", "Over every pair, exact. 0 = isotropic, 1 = collapsed.")
        number(
            "After mean-centering",
            f"{result.mean_cosine_centred:.3f}",
            "The mean cosine once the mean vector is subtracted: near 0 by construction. What tells is "
            "how far the histogram narrows.",
        )
        number(
            "Top direction",
            share(result.top_direction_share),
            f"Share of the second moment in the strongest direction; {share(result.top_direction_share_centred)} after "
            f"centering. Evenly spread directions would have {share(1 / result.dimensions)}.",
        )
    with picture:
        downloads.picture(
            charts.cosine_histogram(result),
            key="cosines",
            about="How similar two texts are, as a distribution, beside evenly spread directions.",
        )
        st.caption(_reading(result))
    st.subheader("Which dimensions dominate cosine?")
    downloads.picture(
        charts.dominant_dimensions(result),
        key="dimensions",
        name="dominant_dimensions",
        about="What each dimension gives to the mean cosine, the strongest first.",
    )
    top = abs(result.contributions).max() / max(abs(result.contributions).sum(), 1e-12)
    st.caption(
        f"Each bar is one dimension's part of the mean cosine; the parts of all {count(result.dimensions)} add up to "
        f"it exactly. The largest holds {share(top)} of their total size. One or two tall bars mean that a few "
        "coordinates decide similarity; centering removes what they share."
    )
    st.subheader("How evenly is the sphere covered?")
    _uniformity(even)
    downloads.offer_result(result, name="anisotropy")


def _reading(result: Anisotropy) -> str:
    beyond = result.mean_cosine * result.dimensions**0.5  # uniform directions: cosine has deviation 1 / sqrt(d)
    taken = "every pair" if result.every_pair else "a sample of pairs"
    return (
        f"Two texts drawn at random have a cosine of {result.mean_cosine:.3f} on average, {beyond:.1f} standard "
        f"deviations of the uniform law above 0. The histogram is over {taken} ({count(result.pairs)}); the dashed law "
        "is cut off at the top. Compare encoders on the same corpus only: a narrow topic raises this number too. "
        "A low one does not by itself mean good retrieval."
    )


def _uniformity(even: Uniformity) -> None:
    rows = [
        ("Uniformity", even.uniformity, f"{even.uniform_sphere:.2f} for even directions", "lower = more even"),
        ("Alignment", even.alignment, "—" if even.across is None else f"{even.across:.2f} across labels",
         "lower = texts of one label are closer"),
    ]  # fmt: skip
    downloads.table(
        pd.DataFrame(
            [
                {"measure": name, "value": "needs labels" if value is None else f"{value:.3f}", "baseline": base,
                 "how to read": reading}
                for name, value, base, reading in rows
            ]
        ),
        name="uniformity",
        hide_index=True,
    )  # fmt: skip
    st.caption(
        "Uniformity is log mean exp(−2 |u − v|²) over pairs, alignment the mean squared distance of two texts with the "
        "same label (Wang and Isola 2020). Both are low in a good space; either alone can be had by a useless one."
    )
