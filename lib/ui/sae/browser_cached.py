"""What the Browser computes once for every session: statistics of all features, and what one of them fires on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.sae.codes import Codes
from lib.sae.examples import ActivationHistogram, Examples, activation_histogram, examples
from lib.sae.label_lift import LabelCounts, specificity_to
from lib.sae.labels import Score, gather
from lib.sae.neighbours import NearestFeatures, nearest_features
from lib.sae.statistics import FeatureStatistics, feature_statistics
from lib.ui import resources
from lib.ui.sae.cached import codes
from lib.ui.sae_space import SaeSpace

Embed = Callable[[Sequence[str]], NDArray[np.floating]]

_NEAREST = 8


@dataclass(frozen=True, eq=False)
class Part:
    """The texts that are looked at: all of the corpus, or those of one label."""

    codes: Codes
    """Their codes."""
    rows: NDArray[np.int64]
    """Their rows in the corpus."""
    statistics: FeatureStatistics
    """What every feature does on them."""
    counts: LabelCounts | None
    """For which labels it fires over the whole corpus."""
    key: str
    """Content key."""


def part_of(space: SaeSpace, label: str | None) -> Part:
    """The texts with that label, or all of them."""
    everything = codes(space)
    return _part(f"{space.codes_key}/{space.space.corpus.key}", label, everything, space)


@st.cache_resource(max_entries=resources.ARRAYS_KEPT, ttl=resources.HOUR, show_spinner="Counting features…")
def _part(key: str, label: str | None, _codes: Codes, _space: SaeSpace) -> Part:
    labels = _space.space.labels
    if label is None or labels is None:
        statistics = feature_statistics(_codes, labels=labels)
        return Part(_codes, np.arange(len(_codes)), statistics, statistics.labels, f"{key}/")
    whole = _part(key, None, _codes, _space)
    rows = np.array([row for row, one in enumerate(labels) if one == label], dtype=np.int64)
    chosen = _codes.select(rows)
    statistics = feature_statistics(chosen)
    if whole.counts is not None:
        statistics = replace(statistics, specificity=specificity_to(whole.counts, label))
    return Part(chosen, rows, statistics, whole.counts, f"{key}/{label}")


@dataclass(frozen=True, eq=False)
class OneFeature:
    """What one feature fires on; rows are those of the corpus."""

    examples: Examples
    histogram: ActivationHistogram
    nearest: NearestFeatures


def one_feature(space: SaeSpace, part: Part, feature: int) -> OneFeature:
    """The examples, the histogram and the neighbours of one feature."""
    return _one_feature(part.key, feature, space, part)


@st.cache_resource(max_entries=resources.RESULTS_KEPT, ttl=resources.HOUR, show_spinner=False)
def _one_feature(key: str, feature: int, _space: SaeSpace, _part: Part) -> OneFeature:
    texts = _space.space.corpus.texts
    found = examples(
        _part.codes,
        feature,
        texts=texts if len(texts) == len(_part.rows) else [texts[row] for row in _part.rows.tolist()],
    )
    found = replace(
        found,
        rows=_part.rows[found.rows],
        by_quantile=tuple(tuple(_part.rows[list(rows)].tolist()) if rows else () for rows in found.by_quantile),
    )
    histogram = activation_histogram(_part.codes, feature)
    return OneFeature(found, histogram, nearest_features(_space.sae, feature, _NEAREST))


def score_of(space: SaeSpace, feature: int, label: str) -> Score:
    """How well a label that somebody wrote predicts on this corpus whether its feature fires."""
    return _score_of(f"{space.codes_key}/{space.space.corpus.key}", feature, label, codes(space), space)


@st.cache_resource(max_entries=256, ttl=resources.HOUR, show_spinner="Scoring the label…")
def _score_of(key: str, feature: int, label: str, _codes: Codes, _space: SaeSpace) -> Score:
    vectors, texts = _space.space.vectors, _space.space.corpus.texts
    evidence = gather(_codes, texts, _space.sae, embedder(_space), vectors=vectors, features=[feature])
    return evidence.score_labels({feature: label})[feature]


def embedder(space: SaeSpace) -> Embed | None:
    """What embeds labels; None for a corpus that brought its own embeddings."""
    checkpoint, precision = space.space.checkpoint, space.space.precision
    if checkpoint is None:
        return None
    return lambda texts: resources.encoder(checkpoint, precision).encode(list(texts), role="document").vectors
