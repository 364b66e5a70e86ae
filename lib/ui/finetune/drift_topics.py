"""What became of each topic: its shift, its spread, its neighbours and its queries, before and after."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import finetune_space as charts
from lib.finetune.diff.drift import Drift
from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.finetune.diff.topic_ranks import TopicChange
from lib.finetune.diff.topic_verdicts import TopicVerdict
from lib.ui import downloads
from lib.ui.finetune import drift_words as words
from lib.ui.messages import count, share

_SIGNS = {"good": "▲", "bad": "▼", "neutral": "◆"}
_ARROW = " → "
SURE = 0.05
"""A p-value below which a difference counts as more than luck."""


def show_topics(space: SpaceDiff, ranks: RankDiff | None, found: Drift) -> None:
    """Draw the table."""
    names = _names(space, ranks, found)
    if not names:
        return
    st.subheader("What became of each topic?", anchor=False)
    table = pd.DataFrame([_row(name, space, ranks, found) for name in names]).dropna(axis=1, how="all")
    numbers = pd.DataFrame([_numbers(name, space, ranks) for name in names])
    st.dataframe(table.fillna("–"), hide_index=True, column_config=_columns(space))
    st.caption(words.of_topics(space))
    downloads.offer_table(numbers, name="topics_before_after")


def narrowed(space: SpaceDiff) -> None:
    """Draw how wide each topic is before and after; nothing without topics."""
    spread = space.spread
    if spread is None:
        return
    low, high = spread.change_interval.T
    change = charts.Change(spread.names, spread.base, spread.tuned, low, high)
    fig = charts.dumbbells(change.most_changed(), x="mean cosine distance of a text to its topic's centroid")
    downloads.picture(
        fig,
        key="drift_spread",
        name="topic_spread",
        quiet=True,
        about="For each topic, how far its texts lie from its centre, before and after, with intervals.",
    )


def _names(space: SpaceDiff, ranks: RankDiff | None, found: Drift) -> list[str]:
    """Topics of the texts and of the queries: those of which the verdict speaks first, then by how far they moved."""
    asked = [one.topic for one in ranks.topics] if ranks is not None else []
    quiet = {one.topic for one in found.verdict.topics if one.state == "unchanged"}
    shift = space.centroids
    moved = {} if shift is None else dict(zip(shift.names, np.nan_to_num(shift.angle).tolist(), strict=True))
    names = dict.fromkeys([*space.topics.names, *asked])
    return sorted(names, key=lambda name: (name in quiet, -moved.get(name, 0.0)))


def _row(name: str, space: SpaceDiff, ranks: RankDiff | None, found: Drift) -> dict[str, Any]:
    """One topic as the page shows it."""
    judged = _judged(name, space, ranks, found)
    row: dict[str, Any] = {
        "topic": name,
        "verdict": f"{_SIGNS[judged.direction]} {judged.state}" if judged is not None else None,
    }
    numbers = _numbers(name, space, ranks)
    row["texts"] = None if numbers["texts"] is None else count(numbers["texts"])
    at = _place(name, space)
    row["shift"] = words.angle(space.centroids, at) if space.centroids is not None and at is not None else None
    row["spread"] = _both(numbers["spread before"], numbers["spread after"])
    kept = numbers["neighbours kept"]
    row["neighbours kept"] = None if kept is None or not np.isfinite(kept) else share(kept, 0)
    row["queries"] = None if numbers["queries"] is None else count(numbers["queries"])
    row["NDCG@10"] = _both(numbers["ndcg@10 before"], numbers["ndcg@10 after"], p_value=numbers["ndcg@10 p"])
    row["Recall@1"] = _both(numbers["recall@1 before"], numbers["recall@1 after"], p_value=numbers["recall@1 p"])
    return row


def _judged(name: str, space: SpaceDiff, ranks: RankDiff | None, found: Drift) -> TopicVerdict | None:
    """What is said of a topic; None between two spaces where it has no queries: nothing else can be held against."""
    asked = ranks is not None and any(one.topic == name for one in ranks.topics)
    if not (space.sharing.shared or asked):
        return None
    return next((one for one in found.verdict.topics if one.topic == name), None)


def _numbers(name: str, space: SpaceDiff, ranks: RankDiff | None) -> dict[str, Any]:
    """One topic as the file holds it: None where a figure cannot be had."""
    at = _place(name, space)
    asked = next((one for one in ranks.topics if one.topic == name), None) if ranks is not None else None
    row: dict[str, Any] = {"topic": name, "texts": None if at is None else int(space.topics.counts[at])}
    shift, spread, kept = space.centroids, space.spread, space.neighbours
    row["shift, degrees"] = None if shift is None or at is None else float(shift.angle[at])
    for end, place in (("low", 0), ("high", 1)):
        row[f"shift {end}"] = None if shift is None or at is None else float(shift.angle_interval[at, place])
    row["spread before"] = None if spread is None or at is None else float(spread.base[at])
    row["spread after"] = None if spread is None or at is None else float(spread.tuned[at])
    row["neighbours kept"] = None if at is None or at >= len(kept.by_topic) else float(kept.by_topic[at])
    return row | _asked(asked)


def _asked(topic: TopicChange | None) -> dict[str, Any]:
    row: dict[str, Any] = {"queries": None if topic is None else topic.queries}
    for metric in ("ndcg@10", "recall@1"):
        test = None if topic is None else topic.test(metric)
        row[f"{metric} before"] = None if test is None else test.mean_a
        row[f"{metric} after"] = None if test is None else test.mean_b
        row[f"{metric} p"] = None if topic is None else topic.p_value(metric)
    return row


def _place(name: str, space: SpaceDiff) -> int | None:
    return space.topics.names.index(name) if name in space.topics.names else None


def _both(before: float | None, after: float | None, *, p_value: float | None = None) -> str | None:
    """Before and after; with a sign where a test says that it is more than luck."""
    if before is None or after is None:
        return None
    sure = p_value is not None and p_value < SURE
    sign = "" if not sure else f" {_SIGNS['good' if after > before else 'bad']}"
    return f"{before:.3f}{_ARROW}{after:.3f}{sign}"


def _columns(space: SpaceDiff) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "verdict": text(help="By the rules of the verdict, each topic by itself."),
        "texts": text(alignment="right"),
        "queries": text(alignment="right"),
        "shift": text(help="Angle between the topic's mean direction before and after, in the whole space."),
        "spread": text(help="Mean cosine distance of a text to its topic's centroid: lower is tighter."),
        "neighbours kept": text(help=f"By chance {share(space.neighbours.chance)} of {count(space.neighbours.k)}."),
        "NDCG@10": text(help="Over the queries of this topic; ▲ or ▼: more than luck (paired test, Holm over topics)."),
        "Recall@1": text(help="Share of its queries whose first document is relevant; signs as for NDCG@10."),
    }
