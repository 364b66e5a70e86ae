"""A report as one HTML file: opens offline, asks nobody for anything, runs no script but its own two.

The policy that stands in the file itself lets run only scripts with the hashes of plotly.js and of `report.js`, and
lets nothing be fetched. Figures are data, not script. Everything that came from a user is escaped.
"""

import base64
import hashlib
import html
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lib.reports.parts import encoder_lines, link_address, preamble, query_lines, shown_cell, text_lines
from lib.reports.report import Assertion, Cell, Number, Picture, Report, Section, Table

_ASSETS = Path(__file__).parent / "assets"
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
    "form-action 'none'"
)


def page(report: Report) -> str:
    """The whole file; about 5 MB, nearly all of which is plotly.js."""
    scripts = [plotly_source(), _asset("report.js")] if _drawn(report) else [_asset("report.js")]
    policy = _POLICY.format(scripts=" ".join(f"'sha256-{_hash(script)}'" for script in scripts))
    title = html.escape(report.title)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title} · Embedscope</title>\n<style>{_asset('report.css')}</style>\n</head>\n<body>",
            f"<header>\n<h1>{title}</h1>\n{_head(report)}\n</header>",
            _contents(report),
            "<main>",
            _assertions(report.assertions),
            *(_section(section, report) for section in report.sections),
            "</main>",
            _end(report),
            *(f"<script>{script}</script>" for script in scripts),
            "</body>\n</html>\n",
        )
    )


@cache
def plotly_source() -> str:
    """plotly.js as it is put into the file: line ends as a browser reads them, so that its hash is that of the file."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _drawn(report: Report) -> bool:
    return any(section.pictures for section in report.sections)


def _head(report: Report) -> str:
    quoted = len(report.quoted)
    told = f"It quotes {quoted} texts, whole or in part." if quoted else "It quotes no text."
    notices = "".join(f"<p>{html.escape(notice)}</p>" for notice in report.notices)
    blocks = (("Encoder", encoder_lines(report)), ("Texts", text_lines(report)), ("Query set", query_lines(report)))
    facts = "".join(f"<section><h3>{name}</h3>{_terms(lines)}</section>" for name, lines in blocks if lines)
    made = f'<p class="quiet">Made {html.escape(report.made)} by Embedscope. {told}</p>'
    return f'{made}{notices}<div class="facts">{facts}</div>'


def _terms(lines: dict[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{html.escape(a)}</dt><dd>{html.escape(b)}</dd>" for a, b in lines.items()) + "</dl>"


def _contents(report: Report) -> str:
    links = [f'<li><a href="#{section.name}">{html.escape(section.title)}</a></li>' for section in report.sections]
    first = '<li><a href="#assertions">Assertions</a></li>' if report.assertions else ""
    last = '<li><a href="#made">How this was made</a></li>'
    return f'<nav aria-label="Contents"><ul>{first}{"".join(links)}{last}</ul></nav>'


def _assertions(assertions: tuple[Assertion, ...]) -> str:
    if not assertions:
        return ""
    failed = sum(not one.holds for one in assertions)
    said = f"{failed} of {len(assertions)} do not hold." if failed else f"All {len(assertions)} hold."
    rows = "".join(
        f'<tr><td class="{"holds" if one.holds else "fails"}">{"holds" if one.holds else "✕ does not hold"}</td>'
        f"<td>{html.escape(one.text)}</td>{_cell(one.value)}<td>{html.escape(one.reason)}</td></tr>"
        for one in assertions
    )
    return (
        f'<section id="assertions"><h2>Do the assertions hold?</h2><p>{said}</p>'
        f'<div class="scroll" tabindex="0"><table>{_titles(("", "assertion", "value", "why there is none"))}'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _section(section: Section, report: Report) -> str:
    return "\n".join(
        (
            f'<section id="{section.name}"><h2>{html.escape(section.title)}</h2>',
            f"<p>{html.escape(section.sentence)}</p>",
            f'<ul class="numbers">{"".join(map(_number, section.numbers))}</ul>' if section.numbers else "",
            *(_picture(picture) for picture in section.pictures),
            *(_table(table) for table in section.tables),
            *(f'<p class="quiet">{html.escape(notice)}</p>' for notice in section.notices),
            _again(section, report),
            "</section>",
        )
    )


def _number(number: Number) -> str:
    ends = "" if number.interval is None else f"<span>{_shown_ends(number.interval)}</span>"
    held = f"<span>{html.escape(number.baseline)}</span>" if number.baseline else ""
    said = number.needs if number.needs is not None else number.meaning
    return (
        f"<li><span>{html.escape(number.label)}</span><strong>{html.escape(number.shown)}</strong>{ends}{held}"
        f"<span>{html.escape(said)}</span></li>"
    )


def _shown_ends(interval: tuple[float, float]) -> str:
    low, high = (shown_cell(float(end)) for end in interval)
    return f"{low} to {high} (95 %)"


def _picture(picture: Picture) -> str:
    name = html.escape(picture.name)
    about = html.escape(f"{picture.title}. {picture.caption}".strip())
    height = int(picture.figure.layout.height or 380)
    return (
        f'<figure><div role="img" aria-label="{about}" data-figure="figure-{name}" data-name="{name}" '
        f'style="height: {height}px"></div>'
        f"<figcaption><strong>{html.escape(picture.title)}.</strong> {html.escape(picture.caption)}"
        "<noscript> The drawing needs scripts, which are off here.</noscript></figcaption>"
        f'<script type="application/json" id="figure-{name}">{_figure_json(picture)}</script></figure>'
    )


def _figure_json(picture: Picture) -> str:
    """The figure as JSON that cannot end its script element; WebGL traces drawn as SVG, which needs no eval."""
    from plotly.io import to_json

    figure: dict[str, Any] = picture.figure.to_dict()
    for trace in figure["data"]:
        if trace.get("type") == "scattergl":
            trace["type"] = "scatter"
    figure["layout"].pop("template", None)
    text = str(to_json(figure, validate=False))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _table(table: Table) -> str:
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(table.caption or table.name)}">'
        f"<table>{caption}{_titles(table.columns)}<tbody>{rows}</tbody></table></div>"
    )


def _titles(columns: tuple[str, ...]) -> str:
    cells = "".join(
        f'<th scope="col"><button type="button">{html.escape(name)}</button></th>' if name else '<th scope="col"></th>'
        for name in columns
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f'<td class="number" data-value="{json.dumps(cell)}">{html.escape(shown_cell(cell))}</td>'
    return f"<td>{html.escape(shown_cell(cell))}</td>"


def _again(section: Section, report: Report) -> str:
    ways = []
    address = link_address(section.link, report)
    if address:
        ways.append(f'<p><a href="{html.escape(address)}" rel="noreferrer">Open this view in the app</a></p>')
    if section.command:
        ways.append(f"<pre>{html.escape(section.command)}</pre>")
    if section.code:
        ways.append(f"<pre>{html.escape(section.code)}</pre>")
    return f"<details><summary>Get these numbers again</summary>{''.join(ways)}</details>" if ways else ""


def _end(report: Report) -> str:
    settings = {name: json.dumps(value, ensure_ascii=False) for name, value in report.settings.items() if value != ""}
    code = preamble(report)
    return (
        '<footer><section id="made"><h2>How this was made</h2>'
        "<p>The same texts, encoder, settings and versions give the same numbers, but for rounding on another "
        "processor.</p>"
        f'<div class="facts"><section><h3>Settings</h3>{_terms(settings)}</section>'
        f"<section><h3>Versions</h3>{_terms(report.versions)}</section></div>"
        f"<details><summary>What the snippets above begin with</summary><pre>{html.escape(code)}</pre></details>"
        "</section></footer>"
    )
