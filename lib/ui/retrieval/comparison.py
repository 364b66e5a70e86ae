"""Which encoder is better here, and is it luck? Encoders and BM25 side by side."""

import dataclasses

import streamlit as st

from lib.encoders import FAMILIES, PACKAGED
from lib.retrieval.comparison import Comparison, System, compare
from lib.retrieval.words import Language, spaceless_share
from lib.ui import downloads
from lib.ui.controls import one_metric, one_of
from lib.ui.messages import share, tell
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import comparison_pictures as pictures
from lib.ui.retrieval import comparison_tables as tables
from lib.ui.retrieval import measure
from lib.ui.retrieval.contenders import Entry, by_words, further, of_space
from lib.ui.retrieval.measure_notice import tell_linear_gain

_KNOWN = [PACKAGED, *(variant.hub_id for family in FAMILIES for variant in family.variants)]
_CUTS = (512, 256, 128, 64, 32)
_FEW = 20  # queries up to which each is shown
_SPACELESS = 0.2  # share of characters from which BM25 is no fair line
_LAB = "lab (sample)"
_OF_THE_LAB = (
    "The lesson's lab holds all-MiniLM-L6-v2 against sentence-transformers/all-mpnet-base-v2: choose that above; it is "
    "fetched from the model hub once. Without a network, this encoder cut to its first 128 dimensions stands in for it."
)
_WORDS: dict[str, Language | None] = {"English": "english", "any language": None}


def show(space: QuerySpace) -> None:
    """Draw the view."""
    st.subheader("Which encoder is better here, and is it luck?")
    entries = _entries(space)
    tell_linear_gain(space.queries)
    if len(entries) < 2:
        return
    few = len(space.queries.queries) <= _FEW
    names = [entry.system.name for entry in entries]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = _metric(entries[0].system, few=few)
        baseline = st.selectbox(
            "Held against", names, key="compare_baseline", bind="query-params", persist_state="session", width=300,
            help="The system that all others are compared with, query by query.",
        )  # fmt: skip
    known = tuple((entry.key, entry.system.name) for entry in entries)
    result = _compare(known, metric, str(baseline), tuple(entry.system for entry in entries))
    pictures.quality(result, space.queries.name)
    if few:
        tables.each_query(space.queries, result, entries)
    pictures.difference(result)
    result = pictures.speed(space, entries, result)
    tables.won_and_lost(space.queries, result, entries)
    tables.figures(result)
    tables.pairs(result)
    downloads.offer_result(result, name="comparison")


def _entries(space: QuerySpace) -> list[Entry]:
    """The systems that are compared: BM25 first, then the chosen encoder."""
    sources = st.multiselect(
        "Compare with", _KNOWN, key="compare_with", bind="query-params", persist_state="session",
        accept_new_options=True, max_selections=6, placeholder="Choose encoders, or type a hub id or folder",
        help="Each is opened after the other, with its own prompts and the precision of the sidebar.",
    )  # fmt: skip
    width = space.document_vectors.shape[1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cuts = st.multiselect(
            "The chosen encoder cut to its first", [str(cut) for cut in _CUTS if cut < width], key="compare_cuts",
            bind="query-params", persist_state="session", placeholder="dimensions", width=380,
            help="Vectors cut to their first dimensions, as a Matryoshka-trained encoder is made for. They are not "
            "brought back to length 1, which cosine ignores and other similarities do not.",
        )  # fmt: skip
        words = one_of(
            "Words of BM25", list(_WORDS), key="compare_words",
            help="English: stopwords left out, the rest stemmed. Any language: words as they stand.",
        )  # fmt: skip
    _tell_of_scripts(space)
    if space.queries.name == _LAB:
        tell([_OF_THE_LAB])
    by = measure.chosen()
    entries = [*by_words(space.queries, _WORDS[words]), *of_space(space, sorted(map(int, cuts), reverse=True), by)]
    return _told_apart(entries + further(space, sources, by))


def _tell_of_scripts(space: QuerySpace) -> None:
    spaceless = spaceless_share([*space.queries.queries[:1000], *space.queries.documents[:1000]])
    if spaceless > _SPACELESS:
        tell([f"{share(spaceless, 0)} of the characters are of scripts without spaces between words, such as Chinese: "
              "BM25 finds hardly any words in them, so here it is no line to beat."])  # fmt: skip


def _told_apart(entries: list[Entry]) -> list[Entry]:
    """The entries with a number after each name that was there before."""
    taken: set[str] = set()
    made = []
    for entry in entries:
        name, number = entry.system.name, 1
        while name in taken:
            number += 1
            name = f"{entry.system.name} ({number})"
        taken.add(name)
        made.append(dataclasses.replace(entry, system=dataclasses.replace(entry.system, name=name)))
    return made


def _metric(system: System, *, few: bool) -> str:
    """The metric compared; the control of small sets is another one, since P@3 suits them."""
    first = "precision@3" if few else "ndcg@10"
    names = [first, *(name for name in system.metrics.names if name != first)]
    key = "compare_metric_few" if few else "compare_metric"
    return one_metric("Metric", names, key=key, help="The metric by which the systems are compared.", width=200)


@st.cache_resource(max_entries=32, ttl=3600, show_spinner="Comparing…")
def _compare(
    known: tuple[tuple[str, str], ...], metric: str, baseline: str, _systems: tuple[System, ...]
) -> Comparison:
    return compare(_systems, metric=metric, baseline=baseline)
