"""What the overview measures: by the cached functions of the pages behind the signals, so that the numbers agree."""

import streamlit as st

from lib.encoders import Checkpoint
from lib.geometry import Anisotropy, Clusters, IntrinsicDimension, LabelFit, Projection
from lib.layers import BuildUp, HeadEntropy
from lib.layers.attention import SAMPLE
from lib.overview.beside import Difference, Pair, differences
from lib.overview.finding import Answers
from lib.overview.parts import K, layer_texts, rule_of
from lib.overview.space import Fence, fence, several
from lib.retrieval import QueryMetrics
from lib.ui.geometry import cached as geometry
from lib.ui.geometry.cached import Grouping, Layout
from lib.ui.layers import build_up_cached, heads_cached
from lib.ui.query_space import QuerySpace
from lib.ui.resources import HOUR
from lib.ui.retrieval import cached as retrieval
from lib.ui.retrieval import negatives_cached, quality_cached
from lib.ui.retrieval.contenders import by_words
from lib.ui.workspace import Space

_PAIRS = 200_000
_CUTOFFS = (1, 5, 10)


def anisotropy(space: Space) -> Anisotropy:
    """Mean cosine and its histogram."""
    return geometry.anisotropy(space.vectors_key, space.vectors, max_pairs=_PAIRS, seed=0)


def dimension(space: Space) -> IntrinsicDimension:
    """How many dimensions are filled."""
    return geometry.intrinsic_dimension(space.vectors_key, space.vectors, k=K, seed=0)


def layout(space: Space) -> tuple[Projection, Clusters]:
    """The map and the clusters: from the shelf, else fitted, which takes some seconds."""
    key, vectors = space.vectors_key, space.vectors
    return geometry.projection(key, vectors, Layout()), geometry.clusters(key, vectors, Grouping())


def far_out(space: Space) -> Fence:
    """Texts that lie unusually far out."""
    rule = rule_of(space.corpus)
    return fence(geometry.ood(space.key, space.vectors, space.labels, rule=rule, k=None))


def label_fit(space: Space) -> LabelFit | None:
    """How well labels fit; None with fewer than two."""
    if not several(space.labels):
        return None
    return geometry.label_fit(space.key, space.vectors_key, space.vectors, space.labels or (), k=K, seed=0)


def build_up(space: Space, checkpoint: Checkpoint) -> BuildUp | None:
    """The build-up; None where it has not been begun, which is then offered.

    Raises:
        InputError: the encoder shows no layers.
    """
    return build_up_cached.build_up(space, checkpoint, layer_texts(space.corpus))


def heads(space: Space, checkpoint: Checkpoint) -> HeadEntropy | None:
    """The entropy of the heads; None where it has not been begun, which is then offered.

    Raises:
        InputError: the encoder shows no attention.
    """
    return heads_cached.heads(space, checkpoint, min(SAMPLE, len(space.corpus)))


def answers(space: QuerySpace, *, words: bool = True) -> Answers | None:
    """How the query set is answered; None where the search takes long and has not been begun, which is then offered.

    `words` False leaves BM25 out.

    Raises:
        InputError: no query has a relevant document.
    """
    if not retrieval.ready(space):
        return None
    quality = quality_cached.quality(space, "cosine", "linear", _CUTOFFS)
    return Answers(
        queries=space.queries,
        metrics=quality.metrics,
        summaries=quality.summaries,
        ranks=quality_cached.ranks(space, "cosine"),
        negatives=negatives_cached.mined_gaps(space, "cosine"),
        run=retrieval.run(space),
        scores=negatives_cached.judged(space, "cosine"),
        rival=_by_words(space) if words else None,
    )


def _by_words(space: QuerySpace) -> QueryMetrics | None:
    """BM25's metrics; None where it takes long and has not been begun, which is then offered."""
    entries = by_words(space.queries, "english")
    return entries[0].system.metrics if entries else None


def compared(
    spaces: tuple[Space, Space] | None,
    asked: tuple[QuerySpace, QuerySpace] | None,
    found: tuple[Answers, Answers] | None,
) -> tuple[Difference, ...]:
    """Two encoders, signal by signal; `found` are the answers to what was `asked`."""
    answered = asked if found is not None else None  # a long search may not have been begun yet
    key = "|".join([*(of.key for of in spaces or ()), "asked", *(of.key for of in answered or ())])
    return _compared(key, spaces, found)


@st.cache_resource(max_entries=16, ttl=HOUR, show_spinner="Comparing the two encoders…")
def _compared(
    key: str, _spaces: tuple[Space, Space] | None, _found: tuple[Answers, Answers] | None
) -> tuple[Difference, ...]:
    pair = None
    if _spaces is not None:
        first, second = _spaces
        pair = Pair((first.vectors, second.vectors), (dimension(first), dimension(second)), first.labels)
    return differences(pair, _found)
