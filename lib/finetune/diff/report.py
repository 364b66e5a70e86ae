"""Report: a diff as tables with a row per topic and per query, and as JSON."""

from dataclasses import fields
from typing import Any

import pandas as pd

from lib.corpora import QuerySet
from lib.finetune.diff.drift import Drift
from lib.finetune.diff.ranks import METRICS, RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.finetune.diff.topic_ranks import TOPIC_METRICS, TopicChange
from lib.finetune.diff.verdict import Verdict
from lib.results import to_json

_PER_QUERY = ("metrics_base", "metrics_tuned", "run_base", "run_tuned")  # the table of queries has them
_PER_TEXT = {
    "topics": ("codes",),
    "projection": ("rows", "texts_base", "texts_tuned", "mean", "axes"),
    "projection_shift": ("rows", "texts_base", "texts_tuned", "mean", "axes"),
    "neighbours": ("rows", "before", "after", "before_similarity", "after_similarity", "kept"),
    "movement": ("cosine",),
    "rotation": ("aligned",),
}


def topic_table(space: SpaceDiff | None, ranks: RankDiff | None, verdict: Verdict) -> pd.DataFrame:
    """One row per topic: texts, shift, spread, neighbours kept, retrieval before and after, and what became of it.

    Topics of the corpus in its order, then those that only queries have; a column is there where its diff is.
    """
    asked = {} if ranks is None else {change.topic: change for change in ranks.topics}
    shapes = _shapes(space)
    rows = []
    for one in verdict.topics:
        row: dict[str, Any] = {"topic": one.topic, "state": one.state, "direction": one.direction}
        row |= shapes.get(one.topic, {})
        if ranks is not None:
            row |= _retrieval(asked.get(one.topic))
        rows.append(row)
    return pd.DataFrame(rows)


def query_table(queries: QuerySet, ranks: RankDiff) -> pd.DataFrame:
    """One row per query that has a relevant document: id, text, topic, rank and metrics before and after."""
    rows = ranks.query.tolist()
    topics = queries.topics or (None,) * len(queries.queries)
    made: dict[str, Any] = {
        "query_id": [queries.query_ids[row] for row in rows],
        "query": [queries.queries[row] for row in rows],
        "topic": [topics[row] for row in rows],
        "rank_base": ranks.rank_base,
        "rank_tuned": ranks.rank_tuned,
        "change": [("worse", "same", "improved")[change + 1] for change in ranks.change],
    }
    for metric in METRICS:
        made[f"{metric}_base"] = ranks.metrics_base.column(metric)
        made[f"{metric}_tuned"] = ranks.metrics_tuned.column(metric)
    made |= {
        "document_base": [queries.document_ids[row] for row in ranks.document_base],
        "document_tuned": [queries.document_ids[row] for row in ranks.document_tuned],
        f"new_in_first_{ranks.depth}": ranks.came,
    }
    return pd.DataFrame(made)


def report(drift: Drift, space: SpaceDiff | None, ranks: RankDiff | None) -> dict[str, Any]:
    """A diff as JSON values: figures of the whole and of each topic; what has a row per text or query is left out."""
    return {
        "drift": drift.to_dict(),
        "space": None if space is None else _without_texts(space),
        "ranks": None if ranks is None else _without_queries(ranks),
        "topics": _records(topic_table(space, ranks, drift.verdict)),
    }


def _shapes(space: SpaceDiff | None) -> dict[str, dict[str, Any]]:
    """Each topic's columns out of the diff of the space."""
    if space is None:
        return {}
    made: dict[str, dict[str, Any]] = {
        name: {"texts": int(count)} for name, count in zip(space.topics.names, space.topics.counts, strict=True)
    }
    for place, name in enumerate(space.topics.names):
        row = made[name]
        if space.centroids is not None:
            moved = space.centroids
            row |= _ranged("shift_degrees", moved.angle[place], moved.angle_interval[place])
            row |= _ranged("shift_distance", moved.distance[place], moved.distance_interval[place])
        if space.spread is not None:
            spread = space.spread
            row |= {"spread_base": float(spread.base[place]), "spread_tuned": float(spread.tuned[place])}
            row |= _ranged("spread_change", spread.change[place], spread.change_interval[place])
        kept = space.neighbours
        row |= _ranged("neighbours_kept", kept.by_topic[place], kept.by_topic_interval[place])
    return made


def _ranged(name: str, value: float, interval: Any) -> dict[str, float]:
    return {name: float(value), f"{name}_low": float(interval[0]), f"{name}_high": float(interval[1])}


def _retrieval(change: TopicChange | None) -> dict[str, Any]:
    """A topic's columns out of the diff of the ranks; none of a value where no query has that topic."""
    counts = {name: 0 if change is None else getattr(change, name) for name in ("queries", "improved", "same", "worse")}
    made: dict[str, Any] = dict(counts)
    for metric in TOPIC_METRICS:
        test = None if change is None else change.test(metric)
        values = (
            (None,) * 6
            if test is None or change is None
            else (test.mean_a, test.mean_b, test.difference, test.low, test.high, change.p_value(metric))
        )
        names = ("base", "tuned", "change", "low", "high", "p")
        made |= {f"{metric}_{name}": value for name, value in zip(names, values, strict=True)}
    return made


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values; None where a number is missing."""
    return [to_json({str(key): value for key, value in row.items()}) for row in table.to_dict("records")]


def _without_queries(ranks: RankDiff) -> dict[str, Any]:
    """The ranks without what the table of queries holds in full."""
    kept = [field.name for field in fields(ranks) if field.name not in _PER_QUERY]
    return {name: to_json(getattr(ranks, name)) for name in kept}


def _without_texts(space: SpaceDiff) -> dict[str, Any]:
    """The space without what has a row per text, or per dimension of a picture."""
    made: dict[str, Any] = space.to_dict()
    for part, names in _PER_TEXT.items():
        for name in names:
            if made[part] is not None:
                del made[part][name]
    return made
