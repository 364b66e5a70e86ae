"""The topics of the probe corpus: its labels, or clusters found on the base where it has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.diff.sides import Sides
from lib.geometry.clusters import Clusters, cluster
from lib.geometry.similarity import MOST_LABELS, label_codes, label_sums
from lib.numerals import counted
from lib.results import Result


@dataclass(frozen=True, eq=False)
class ProbeTopics(Result):
    """Which topic each text belongs to; the same on both sides of a diff."""

    names: tuple[str, ...]
    """Topics: labels sorted by name, or "cluster 1" (the largest), "cluster 2" ...; may be empty."""
    codes: NDArray[np.int64]
    """Number of each text's topic in `names`, -1 for none, shape (n,)."""
    counts: NDArray[np.int64]
    """Texts of each topic, shape (topics,)."""
    source: Literal["labels", "clusters"]
    """Whether topics were given, or found on the base's vectors."""
    seed: int
    """Seed of the clusters."""
    notices: tuple[str, ...]
    """Sentences to show: whatever was changed about the request, and why."""

    @property
    def unlabelled(self) -> int:
        """Texts of no topic: they count towards figures of the whole corpus alone."""
        return int((self.codes < 0).sum())


@dataclass(frozen=True)
class TopicSums:
    """Sums of the unit vectors of each topic on both sides, shared by whatever looks at topics."""

    base: NDArray[np.float64]
    """Shape (topics, d)."""
    tuned: NDArray[np.float64]
    """Shape (topics, d'); the same array as `base` where both sides are the same."""
    counts: NDArray[np.int64]
    """Texts of each topic, shape (topics,)."""

    @property
    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centroids of both sides, shapes (topics, d) and (topics, d')."""
        return self.base / self.counts[:, None], self.tuned / self.counts[:, None]


def topic_sums(pair: Sides, topics: ProbeTopics) -> TopicSums:
    """Sums of the unit vectors of each of `topics` on both sides."""
    base = label_sums(pair.base, topics.codes, len(topics.names))[0]
    tuned = base if pair.identical else label_sums(pair.tuned, topics.codes, len(topics.names))[0]
    return TopicSums(base, tuned, topics.counts)


def probe_topics(
    base: NDArray[np.floating], topics: Sequence[str | None] | None = None, *, seed: int = 0
) -> ProbeTopics:
    """The `topics` (n,) of the texts, or clusters of `base` (n, d) by k-means where no text has one.

    Raises:
        InputError: topics of another number, or more than 2,000 different ones.
    """
    if topics is None or all(topic is None for topic in topics):
        if topics is not None and len(topics) != len(base):
            raise InputError(f"Expected one topic for each of {len(base)} texts, got {len(topics)}.")
        return cluster_topics(cluster(base, method="kmeans", seed=seed))
    names, codes = label_codes(topics, len(base))
    if len(names) > MOST_LABELS:
        raise InputError(
            f"At most {MOST_LABELS:,} different topics can be compared, got {len(names):,}: choose another column."
        )
    left = int((codes < 0).sum())
    verb = "counts" if left == 1 else "count"
    notice = f"{counted(left, 'text')} without a topic {verb} towards figures of the whole corpus alone."
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    return ProbeTopics(names, codes, counts, "labels", seed, (notice,) if left else ())


def cluster_topics(clusters: Clusters) -> ProbeTopics:
    """The `clusters` of the base's vectors as topics; texts in none belong to none."""
    names = tuple(f"cluster {number + 1}" for number in range(clusters.count))
    found = f"The corpus has no topics: {counted(len(names), 'cluster')} found on the base's vectors stand in for them."
    notices = (found, *clusters.notices)
    codes = np.asarray(clusters.labels, dtype=np.int64)
    return ProbeTopics(
        names, codes, np.bincount(codes[codes >= 0], minlength=len(names)), "clusters", clusters.seed, notices
    )
