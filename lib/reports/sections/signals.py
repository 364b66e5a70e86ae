"""The first section of a report: the eight signals at a glance, and what stands out."""

from lib.overview.signals import Overview, Signal, StandOut
from lib.reports.material import Options
from lib.reports.report import Cell, Section, Table
from lib.reports.words import decimal

_QUOTING = {"suspicious_inputs": "text", "weakest_queries": "query"}
"""Stand-outs whose items quote what a user gave, and what that is."""


def section(overview: Overview, options: Options) -> Section:
    """The eight signals, those that cannot be had among them."""
    had = [signal for signal in overview.signals if signal.value is not None]
    lacking = [f"{signal.title} {signal.needs}" for signal in overview.signals if signal.value is None]
    verdicts = [f"{signal.title} {_capital(signal.verdict)}." for signal in had if signal.verdict]
    tables = [
        Table(
            "signals",
            ("question", "what", "value", "95 % interval", "held against", "what it means here", "verdict"),
            tuple(_row(signal) for signal in had),
            " ".join(f"{signal.title} {signal.rule}" for signal in had if signal.verdict and signal.rule),
        )
    ]
    tables += [_stands_out(one, options) for one in overview.standouts if one.items]
    return Section(
        "overview",
        "What do the signals say?",
        " ".join(verdicts) or "No rule or test gives a verdict here: read each number beside its baseline.",
        tables=tuple(table for table in tables if table.rows),
        notices=tuple(lacking),
        link=("overview", options.query),
        facts=overview.facts,
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _row(signal: Signal) -> tuple[Cell, ...]:
    ends = "" if signal.interval is None else " to ".join(decimal(end) for end in signal.interval)
    return (
        signal.title,
        signal.quantity,
        signal.shown,
        ends,
        signal.baseline_shown,
        signal.sentence,
        signal.verdict or "",
    )


def _stands_out(found: StandOut, options: Options) -> Table:
    what = _QUOTING.get(found.kind)
    caption = f"{found.title} {found.sentence} {found.rule}"
    if what is None:
        columns: tuple[str, ...] = ("name", found.quantity, "note")
        return Table(found.kind, columns, tuple((one.name, one.shown, one.note) for one in found.items), caption)
    if not options.texts:
        return Table(found.kind, ("id", found.quantity), tuple((one.name, one.shown) for one in found.items), caption)
    rows = tuple((one.name, one.shown, one.text) for one in found.items)
    return Table(
        found.kind,
        ("id", found.quantity, what),
        rows,
        caption,
        frozenset(f"{what} {one.name}" for one in found.items),
    )
