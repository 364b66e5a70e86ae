"""How fast is an index, and what does it miss? faiss beside exact search: an expander of the Search view."""

import pandas as pd
import streamlit as st

from lib.retrieval import Measure
from lib.retrieval.approximate import IndexQuality
from lib.ui import downloads
from lib.ui.messages import count, share
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.search_cached import Wanted, known_indexes, measure_indexes
from lib.ui.retrieval.sizes_storage import bytes_text

_NAMES = {"exact": "exact, this page", "flat": "faiss, flat (exact)", "hnsw": "faiss, HNSW"}


def show_indexes(space: QuerySpace, by: Measure) -> None:
    """Draw it."""
    st.caption(
        "An exact search looks at every document. An HNSW index walks a graph of neighbours: it looks at few, so it "
        "is fast on millions, and misses some. More links or more candidates find more and take longer."
    )
    if by == "manhattan":
        st.caption(":material/info: faiss is asked by cosine, dot product or L2 here: choose one of those.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        m = _slider("Links (M)", ["8", "16", "32", "64"], "32", key="search_m")
        construction = _slider("Candidates when built", ["40", "80", "200", "400"], "80", key="search_ef_construction")
        ef = _slider("Candidates when asked", ["16", "32", "64", "128", "256"], "64", key="search_ef")
    wanted = Wanted(by, int(m), int(construction), int(ef))
    known = known_indexes(space.key, wanted)
    if "made" not in known:
        n, q = len(space.queries.documents), len(space.queries.queries)
        key = f"search_index_{space.key[:12]}_{by}_{m}_{construction}_{ef}"
        about = f"Builds indexes of {count(n)} documents and asks them {count(q)} queries; about {_guess(n)}."
        if not started(key, "Build and measure", about=about):
            return
        with stoppable(key, "Searching, building") as tell:
            known["made"] = measure_indexes(space, wanted, tell)
    _table(known["made"])


def _slider(label: str, options: list[str], value: str, *, key: str) -> str:
    chosen = st.select_slider(
        label,
        options,
        value=value,
        key=key,
        bind="query-params",
        persist_state="session",
        width=220,
        help="More finds more and takes longer.",
    )
    return str(chosen)


def _guess(n: int) -> str:
    seconds = n / 1_500
    return "a few seconds" if seconds < 5 else f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _table(made: tuple[IndexQuality, ...]) -> None:
    downloads.table(
        pd.DataFrame(
            {
                "index": [_NAMES[one.kind] for one in made],
                f"recall of the first {made[0].k}": [share(one.recall) for one in made],
                "worst query": [share(one.worst_recall, 0) for one in made],
                "queries a second": [count(round(1 / one.seconds_per_query)) for one in made],
                "seconds to build": [f"{one.build_seconds:.2g}" for one in made],
                "memory": [bytes_text(one.bytes) for one in made],
            }
        ),
        name="indexes",
        hide_index=True,
    )
    st.caption(
        f"Over {count(made[0].items)} documents and all {count(made[0].queries)} queries at once, on this machine, "
        "others' work on it included. Recall is the share of the exact first documents that the index found too; it "
        "says nothing about whether those are relevant. On a few thousand documents exact search is as fast: an index "
        "pays from some hundred thousand on."
    )
