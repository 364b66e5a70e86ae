"""What the Ranks view says of its numbers."""

from lib.finetune.concepts import LeadChanges, Passed, WhyChanged
from lib.finetune.diff.evidence import FEWEST_QUERIES, retrieval_effect
from lib.finetune.diff.ranks import METRICS, RankDiff
from lib.numerals import spelt
from lib.ui.messages import count, counted, share

LEADS_SHOWN = 15
"""Features that the picture of all leads names."""
METRICS_READ = (
    "Hollow with a dashed interval: the base; solid: the tuned checkpoint. At the right the difference query by query: "
    "▲ surely better, ▼ surely worse, ○ not to be told from chance (sign-flip test over queries, Holm over the "
    f"{len(METRICS)} metrics, p ≤ .05). The sentence above goes by {spelt(METRICS[0])} alone, chosen beforehand, "
    "without that correction. Two intervals that overlap do not speak against a sure difference: the test compares the "
    "same queries. Judgements are taken as complete: a document that nobody judged counts as not relevant."
)
SLOPES_READ = (
    "One line a query, from its rank with the base (left) to that with the tuned checkpoint (right); wide lines are "
    "several queries with the same two ranks. ▲ improved, ▼ worse, ● same. The axis is logarithmic: a step from 1 to 2 "
    "is as long as one from 50 to 100, and costs a reader far more. Many rising lines can go with a metric that "
    "fell: few queries that lose rank 1 weigh more than many that move at the bottom."
)
TOPICS_READ = (
    "Filled triangles: p ≤ .05 after Holm's correction for the topics; hollow circles may be chance. A topic can fall "
    "while the whole rises. With fewer than ten queries go by the shape alone: the interval is then too narrow."
)


def headline(found: RankDiff) -> str:
    """The main metric's change, by the rule of the verdict: chosen beforehand, so that p needs no correction."""
    main = found.metrics[0]
    told = {1: "better", 0: "not surely different", -1: "worse"}[retrieval_effect(main.test)]
    if main.test.queries < FEWEST_QUERIES:
        told = f"not to be judged (fewer than {FEWEST_QUERIES} queries)"
    return (
        f"On {_queries(found.queries)} the tuned checkpoint is {told}: "
        f"{spelt(main.metric)} {main.base.mean:.3f} → {main.tuned.mean:.3f} "
        f"(difference {_signed(main.test.difference, 3)}, "
        f"{_signed(main.test.low, 3)} to {_signed(main.test.high, 3)}, p = {main.test.p_value:.2g})."
    )


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _queries(number: int) -> str:
    return "one query" if number == 1 else f"these {count(number)} queries"


def moved(found: RankDiff) -> str:
    """What the shares of changed ranks mean."""
    return (
        f"Queries whose closest true document has another rank than before, {share(found.changed_low)} to "
        f"{share(found.changed_high)} (95 %). As many better as worse? p = {found.sign_p:.2g} (sign test, exact)."
    )


def left_out(found: RankDiff) -> list[str]:
    """Queries without a relevant document."""
    if not found.skipped:
        return []
    if found.skipped == 1:
        return ["1 query has no relevant document and is left out."]
    return [f"{count(found.skipped)} queries have no relevant document and are left out."]


def slopes(drawn: int, of: int) -> str:
    """How to read the picture, and how many are in it."""
    thinned = f" Drawn: a random {count(drawn)} of {count(of)} queries." if drawn < of else ""
    return SLOPES_READ + thinned


def of_pair(found: Passed) -> str:
    """Which documents are set beside each other."""
    order = f"rank {count(found.relevant_base)} → {count(found.relevant_tuned)}"
    told = f"The relevant document shown here went from {order}."
    if found.overtook:
        told += f" {_passed(found.overtook, 'below', 'above')}"
    if found.fell_behind:
        told += f" {_passed(found.fell_behind, 'above', 'below')}"
    if found.rival is None:
        return told + " There is no other document to set beside it."
    if found.changed_places:
        return told + " Beside it: the one of them that stands, or stood, highest."
    return told + " None changed places with it; beside it: the first other document now."


def _passed(number: int, was: str, now: str) -> str:
    if number == 1:
        return f"1 document that stood {was} it stands {now} it now."
    return f"{count(number)} documents that stood {was} it stand {now} it now."


def of_figure(found: WhyChanged) -> str:
    """The question that the picture answers."""
    if found.lead_after <= 0 < found.lead_before:
        return "Which features cost the relevant document its lead?"
    if found.lead_before <= 0 < found.lead_after:
        return "Which features won the relevant document its lead?"
    return f"Which features made its lead {'larger' if found.change > 0 else 'smaller'}?"


def of_lead(found: WhyChanged) -> str:
    """What the bars say."""
    decides = int(found.decides.sum())
    lost = found.lead_after <= 0 < found.lead_before
    if decides:
        which = "the feature" if decides == 1 else f"any one of the {counted(decides, 'feature')}"
        still = "still be ahead" if lost else "still be behind"
        told = f"Without the change of {which} marked ⇄ the relevant document would {still}."
    elif (found.lead_before > 0) != (found.lead_after > 0):
        told = "No single feature decided it: the change of several together did."
    else:
        told = "The two stand in the order that they had."
    return (
        f"Lead of the relevant document over the other, {found.measure}: {_signed(found.lead_before, 4)} before, "
        f"{_signed(found.lead_after, 4)} after. Amber added to it, violet took from it; all bars sum to the change of "
        f"{_signed(found.change, 4)}. {told} {_error(found)} A part changes where the query fires the feature "
        "otherwise, or where one of the documents moved along its direction. It holds for this pair alone, and names "
        "what changed, not what in the training changed it."
    )


def of_leads(found: LeadChanges) -> str:
    """What the bars of all leads say."""
    kind = "improved" if found.change_of_rank > 0 else "got worse"
    drawn = found.queries + found.skipped
    thinned = f" (a random {count(drawn)} of {count(found.moved)})" if drawn < found.moved else ""
    left = f" {count(found.skipped)} are left out: no other document changed places." if found.skipped else ""
    return (
        f"Over the {count(found.queries)} queries that {kind}{thinned}: what each feature did, on average, to the lead "
        "of the relevant document over the one that changed places with it. Amber added to it, violet took from it. "
        f"All bars sum to {_signed(found.change, 4)}; hatched is no feature.{_thin(found)}{left} "
        "The queries were chosen by where they went, so the whole leans that way: compare features with one another, "
        "not with zero."
    )


def _thin(found: LeadChanges) -> str:
    """Where the largest features make up little of the whole."""
    largest = sorted(found.parts.tolist(), key=abs)[-LEADS_SHOWN:]
    part = sum(largest) / found.change if found.change else 1.0
    if part >= 0.5:
        return ""
    return f" It is spread thin: the {len(largest)} largest make up {share(max(part, 0), 0)} of it."


def _error(found: WhyChanged) -> str:
    part = found.error_share
    if part != part:
        return ""
    told = f"{share(part, 0)} of the change is in no feature (hatched)"
    if abs(part) > 0.5:
        return f"◇ {told}: the dictionary explains little of it."
    return f"{told}."
