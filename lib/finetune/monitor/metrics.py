"""Metrics of an evaluation: their plain names, which one stands for all, and which way is better."""

import math
from collections.abc import Iterable, Mapping

from lib.finetune.monitor.values import number

_MAIN = ("ndcg@10", "map@100", "map", "mrr@10", "recall@1", "spearman", "accuracy", "loss")
_NO_METRIC = ("runtime", "per_second", "epoch", "total_flos", "model_preparation_time", "steps")
_MOST = 64


def plain_metrics(entry: Mapping[str, object]) -> dict[str, float]:
    """What an evaluation measured, of an entry of a trainer's log: without "eval_", and without its own pace."""
    found = {name.removeprefix("eval_"): number(value) for name, value in entry.items() if name.startswith("eval_")}
    kept = {name: value for name, value in found.items() if math.isfinite(value) and not name.endswith(_NO_METRIC)}
    return dict(list(kept.items())[:_MOST])


def main_metric(names: Iterable[str]) -> str | None:
    """The metric that stands for an evaluation: NDCG@10 where there is one, else the next of a fixed order."""
    found = list(names)
    for wanted in _MAIN:
        for name in found:
            if name.lower().endswith(wanted):
                return name
    return found[0] if found else None


def lower_is_better(metric: str) -> bool:
    """Whether less of a metric is better: so of a loss, of no other one."""
    return metric.lower().endswith("loss")


def better(value: float, than: float | None, metric: str) -> bool:
    """Whether `value` of `metric` is better than another one, or the first."""
    return than is None or (value < than if lower_is_better(metric) else value > than)
