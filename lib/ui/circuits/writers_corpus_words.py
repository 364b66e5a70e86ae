"""What the Writers view says of a feature over the texts on which it fires."""

from typing import Any, Literal

import numpy as np

from lib.sae.circuits.corpus_writers import CorpusWriters
from lib.sae.circuits.mean_terms import Mean
from lib.ui.circuits.writers_words import NOT_TOLD, of_means, put, short, strongest
from lib.ui.messages import count, counted, share

DIRECT = (
    "The part whose own output adds most to the pre-activation of texts on which the feature fires, beyond what it "
    "adds to others; FF is the feed-forward part."
)
LEFT_OUT = (
    "The part without which the pre-activation of those texts falls furthest, beyond what others lose, when the rest "
    "of the encoder runs anew; FF is the feed-forward part."
)
HALF = (
    "The fewest parts whose direct differences make up half of the difference in pre-activation: one says that the "
    "feature is written in one place, many that it is spread over the encoder. A dash: they never do."
)
STRONGEST = "strongest in"
FEW = 5
"""Texts below which a mean is said to be one of few."""
MEANINGS = {
    "direct": "What the part's own output adds where the feature fires, less what it adds where it does not.",
    "direct, from": "Lower end of the 95 % interval of that (Student's t, each part by itself).",
    "direct, to": "Upper end.",
    STRONGEST: "Share of the texts on which the feature fires in which this part's own output adds most.",
    "where it fires": "Mean of the direct contribution over texts on which the feature fires.",
    "where not": "The same over texts on which it does not.",
    "lost when left out": "How much lower the pre-activation is without the part: where the feature fires, less where "
    "it does not.",
    "lost, from": "Lower end of the 95 % interval of that.",
    "lost, to": "Upper end.",
    "lost where it fires": "Mean over texts on which the feature fires.",
    "lost where not": "The same over texts on which it does not.",
}


def notices(result: CorpusWriters) -> list[str]:
    """What a reader should know before looking at the picture."""
    if result.of_firing >= FEW:
        return []
    texts = counted(result.of_firing, "text")
    return [
        f"It fires on {texts} of this corpus: too few to speak of the feature in general; a larger corpus tells more."
    ]


def fires(result: CorpusWriters) -> str:
    """Which texts stand behind the means."""
    said = f"Different texts of the corpus on which the feature fires. Direct: {_of(result.firing, result.of_firing)}"
    if result.silents:
        said += f", beside {_of(result.silents, result.of_silent)} on which it does not"
    lost = counted(result.left_out_texts, "text")
    beside = f" and {count(result.left_out_silents)}" if result.left_out_silents else ""
    return f"{said}. Leaving out: {lost}{beside} of these. Drawn at random (seed {result.seed})."


def pre_activation(result: CorpusWriters) -> str:
    """The mean, and what it is where the feature does not fire."""
    silent = result.pre_activation_silent
    beside = "" if silent is None else f" Where it does not fire: {silent:.3f}."
    return f"Mean over the texts on which the feature fires.{beside}"


def surely(result: CorpusWriters, what: Literal["direct", "left_out"]) -> tuple[str, str]:
    """The part of the largest value, "none surely" where that may be chance, and the value with its interval."""
    shown = result.shown(what)
    part, value = short(result.parts, shown.mean)
    place = int(np.nanargmax(shown.mean))
    doubtful = part != "none" and bool(np.isfinite(shown.low[place])) and not shown.sure[place]
    where = f" at {result.parts[place]}" if doubtful else ""
    return "none surely" if doubtful else part, f"{value}{_interval(shown, place)}{where}"


def finding(result: CorpusWriters) -> str:
    """What the two measures name, in two or three sentences."""
    told, lost = result.shown("direct"), result.shown("left_out")
    texts = counted(result.firing, "text")
    if result.pre_activation_silent is None:
        gap = result.pre_activation
        first = (
            f"Over {texts} on which it fires, as it does on every one, the pre-activation is on average {gap:+.3f}. "
        )
    else:
        gap = result.pre_activation - result.pre_activation_silent
        first = (
            f"Over {texts} on which it fires the pre-activation is on average {gap:+.3f} above that of "
            f"{count(result.silents)} on which it does not. "
        )
    part, value = strongest(result.parts, told.mean)
    if told.mean.max() <= 0:
        return f"{first}No part's own output adds to this."
    place = result.parts.index(part)
    portion = f", {share(told.mean[place] / gap, 0)}" if gap > 0 else ""
    every = (
        f"; it is the strongest writer in {share(result.strongest[place], 0)} of its texts" if result.firing > 1 else ""
    )
    said = f"{first}Of this {part} writes most by its own output: {value}{_interval(told, place)}{portion}{every}. "
    without, taken = strongest(result.parts, lost.mean)
    if np.nanmax(lost.mean) <= 0:
        return f"{said}Leaving out any one part lowers it nowhere{_beyond(result)}."
    missed = result.parts.index(without)
    ending = "the two ways agree on it" if without == part else "here the two ways name different parts"
    if np.isfinite(lost.low[missed]) and not lost.sure[missed]:
        ending = "that may be chance, as where the rest of the encoder makes up for a part"
    costs = f"Leaving out costs most at {without}: {taken}{_interval(lost, missed)}"
    return f"{said}{costs}{_beyond(result)}; {ending}."


def of_figure(result: CorpusWriters) -> str:
    """How to read the picture, and what not to conclude."""
    less = ", less the same over texts on which it does not" if result.difference is not None else ""
    adds_up = (
        "they add up to the difference in pre-activation, but for that of the constant "
        f"({result.constant - result.constant_silent:+.3f})"
        if result.constant_silent is not None
        else f"they add up to the pre-activation with the constant ({result.constant:+.3f})"
    )
    lines = "Thin lines: 95 % intervals of the means over texts, each bar by itself."
    if not np.isfinite(result.shown("direct").low).any():
        lines = "With one text there is no interval: another text may look different."
    return (
        "Solid: what a part's output adds to the pre-activation, with the scale of every layer norm and the vector's "
        f"length frozen at what they are for each text; mean over {_of(result.firing, result.of_firing)} on which the "
        f"feature fires{less}; {adds_up}. Hollow: how much is lost with {put(result.replacement)} in its place, when "
        f"everything after it runs anew, norms included, over {counted(result.left_out_texts, 'text')} of these{less}; "
        f"these do not add up.{of_means(result.replacement)} {lines} Texts on which a feature fires differ from "
        "others in more than the feature. "
        f"{NOT_TOLD}"
    )


def table(result: CorpusWriters) -> dict[str, Any]:
    """Every number of every part, column by column."""
    told, lost = result.shown("direct"), result.shown("left_out")
    opposed = set(result.agreement.opposed)
    columns = {
        "part": result.parts,
        "direct": told.mean,
        "direct, from": told.low,
        "direct, to": told.high,
        STRONGEST: result.strongest,
        "lost when left out": lost.mean,
        "lost, from": lost.low,
        "lost, to": lost.high,
        "where it fires": result.direct,
        "where not": result.silent,
        "lost where it fires": result.left_out,
        "lost where not": result.left_out_silent,
        "signs": ["differ" if place in opposed else "" for place in range(len(result.parts))],
    }
    return {name: values for name, values in columns.items() if values is not None and not _empty(values)}


def _empty(values: Any) -> bool:
    return isinstance(values, np.ndarray) and bool(np.isnan(values).all())


def _interval(mean: Mean, place: int) -> str:
    if not np.isfinite(mean.low[place]):
        return ""
    return f" ({mean.low[place]:+.3f} to {mean.high[place]:+.3f})"


def _beyond(result: CorpusWriters) -> str:
    return "" if result.left_out_difference is None else " beyond what the other texts lose"


def _of(some: int, every: int) -> str:
    return counted(some, "text") if some == every else f"{count(some)} of {counted(every, 'text')}"
