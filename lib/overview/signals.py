"""The eight signals: one number each, with what it is held against and one plain sentence on what it means here.

Three stand on the vectors of a corpus ("map", "anisotropy", "dimension"), and so does "outliers"; two on the layers
("layers", "heads"), two on a query set ("ranks", "hard_negatives"). A signal that cannot be had is there as well, and
says what it needs. A verdict is given only where a rule that is written beside it, or a test, gives one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from lib.results import Result

Name = Literal["map", "anisotropy", "dimension", "outliers", "layers", "heads", "ranks", "hard_negatives"]
NAMES: tuple[Name, ...] = get_args(Name)
"""All eight, in the order in which they are shown."""
Group = Literal["space", "layers", "retrieval"]
GROUPS: dict[Name, Group] = {
    "map": "space",
    "anisotropy": "space",
    "dimension": "space",
    "outliers": "space",
    "layers": "layers",
    "heads": "layers",
    "ranks": "retrieval",
    "hard_negatives": "retrieval",
}
"""What each stands on."""
TITLES: dict[Name, str] = {
    "map": "Do groups lie apart?",
    "anisotropy": "Do all vectors point the same way?",
    "dimension": "How many dimensions are used?",
    "outliers": "Which texts do not belong?",
    "layers": "Where is the vector made?",
    "heads": "What do the heads attend to?",
    "ranks": "Does the right document come first?",
    "hard_negatives": "Are near misses told apart?",
}
"""The question that each answers."""
PLACES: dict[Name, tuple[str, dict[str, str]]] = {
    "map": ("geometry", {"view": "Map"}),
    "anisotropy": ("geometry", {"view": "Anisotropy"}),
    "dimension": ("geometry", {"view": "Dimension"}),
    "outliers": ("geometry", {"view": "Outliers"}),
    "layers": ("layers", {"view": "Build-up"}),
    "heads": ("layers", {"view": "Heads"}),
    "ranks": ("retrieval", {"view": "Quality"}),
    "hard_negatives": ("retrieval", {"view": "Hard negatives"}),
}
"""Page (its file under pages/, without .py) and query parameters where each is seen in full."""


@dataclass(frozen=True)
class Signal(Result):
    """One signal of one encoder on one corpus or query set."""

    name: Name
    """Which of the eight."""
    quantity: str
    """What the number is: "Mean cosine of all pairs"."""
    value: float | None
    """The number; None where it cannot be had, see `needs`."""
    shown: str
    """The number with its unit, as it is shown; "—" where there is none."""
    sentence: str
    """What it means here, one plain sentence; empty where there is no number."""
    baseline: float | None = None
    """What it is held against; None where nothing is."""
    baseline_shown: str = ""
    """The same in words, with its unit; empty where nothing is."""
    interval: tuple[float, float] | None = None
    """Its 95 % interval; None where it is exact for these texts or none can be had."""
    verdict: str | None = None
    """What a stated rule or a test says, in a word or two; None where none does."""
    rule: str | None = None
    """That rule or test, in words; None without a verdict."""
    needs: str | None = None
    """What is missing, and what to do, in one sentence; None where there is a number."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Every number behind it by a flat name ("anisotropy", "ndcg@10", "ndcg@10.low"), for tables and assertions."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Query parameters, beside the view's own, with which that view shows the same number."""

    @property
    def title(self) -> str:
        """The question that it answers."""
        return TITLES[self.name]

    @property
    def group(self) -> Group:
        """What it stands on: space, layers or retrieval."""
        return GROUPS[self.name]

    @property
    def page(self) -> str:
        """The page where it is seen in full: its file under pages/, without .py."""
        return PLACES[self.name][0]

    @property
    def query(self) -> dict[str, str]:
        """Query parameters of that page's view."""
        return PLACES[self.name][1] | dict(self.settings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the question and the place."""
        return super().to_dict() | {
            "title": self.title,
            "group": self.group,
            "page": self.page,
            "query": self.query,
        }


@dataclass(frozen=True)
class Item(Result):
    """One thing that stands out."""

    name: str
    """Its id, topic, or place ("layer 5, head 12")."""
    text: str
    """The beginning of its text; empty where it has none. What a user gave: to be escaped wherever it is shown."""
    value: float
    """The number by which it stands out; see the stand-out's `quantity`."""
    shown: str
    """The same as it is shown."""
    note: str = ""
    """What else is to be said of it, in a few words."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Query parameters that open it, beside those of its stand-out."""


Kind = Literal["weakest_label", "suspicious_inputs", "flagged_heads", "worst_topic", "weakest_queries"]


@dataclass(frozen=True)
class StandOut(Result):
    """What stands out in one respect, the most striking first."""

    kind: Kind
    """In which respect."""
    title: str
    """The question that it answers."""
    sentence: str
    """What was found, one plain sentence."""
    quantity: str
    """What the items' numbers are."""
    items: tuple[Item, ...]
    """The first few; empty where nothing stands out."""
    total: int
    """How many there are in all."""
    rule: str
    """By which rule something stands out, in words."""
    page: str
    """The page where they are seen in full."""
    query: Mapping[str, str]
    """Query parameters of that page's view."""


@dataclass(frozen=True)
class Part(Result):
    """Some of the signals, as one computation gives them, and what stands out in it."""

    signals: tuple[Signal, ...]
    """Signals with their numbers, or with what they need."""
    standouts: tuple[StandOut, ...] = ()
    """What stands out."""
    notices: tuple[str, ...] = ()
    """Sentences to show: what was sampled, changed or left out."""


@dataclass(frozen=True)
class Overview(Result):
    """An encoder on a corpus and a query set: the eight signals, and what stands out."""

    encoder: str
    """What the encoder was opened from."""
    fingerprint: str | None
    """Of its weights and settings; None where the corpus brought embeddings of its own and no queries were asked."""
    corpus: str | None
    """Name of the corpus; None without one."""
    corpus_key: str | None
    """Its content hash."""
    queries: str | None
    """Name of the query set; None without one."""
    queries_key: str | None
    """Its content hash."""
    signals: tuple[Signal, ...]
    """All eight, in the order of `NAMES`."""
    standouts: tuple[StandOut, ...]
    """What stands out, for the parts that could be had."""
    notices: tuple[str, ...]
    """Sentences to show: what was sampled, changed or left out."""
    texts: int
    """Texts of the corpus; 0 without one."""
    questions: int
    """Queries of the query set; 0 without one."""
    documents: int
    """Its documents; 0 without one."""
    seed: int
    """Seed of everything that was drawn."""

    def signal(self, name: Name) -> Signal:
        """One of the eight."""
        return next(signal for signal in self.signals if signal.name == name)

    @property
    def facts(self) -> dict[str, float]:
        """Every number by its flat name; a signal that cannot be had contributes none."""
        return {name: value for one in self.signals for name, value in one.facts.items()}


def wanting(names: Sequence[Name], needs: str) -> tuple[Signal, ...]:
    """Signals that cannot be had, all for one reason: `needs` says in one sentence what is missing and what to do."""
    return tuple(Signal(name, "", None, "—", "", needs=needs) for name in names)


def finite(**numbers: float | None) -> dict[str, float]:
    """Those of `numbers` that are finite, for a signal's facts."""
    return {name: float(value) for name, value in numbers.items() if value is not None and math.isfinite(value)}


def digits(value: float, places: int = 3) -> str:
    """A number as the pages write it, with a true minus sign."""
    return f"{value:.{places}f}".replace("-", "−")


def beginning(text: str, characters: int = 160) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
