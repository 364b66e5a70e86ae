"""How much storage does each size take? A table for this corpus and for one of any size."""

import pandas as pd
import streamlit as st

from lib.retrieval.quantisation import SizePoint, SizeQuality
from lib.ui import downloads
from lib.ui.messages import THIN, count, share

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_MOST = 10**10


def bytes_text(size: float) -> str:
    """Bytes in words: 1 024 000 000 is 1.02 GB."""
    for unit, name in _UNITS:
        if size >= 0.9995 * unit:
            return f"{size / unit:#.3g}".rstrip(".") + f"{THIN}{name}"
    return f"{count(round(size))}{THIN}byte{'' if round(size) == 1 else 's'}"


def show_storage(result: SizeQuality) -> None:
    """Draw it."""
    st.subheader("How much storage does each size take?")
    documents = int(
        st.number_input(
            "Documents to be stored", 1, _MOST, 1_000_000, step=1_000_000, key="sizes_documents",
            bind="query-params", persist_state="session", width=220,
            help="For how many documents the storage is reckoned.",
        )
    )  # fmt: skip
    table = storage_table(result, documents)
    st.dataframe(table, hide_index=True)
    st.caption(
        "Vectors alone; an index adds its links, a database its texts. The quality is that measured on this query set "
        f"of {count(result.items)} documents: among many more documents there are more to be mistaken for the right "
        "one, and coarse vectors suffer first. Times are of this page's exact search in float32, over all queries at "
        "once; an exact search takes as many times longer as there are more documents."
    )
    downloads.offer_table(table, name="storage")


def storage_table(result: SizeQuality, documents: int) -> pd.DataFrame:
    """A row for each size and precision, largest first."""
    points = sorted(result.points, key=lambda point: -point.bytes_per_document)
    return pd.DataFrame(
        {
            "dims": [point.dims for point in points],
            "stored as": [point.precision for point in points],
            "bytes a document": [point.bytes_per_document for point in points],
            f"{count(result.items)} documents (these)": [
                bytes_text(point.bytes_per_document * result.items) for point in points
            ],
            f"{count(documents)} documents": [bytes_text(point.bytes_per_document * documents) for point in points],
            "NDCG@10": [f"{point.ndcg:.3f}{_between(point)}" for point in points],
            "kept": [share(point.kept) if point.kept == point.kept else "—" for point in points],
            "Recall@10": [f"{point.recall:.3f}" for point in points],
            "ms a query": [
                "—" if point.milliseconds_per_query is None else f"{point.milliseconds_per_query:.2g}"
                for point in points
            ],
        }
    )


def _between(point: SizePoint) -> str:
    """The interval; NaN, one query, has none."""
    return "" if point.ndcg_low != point.ndcg_low else f"  ({point.ndcg_low:.3f} to {point.ndcg_high:.3f})"
