"""What the Steering page says of its numbers and pictures."""

from lib.sae.steering import Dose, Push, Reranked, Side, Steered
from lib.sae.steering.recipes import TRAINING
from lib.sae.steering.verdicts import FEW, FEWEST, NOT, PULLS, WEAK
from lib.ui.messages import count, counted

VERDICTS = {
    PULLS: "Yes: it pulls in its texts.",
    WEAK: "Not clearly more than under other features.",
    NOT: "No: it does not pull in its texts.",
}
SIDES = (
    "query: the text is pushed and looks for the texts of the corpus as they are. documents: every text of the corpus "
    "is pushed, and the chosen one looks for them as it is."
)
OTHERS = (
    "Nine in ten of the same pushes along other features, those that fire on the most similar number of texts, "
    "lie within the band; its line is their median."
)


def unit(push: Push, at: int) -> str:
    """Where a feature's unit is from."""
    source = (
        "the training's mean, since it fires on too few texts here"
        if push.sources[at] == TRAINING
        else f"its mean over the {counted(push.unit_texts[at], 'text')} of this corpus on which it fires"
    )
    return f"1 = {push.units[at]:.3f}, {source}"


def of_shift(result: Steered) -> str:
    """What the shift is, and what a random push does."""
    low, middle, high = result.random_shift
    return (
        "1 − cos(x, x′): 0 = nothing moved, 1 = at right angles. A push of the same length "
        f"({result.push_length:.3g}) in a random direction gives {middle:.3f} ({low:.3f} to {high:.3f})."
    )


def of_side_effects(result: Steered) -> str:
    """What counts as one, and how many a random push has."""
    low, middle, high = result.random_side_effects
    return (
        f"Features besides the recipe's whose activation changed by {result.least:.3g} or more, a tenth of the largest "
        f"change of a target's pre-activation. A push of the same length in a random direction changes {middle:.0f} "
        f"({low:.0f} to {high:.0f})."
    )


def of_random(result: Steered) -> str:
    """The baseline of the shift and of the side effects, or that nothing is pushed."""
    if not result.draws:
        return "Nothing is pushed: the vector and the ranking are what they were, bit for bit."
    low, middle, high = result.random_shift
    few, some, many = result.random_side_effects
    return (
        f"By comparison, a push of the same length ({result.push_length:.3g}) in a random direction moves this text by "
        f"{middle:.3f} ({low:.3f} to {high:.3f}) and has {some:.0f} side effects ({few:.0f} to {many:.0f}): median and "
        f"nine in ten of {count(result.draws)}."
    )


def of_rankings(result: Reranked, name: str) -> str:
    """How the two lists are read, and what not to conclude."""
    own = (
        f" The text itself stands in the corpus and is left out ({count(result.left_out)})." if result.left_out else ""
    )
    steered = (
        "The text was pushed; the corpus was not."
        if result.side == "query"
        else "Every text of the corpus was pushed by the same vector, and scored anew without encoding again. The same "
        "is added to every product with the text that asks, which is then divided by the document's new length: the "
        "more a document already points along the push, the longer it gets, and the less it gains. So a boost tends "
        "to lift documents that lacked the feature, not those that had it."
    )
    return (
        f"{count(result.items)} texts ranked by cosine similarity, before and after. {steered} ◆ marks texts on which "
        f"{name} fires.{own} That they come up shows what the feature's direction pulls towards, not that they answer "
        "the text better."
    )


def of_changes(result: Steered, shown: int, side: Side) -> str:
    """How the picture of changed features is read."""
    own = " Shown for the chosen text, as if it were one of the documents." if side == "documents" else ""
    brought = " Where the whole is brought back to length 1, all that is not pushed shrinks a little."
    silent = [
        str(feature)
        for feature, delta, before in zip(result.targets, result.deltas, result.target_before, strict=True)
        if delta < 0 and not before
    ]
    below = (
        f" {' and '.join(silent)} did not fire here: taking it away still pushes the text against its direction."
        if silent
        else ""
    )
    return (
        f"Hollow: activation before; filled: after. The recipe's features stand on top, then the {count(shown)} others "
        f"that changed most, of {count(len(result.features))} that changed at all.{brought}{below} A feature "
        "with a similar direction changes along with the target: that is no second concept found in the text."
        f"{own}"
    )


def of_verdict(result: Dose) -> str:
    """The verdict, and where there is none what would give one."""
    if result.verdict == FEW:
        return (
            f"Open: it fires on {count(result.firing)} of {count(result.texts)} texts, and {FEWEST} that fire and "
            f"{FEWEST} that are silent are needed. Choose a feature from the list, or a corpus with more such texts."
        )
    return VERDICTS[result.verdict]


def of_shift_curve(result: Dose) -> str:
    """How the curve of the cosine shift is read."""
    return (
        f"How far the vector moves, by delta (1 = {result.unit:.3f}). The bands hold nine in ten pushes of the same "
        "length, their lines the medians. A curve below the grey one moves less than chance would, because the text "
        "already points that way (or, left of 0, away from it). The dotted line is the verdict's delta. Distance moved "
        "says nothing of meaning."
    )


def of_rank_curve(result: Dose) -> str:
    """How the curve of ranks is read."""
    return (
        f"Mean rank, among {count(result.texts)}, of the {counted(result.firing, 'text')} on which the feature fires; "
        "up is better. They should climb to the right and sink to the left, and further than under other pushes. "
        f"{OTHERS} The bands follow the very same texts. Texts that already stand on top cannot climb."
    )


def of_rise(result: Dose) -> str:
    """How the strip is read."""
    return (
        f"At delta {result.probe:+g}: the chance that a text on which the feature fires rose by more ranks than a "
        "silent one (1 = always, .5 = chance), with its 95 % interval (DeLong). The other marks are the same texts' "
        "under pushes of that length along other features and random directions: what any push does to them, ceiling "
        "included."
    )
