"""Finding: one thing in a fine-tune's log that deserves a look."""

from dataclasses import dataclass

from lib.results import Result

WARNING, NOTE = "warning", "note"


@dataclass(frozen=True)
class Finding(Result):
    """One thing to look at: where, from when to when, and by which rule."""

    kind: str
    """"narrowing", "collapse", "dead", "frozen", "spike", "exploding" or "not finite"."""
    severity: str
    """"warning": look at it before trusting the result; "note": it may be wanted, or it is over."""
    side: str | None
    """"adapter" or "base" for a finding about gradients by layer; None otherwise."""
    layer: str | None
    """Name of the layer; None for one about several of them, or about the whole model."""
    first_step: int
    """Where it begins."""
    last_step: int
    """Where it ends, or the last step so far."""
    sentence: str
    """What was seen, with its numbers; ends with a full stop."""
    rule: str
    """When this is said, in words; ends with a full stop."""


@dataclass(frozen=True)
class Findings(Result):
    """All that was found in a log."""

    items: tuple[Finding, ...]
    """Warnings first, then by the step where they begin."""
    gap: str
    """Where the gap between positive and negative pairs went from the first steps to the last ones: "widening",
    "steady", "narrowing", or "cannot be told"."""
    gap_sentence: str
    """The same with its numbers."""
    gap_rule: str
    """The rule behind it."""
    steps: int
    """How many steps it was judged by."""

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Those that are warnings."""
        return tuple(item for item in self.items if item.severity == WARNING)
