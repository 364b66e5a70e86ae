"""A report as Markdown: for a pull request, a wiki, a mail. Figures are left out; their captions say what they show."""

import json
from collections.abc import Sequence

from lib.reports.escaping import plain
from lib.reports.parts import encoder_lines, link_address, preamble, query_lines, shown_cell, text_lines
from lib.reports.report import Cell, Number, Report, Section, Table
from lib.reports.words import decimal


def markdown(report: Report) -> str:
    """The whole text."""
    parts = [f"# {plain(report.title)}", f"Made {plain(report.made)} by Embedscope."]
    parts += [plain(notice) for notice in report.notices]
    if report.assertions:
        failed = len(report.failed)
        told = f"{failed} of {len(report.assertions)} do not hold." if failed else "All hold."
        rows = [
            ("holds" if one.holds else "**does not hold**", plain(one.text), plain(shown_cell(one.value)),
             plain(one.reason))
            for one in report.assertions
        ]  # fmt: skip
        parts += ["## Do the assertions hold?", told, _rows(("", "assertion", "value", "why there is none"), rows)]
    for section in report.sections:
        parts += _section(section, report)
    parts += ["## How this was made"]
    for name, lines in (
        ("Encoder", encoder_lines(report)),
        ("Texts", text_lines(report)),
        ("Query set", query_lines(report)),
        ("Settings", {key: json.dumps(value, ensure_ascii=False) for key, value in report.settings.items()}),
        ("Versions", report.versions),
    ):
        if lines:
            parts.append(_rows((name, ""), [(plain(a), plain(b)) for a, b in lines.items()]))
    parts.append(_fenced(preamble(report), "python"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section, report: Report) -> list[str]:
    parts = [f"## {plain(section.title)}", plain(section.sentence)]
    if section.numbers:
        rows = [_number(number) for number in section.numbers]
        parts.append(_rows(("number", "value", "95 % interval", "held against", "what it says"), rows))
    parts += [_table(table) for table in section.tables]
    parts += [plain(notice) for notice in section.notices]
    address = link_address(section.link, report)
    if address:
        parts.append(f"[Open this view in the app](<{address}>)")
    if section.command:
        parts.append(_fenced(section.command, "sh"))
    return parts


def _number(number: Number) -> tuple[str, ...]:
    ends = "" if number.interval is None else " to ".join(decimal(end) for end in number.interval)
    said = number.meaning if number.needs is None else number.needs
    return tuple(map(plain, (f"{number.label} ({number.name})", number.shown, ends, number.baseline, said)))


def _table(table: Table) -> str:
    rows = [tuple(plain(shown_cell(cell)) for cell in row) for row in table.rows]
    return _rows(tuple(map(plain, table.columns)), rows, numbers=_numeric(table)) + (
        f"\n\n{plain(table.caption)}" if table.caption else ""
    )


def _numeric(table: Table) -> tuple[bool, ...]:
    def whole(cells: list[Cell]) -> bool:
        return all(isinstance(cell, int | float) or cell is None for cell in cells)

    return tuple(whole([row[i] for row in table.rows]) for i in range(len(table.columns)))


def _rows(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: tuple[bool, ...] | None = None) -> str:
    right = numbers or (False,) * len(columns)
    lines = [columns, tuple("--:" if one else "---" for one in right), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fenced(text: str, language: str) -> str:
    longest = 3
    while "`" * longest in text:
        longest += 1
    fence = "`" * longest
    return f"{fence}{language}\n{text}\n{fence}"
