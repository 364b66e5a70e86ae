"""How numbers and metrics are written on every page and in every figure: 12 345, 12.3 %, 1 text, NDCG@10."""

import re

_NEGATIVE = re.compile(r"(?<![\w)\]-])-(?=\.?\d)")
_METRICS = {"ndcg": "NDCG", "mrr": "MRR", "recall": "Recall", "hit": "Hit rate", "map": "MAP", "precision": "Precision"}
THIN = "\u202f"
"""Stands between thousands and before "%"; a line does not break at it."""


def count(number: float) -> str:
    """A whole number with thin-space thousands: 12 345."""
    return f"{number:,.0f}".replace(",", THIN)


def counted(number: int, one: str) -> str:
    """A number with its noun: 1 text, 12 texts."""
    return f"{count(number)} {one}" if number == 1 else f"{count(number)} {one}s"


def share(value: float, digits: int = 1) -> str:
    """A share in percent: .1234 is 12.3 %."""
    return f"{100 * value:.{digits}f}{THIN}%"


def minus(text: str) -> str:
    """Numbers in a text with a minus sign instead of a hyphen: -0.1 to -0.05 is −0.1 to −0.05, a-1 stays."""
    return _NEGATIVE.sub("−", text)


def spelt(metric: str) -> str:
    """A metric as a reader knows it: ndcg@10 is NDCG@10, recall@1 is Recall@1."""
    name, at, depth = metric.partition("@")
    return f"{_METRICS.get(name, name)}{at}{depth}"


def short_share(value: float) -> str:
    """A share in percent with two digits that count: .1234 is 12 %, .0123 is 1.2 %."""
    return f"{100 * value:.2g}{THIN}%" if value < 0.995 else f"100{THIN}%"
