"""Assertions: demands on the numbers of a report, for a build that should fail where an embedding model got worse."""

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.errors import InputError
from lib.reports.names import NAMES, Parsed, parsed
from lib.reports.report import Assertion

_WRITTEN = re.compile(
    r"\s*(?P<name>[^\s<>=\[\]][^<>=\[\]]*?(?:\[.*\](?:\.low|\.high)?)?)\s*"
    r"(?P<operator>>=|<=|==|>|<)\s*(?P<bound>[^\s<>=][^<>=]*?)\s*",
    re.DOTALL,
)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": lambda value, bound: math.isclose(value, bound, rel_tol=1e-9, abs_tol=1e-12),
}
_LONGEST = 200
_DEEPEST = 1_000
_PARTS = {
    "corpus": "The report has no corpus: name one.",
    "layers": "The layers were not run: name a corpus and an encoder that has layers.",
    "queries": "The report has no query set: name one.",
    "against": "The report has no second encoder: name one to compare with.",
}


@dataclass(frozen=True)
class Demand:
    """An assertion before its number is known."""

    name: str
    """Flat name of the number."""
    operator: str
    """One of >=, <=, >, <, ==."""
    bound: float
    """What it is held against."""
    asks: Parsed
    """What its name asks for."""

    @property
    def text(self) -> str:
        """The demand as it is shown."""
        return f"{self.name} {self.operator} {self.bound:g}"


def demand(text: str) -> Demand:
    """Read one assertion: a flat name, one of >= <= > < ==, and a number; spaces are free, 5 % is .05.

    Raises:
        InputError: it is none of that, the name is unknown, or its cut-off too deep.
    """
    if len(text) > _LONGEST:
        raise InputError(f"An assertion has at most {_LONGEST} characters, got {len(text)}.")
    found = _WRITTEN.fullmatch(text)
    bound = _number(found["bound"]) if found else None
    if found is None or bound is None:
        raise InputError(
            f"An assertion is a name, one of >= <= > < ==, and a number, as in ndcg@10>=0.55; got {text!r}."
        )
    asks = parsed(found["name"])
    if asks is None:
        raise InputError(f"There is no number {found['name']!r}{_nearest(found['name'])}: --assert help lists all.")
    if asks.cutoff is not None and asks.cutoff > _DEEPEST:
        raise InputError(f"A cut-off is at most {_DEEPEST:,}, got {asks.cutoff:,}: every query ranks that many.")
    return Demand(found["name"], found["operator"], bound, asks)


def _number(text: str) -> float | None:
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        return None
    return (value / 100 if percent else value) if math.isfinite(value) else None


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), NAMES, n=3, cutoff=0.5)
    return f"; the nearest are {', '.join(near)}" if near else ""


def check_topics(demands: Sequence[Demand], topics: Sequence[str]) -> None:
    """Refuse a demand on a topic that the query set has not.

    Raises:
        InputError: it has none of that name.
    """
    for one in demands:
        if one.asks.topic is not None and one.asks.topic not in topics:
            known = ", ".join(topics[:10]) or "none"
            raise InputError(f"There is no topic {one.asks.topic!r} in {one.name!r}; the query set has {known}.")


def cutoffs(demands: Sequence[Demand], *, least: Sequence[int] = (1, 5, 10)) -> tuple[int, ...]:
    """The cut-offs that the demands need, with `least` among them, ascending."""
    return tuple(sorted({*least, *(one.asks.cutoff for one in demands if one.asks.cutoff is not None)}))


def judged(
    demands: Sequence[Demand], facts: Mapping[str, float], reasons: Mapping[str, str], *, parts: Sequence[str]
) -> tuple[Assertion, ...]:
    """Hold each demand against its number.

    Args:
        demands: what is asked.
        facts: the numbers by their flat names.
        reasons: why a number cannot be had, by its flat name.
        parts: which parts the report has: "corpus", "layers", "queries", "against".
    """
    made = []
    for one in demands:
        value = facts.get(one.name)
        known = value is not None and math.isfinite(value)
        holds = known and _OPERATORS[one.operator](float(value or 0), one.bound)
        reason = "" if known else _reason(one, facts, reasons, parts)
        made.append(Assertion(one.text, one.name, one.operator, one.bound, value if known else None, holds, reason))
    return tuple(made)


def _reason(one: Demand, facts: Mapping[str, float], reasons: Mapping[str, str], parts: Sequence[str]) -> str:
    whole = one.name.removesuffix(".low").removesuffix(".high")
    if whole in reasons:
        return reasons[whole]
    if one.asks.needs not in parts:
        return _PARTS[one.asks.needs]
    if whole != one.name and whole in facts:
        return "It has no interval: it is exact for these texts, or stands on a single query."
    return "It is not defined for these texts."


def lines(assertions: Sequence[Assertion]) -> list[str]:
    """A table of assertions for a terminal, one a line."""
    width = max((len(one.text) for one in assertions), default=0)
    return [
        f"{'ok  ' if one.holds else 'FAIL'}  {one.text:<{width}}  "
        + (f"{one.value:.6g}" if one.value is not None else f"no value: {one.reason}")
        for one in assertions
    ]
