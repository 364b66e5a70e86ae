"""How a report writes numbers, and how it names texts."""

import math
from collections.abc import Sequence

from lib.reports.report import Number

NONE = "—"
"""Stands where there is no number."""
_MOST_QUOTED = 200


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with a true minus sign: −0.123; a dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.{digits}f}".replace("-", "−")


def number(
    name: str,
    label: str,
    value: float | None,
    *,
    shown: str | None = None,
    interval: tuple[float, float] | None = None,
    baseline: str = "",
    meaning: str = "",
    needs: str | None = None,
) -> Number:
    """A number of a report, shown with three digits unless told otherwise; one that is not finite counts as none."""
    known = value is not None and math.isfinite(value)
    if not known:
        return Number(name, label, None, NONE, None, baseline, meaning, needs or "It is not defined for these texts.")
    sure = interval if interval is not None and all(map(math.isfinite, interval)) else None
    return Number(name, label, float(value or 0), decimal(value) if shown is None else shown, sure, baseline, meaning)


class Quoting:
    """Quotes texts, or names them by their ids, and remembers which were quoted."""

    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        self.quoted: set[str] = set()
        """Which texts were quoted so far."""

    def all(self, what: str, texts: Sequence[str], ids: Sequence[str], rows: Sequence[int]) -> list[str]:
        """What stands for each of the `rows` of `texts`; `what` says what they are: "text", "query", "document"."""
        if not self._texts:
            return [f"{what} {ids[row]}" for row in rows]
        self.quoted |= {f"{what} {ids[row]}" for row in rows}
        return [_cut(texts[row]) for row in rows]

    def one(self, what: str, texts: Sequence[str], ids: Sequence[str], row: int) -> str:
        """What stands for one row of `texts`."""
        return self.all(what, texts, ids, [row])[0]


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1].rstrip() + "…"
