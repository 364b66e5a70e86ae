"""What a report holds, before it becomes a page, a text or JSON: sections of numbers, tables and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib.results import Result, to_json

if TYPE_CHECKING:
    import plotly.graph_objects as go

Cell = str | int | float | None
Link = tuple[str, tuple[tuple[str, str], ...]]
"""A page of the app by its name under pages/, and the query parameters that open a view of it."""


@dataclass(frozen=True)
class Number(Result):
    """One number of a report, by the flat name that assertions use."""

    name: str
    """Flat name: "anisotropy", "ndcg@10"."""
    label: str
    """What it is called in the report."""
    value: float | None
    """The number; None where it cannot be had, see `needs`."""
    shown: str
    """The number with its unit, as it is shown; "—" where there is none."""
    interval: tuple[float, float] | None = None
    """Its 95 % interval; None where it is exact for these texts, or none can be had."""
    baseline: str = ""
    """What it is held against, in words; empty where nothing is."""
    meaning: str = ""
    """What it says and between which ends it lies, one sentence."""
    needs: str | None = None
    """Why there is no number, in one sentence; None where there is one."""


@dataclass(frozen=True)
class Table(Result):
    """One table of a report."""

    name: str
    """Short name, unlike those of the report's other tables."""
    columns: tuple[str, ...]
    """The c column titles."""
    rows: tuple[tuple[Cell, ...], ...]
    """The rows, c cells each; numbers stay numbers."""
    caption: str = ""
    """How to read it."""
    quoted: frozenset[str] = frozenset()
    """Which texts are quoted in it ("text 3", "query 12", "document 7", by id), whole or in part."""

    def to_dict(self) -> dict[str, Any]:
        """Name, caption and rows by column."""
        rows = [dict(zip(self.columns, map(to_json, row), strict=True)) for row in self.rows]
        return {"name": self.name, "caption": self.caption, "rows": rows}


@dataclass(frozen=True)
class Picture(Result):
    """One interactive figure of a report; it leaves as a drawing on the page and as its caption elsewhere."""

    name: str
    """Short name, unlike those of the report's other pictures."""
    title: str
    """What is to be seen, a few words: also its text alternative."""
    figure: "go.Figure"
    """The figure."""
    caption: str = ""
    """How to read it."""
    quoted: frozenset[str] = frozenset()
    """Which texts are quoted in its hover boxes, as in `Table`."""

    def to_dict(self) -> dict[str, Any]:
        """What can be said of it without drawing."""
        return {"name": self.name, "title": self.title, "caption": self.caption}


@dataclass(frozen=True)
class Section(Result):
    """One question and its answer."""

    name: str
    """Short name, for links within the report."""
    title: str
    """The question."""
    sentence: str
    """The answer in a sentence or two; where there is none, what is missing."""
    numbers: tuple[Number, ...] = ()
    """The numbers, the first the most telling."""
    pictures: tuple[Picture, ...] = ()
    """Figures."""
    tables: tuple[Table, ...] = ()
    """Tables."""
    notices: tuple[str, ...] = ()
    """What was sampled, changed or left out, a sentence each."""
    link: Link | None = None
    """Where the app shows the same."""
    command: str = ""
    """The command line that gives the same numbers."""
    code: str = ""
    """Python that gives them with the library alone."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """More numbers by flat names, which assertions may use."""
    missing: bool = False
    """Whether it could not be had: `sentence` says why."""


@dataclass(frozen=True)
class Assertion(Result):
    """A demand on one number, and whether it holds."""

    text: str
    """The demand as it was written, spaces evened out: "ndcg@10 >= 0.55"."""
    name: str
    """Flat name of the number."""
    operator: str
    """One of >=, <=, >, <, ==."""
    bound: float
    """What the number is held against."""
    value: float | None
    """The number; None where it could not be had."""
    holds: bool
    """Whether it does; never where there is no number."""
    reason: str = ""
    """Why there is no number; empty where there is one."""


@dataclass(frozen=True)
class Report(Result):
    """All that is said of an encoder on a corpus and a query set."""

    title: str
    """What it is about, one line."""
    made: str
    """When it was made, ISO 8601 with the offset from UTC."""
    encoder: dict[str, Any] | None
    """Facts of the encoder, its fingerprint among them; None where the corpus brought vectors and nothing was asked."""
    corpus: dict[str, Any] | None
    """Facts of the corpus, its content hash among them; None without one."""
    queries: dict[str, Any] | None
    """Facts of the query set, its content hash among them; None without one."""
    settings: dict[str, Any]
    """What was chosen: precision, seed, and whether texts are quoted."""
    versions: dict[str, str]
    """Versions of this program, of Python and of the libraries that made the numbers."""
    sections: tuple[Section, ...]
    """Questions and answers, in the order in which they are read."""
    assertions: tuple[Assertion, ...] = ()
    """Demands and whether they hold."""
    notices: tuple[str, ...] = ()
    """What a reader should know of the whole."""
    app: str = ""
    """Address of the app, "https://host/path" without a slash at its end, for links; empty where none is known."""

    @property
    def facts(self) -> dict[str, float]:
        """Every number by its flat name, ends of intervals as `NAME.low` and `NAME.high`."""
        made: dict[str, float] = {}
        for section in self.sections:
            made.update(section.facts)
        for number in (number for section in self.sections for number in section.numbers):
            if number.value is not None:
                made[number.name] = number.value
                if number.interval is not None:
                    made[f"{number.name}.low"], made[f"{number.name}.high"] = number.interval
        return made

    @property
    def reasons(self) -> dict[str, str]:
        """Why a number cannot be had, by its flat name."""
        return {
            number.name: number.needs
            for section in self.sections
            for number in section.numbers
            if number.needs is not None
        }

    @property
    def quoted(self) -> frozenset[str]:
        """Which texts are quoted, whole or in part."""
        tables = [table.quoted for section in self.sections for table in section.tables]
        return frozenset().union(*tables, *(picture.quoted for one in self.sections for picture in one.pictures))

    @property
    def failed(self) -> tuple[Assertion, ...]:
        """Demands that do not hold."""
        return tuple(one for one in self.assertions if not one.holds)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, with every number by its flat name under `facts`."""
        return super().to_dict() | {"facts": to_json(self.facts), "quoted_texts": len(self.quoted)}
