"""What do the measures mean, and does the choice matter here? An expander of the Search view."""

import pandas as pd
import streamlit as st

from lib.retrieval.agreement import MeasureAgreement
from lib.ui import downloads
from lib.ui.messages import count, share, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure
from lib.ui.retrieval.search_cached import agreement


def show_measures(space: QuerySpace) -> None:
    """Draw it."""
    st.markdown("\n".join(f"- **{name}**: {meaning}." for name, meaning in measure.MEANINGS.items()))
    result = agreement(space)
    st.markdown(_verdict(result))
    table = pd.DataFrame(
        {
            "measure": result.measures,
            **{
                f"shared with {name}": [share(value, 0) for value in result.overlap[:, i]]
                for i, name in enumerate(result.measures)
            },
            "length against how often found": [
                "lengths are the same" if value is None else f"{value:+.2f}" for value in result.length_correlation
            ],
        }
    )
    downloads.table(table, name="measures", hide_index=True)
    st.caption(
        f"Share of the first {result.k} documents that two measures have in common, mean over {count(result.asked)} "
        "queries. The last column is the rank correlation (−1 to 1) of a document's length, that of its vector, with "
        "how many queries find it among their first: far above 0, long vectors are found whatever is asked."
    )
    if result.asked < result.queries:
        tell([f"Compared on a sample of {count(result.asked)} of {count(result.queries)} queries."])
    if "manhattan" not in result.measures:
        tell(["Manhattan was left out of this comparison: on so many documents it takes too long."])
    downloads.offer_result(result, name="measures")


def _verdict(result: MeasureAgreement) -> str:
    if result.normalised:
        return (
            "All vectors have length 1, so **cosine, dot product and L2 give the same order**, ties aside: choose "
            "whichever your database is fastest at. Manhattan orders a little differently."
        )
    low, middle, high = result.document_lengths
    common = result.overlap[result.measures.index("cosine"), result.measures.index("dot")]
    return (
        f"Vectors are **not normalised**: documents are {low:.3g} to {high:.3g} long (median {middle:.3g}). Cosine "
        f"and dot product then share {share(common, 0)} of what they find: cosine ignores length, dot product favours "
        "long vectors, L2 those about as long as the query. Use the measure the encoder was trained with; where "
        "that is cosine, normalise before storing."
    )
