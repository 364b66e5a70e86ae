"""How small can the vectors be? Fewer dimensions, fewer bits: quality against bytes."""

import numpy as np
import streamlit as st

from lib.charts import retrieval_sizes as charts
from lib.retrieval.quantisation import SizePoint, SizeQuality
from lib.retrieval.truncation import FEWEST_QUERIES, LEAST_LOSS, LEAST_RECOVERED, PrefixQuality
from lib.ui import downloads
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.sizes_cached import measured
from lib.ui.retrieval.sizes_storage import bytes_text, show_storage

_LITTLE = 0.01  # NDCG@10 whose loss is called small
_VERDICTS = {"ordered": "front-loaded", "unordered": "none found", "unclear": "cannot tell"}


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("How small can the vectors be?")
    found = measured(space)
    if found is None:
        return
    sizes, prefix = found.sizes, found.prefixes
    numbers, picture = numbers_over_picture()
    whole = sizes.point(sizes.dims[-1], "float32")
    with numbers:
        number(
            "Whole vectors", bytes_text(whole.bytes_per_document),
            f"A document's {whole.dims} numbers in float32; NDCG@10 {whole.ndcg:.3f}.",
        )  # fmt: skip
        _smallest(sizes, whole)
        number("Order of dimensions", _VERDICTS[prefix.verdict], _rule(prefix), wide=True)
    with picture:
        downloads.picture(
            charts.quality_by_bytes(sizes),
            key="sizes_bytes",
            about="Retrieval quality by the bytes that a document takes, for every way to store it.",
        )
        st.caption(
            "Up and left is better: more quality from fewer bytes. Along a line dimensions are cut (the first ones are "
            "kept and renormalised), from line to line numbers are stored in fewer bits. The dashed line is the whole "
            "vector in float32, the band its 95 % interval over queries; points within it may still be worse, query "
            "by query. **int8** keeps 256 steps for each dimension between the documents' least and largest value, "
            "**binary** the sign alone, searched by Hamming distance. **Rescored**: the first "
            f"{10 * sizes.rescored} are found that way, then put in order by the query in float32 against the stored "
            "document. All by cosine."
        )
    st.subheader("Do the first dimensions matter more?")
    st.markdown(_verdict(prefix))
    downloads.picture(
        charts.quality_by_dims(prefix),
        key="sizes_dims",
        about="Retrieval quality by how many dimensions are kept: the first ones, random ones and "
        "principal components.",
    )
    st.caption(
        "The first dimensions against random subsets of as many, and against as many principal components of these "
        "documents (fitted without judgements; a linear map that must be stored and applied to every query). Where "
        f"the blue line runs in the grey band, cutting the end off is no better than dropping any dimensions. "
        f"{_components(prefix)}"
    )
    show_storage(sizes)
    downloads.offer_result(found, name="sizes")


def _smallest(sizes: SizeQuality, whole: SizePoint) -> None:
    """The fewest bytes that certainly lose little."""
    if np.isnan(whole.change_low):
        number("Smallest that keeps it", "—", "One query with a relevant document gives no interval.", wide=True)
        return
    good = [point for point in sizes.points if point.change_low > -_LITTLE]
    best = min(good, key=lambda point: (point.bytes_per_document, -point.ndcg), default=whole)
    number(
        "Smallest that keeps it", bytes_text(best.bytes_per_document),
        f"{best.dims} dimensions, {best.precision}: the fewest bytes that lose less than {_LITTLE} of NDCG@10 at the "
        f"lower end of the change's 95 % interval, {_signed(best.change_low)} to {_signed(best.change_high)}. "
        "The best of many was chosen: expect a little less on other queries.",
        wide=True,
    )  # fmt: skip


def _components(prefix: PrefixQuality) -> str:
    """The fewest principal components that do about as well as all dimensions."""
    enough = np.flatnonzero(prefix.pca >= prefix.ndcg[-1] - _LITTLE)[0]
    if enough == len(prefix.dims) - 1:
        return ""
    return (
        f"The first {prefix.dims[enough]} components reach {prefix.pca[enough]:.3f}, all {prefix.dims[-1]} dimensions "
        f"{prefix.ndcg[-1]:.3f}; other documents may need other components."
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _rule(prefix: PrefixQuality) -> str:
    return (
        f"Front-loaded: at more than half of the sizes at which random subsets lose {LEAST_LOSS} of NDCG@10, the first "
        f"dimensions beat all {len(prefix.random)} random subsets and win back {share(LEAST_RECOVERED, 0)} of their "
        f"loss. No verdict below {FEWEST_QUERIES} queries."
    )


def _verdict(prefix: PrefixQuality) -> str:
    if prefix.verdict == "unclear":
        why = (
            f"only {count(prefix.queries)} queries have a relevant document, and {FEWEST_QUERIES} are needed"
            if prefix.queries < FEWEST_QUERIES
            else "random subsets of the dimensions lose next to nothing on this query set: it is too easy to tell"
        )
        return f"**This cannot be told here**: {why}."
    won, telling = int(prefix.wins.sum()), int(prefix.tells.sum())
    at = int(np.argmax(np.where(prefix.tells, np.abs(prefix.ahead), -1)))
    gap = (
        f"at {prefix.dims[at]} dimensions, where the two differ most, they are {_signed(prefix.ahead[at])} NDCG@10 "
        f"from the mean of random subsets ({_signed(prefix.ahead_low[at])} to {_signed(prefix.ahead_high[at])})"
    )
    if prefix.verdict == "ordered":
        return (
            f"**The first dimensions carry the most**, as Matryoshka training makes it (ordering by PCA looks the "
            f"same): {gap}; they win at {won} of {telling} sizes. Such vectors may be cut to a prefix."
        )
    return (
        f"**This does not look like a Matryoshka-trained encoder**: {gap}; they win clearly at {won} of {telling} "
        "sizes. Cutting the end off loses what leaving out any other dimensions would."
    )
