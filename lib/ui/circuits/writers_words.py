"""What the Writers view says of one text: its numbers, its picture, and whether the two measures agree."""

from collections.abc import Sequence

import numpy as np

from lib.sae.circuits.agreement import Agreement
from lib.sae.circuits.writers import Writers
from lib.ui.messages import counted

PRE = (
    "(x − b_dec) · w + b_enc at the end of the encoder: the sum of all direct contributions and the constant. The "
    "feature fires where the dictionary's rule keeps it."
)
DIRECT = (
    "The part whose output itself adds most to the pre-activation, everything after it held as it is; FF is the "
    "feed-forward part."
)
LEFT_OUT = (
    "The part without which the pre-activation falls furthest when the rest of the encoder runs anew; FF is the "
    "feed-forward part."
)
CONSTANT = "Biases of norms, projections and dictionary: what no part of a layer writes."
MEANINGS = {
    "direct": "What the part's own output adds to the pre-activation.",
    "usual in the corpus": "The mean of the same over texts of the corpus.",
    "lost when left out": "How much lower the pre-activation is without the part.",
    "other features lose": "The mean of the same over the other features that fire on this text.",
    "activation lost": "How much lower the activation is without the part.",
}
NOT_TOLD = (
    "Where solid and hollow differ, later parts read what this one wrote, make up for it, or the norms rescale the "
    "rest. A tall bar says where the number comes from, not that the concept is understood there."
)

_MOST_NAMED = 3


def strongest(parts: Sequence[str], values: np.ndarray) -> tuple[str, str]:
    """The part of the largest value: its name, and the value."""
    place = int(np.nanargmax(values))
    return parts[place], f"{values[place]:+.3f}"


def short(parts: Sequence[str], values: np.ndarray) -> tuple[str, str]:
    """The part of the largest value, if that is above 0, as "6 attention" or "6 FF", and the value."""
    part, value = strongest(parts, values)
    called = part.removeprefix("layer ").replace("feed-forward", "FF")
    return (called if np.nanmax(values) > 0 else "none"), value


def finding(result: Writers) -> str:
    """What the two measures name, in two or three sentences."""
    return " ".join(sentence for sentence in (_by_output(result), _above_usual(result), _without(result)) if sentence)


def _by_output(result: Writers) -> str:
    if result.direct.max() <= 0:
        return f"No part writes this feature by its own output: each adds 0 or less to {result.pre_activation:+.3f}."
    direct, value = strongest(result.parts, result.direct)
    return f"By its own output {direct} writes most of this feature: {value} of {result.pre_activation:+.3f}."


def _above_usual(result: Writers) -> str:
    """Which part stands out beside what it writes for any text; nothing where that is the strongest, well above it."""
    if result.usual is None:
        return ""
    above = result.direct - result.usual
    part, value = strongest(result.parts, above)
    texts = counted(result.usual_texts, "text")
    if above.max() <= 0:
        return f"None writes more of it here than its mean over {texts} of the corpus."
    also = " too" if part == strongest(result.parts, result.direct)[0] else ""
    return f"Above its mean over {texts} of the corpus {part} stands out most{also}: {value}."


def _without(result: Writers) -> str:
    without, value = strongest(result.parts, result.left_out)
    if np.nanmax(result.left_out) <= 0:
        return (
            "Leaving out any one part lowers it nowhere: the rest makes up for the part, or the part also held the "
            "feature back. “Over its texts” tells whether leaving out does the same to any text."
        )
    if result.agreement.same_strongest and without == strongest(result.parts, result.direct)[0]:
        return f"Leaving it out takes {value} away: the two ways agree on {without}."
    return f"Leaving out costs most at {without}: {value}. Here the two ways name different parts."


def of_agreement(found: Agreement, parts: Sequence[str]) -> str:
    """Whether the two measures agree, by the rule, and where not."""
    if found.correlation is None:
        return f"Direct contribution and leaving out: {found.verdict} ({counted(found.parts, 'part')})."
    chance = "less than .001" if found.chance is None or found.chance < 1e-3 else f"{found.chance:.3f}".lstrip("0")
    opposed = " No part that weighs has opposite signs."
    if len(found.opposed) > _MOST_NAMED:
        opposed = f" {len(found.opposed)} parts have opposite signs (diamonds)."
    elif found.opposed:
        opposed = f" Opposite signs (diamonds): {', '.join(parts[place] for place in found.opposed)}."
    return (
        f"Direct contribution and leaving out {found.verdict}: rank correlation {found.correlation:+.2f} over "
        f"{found.parts} parts; of random pairings a share of {chance} reaches as much.{_furthest(found, parts)}"
        f"{opposed}"
    )


def _furthest(found: Agreement, parts: Sequence[str]) -> str:
    if found.furthest is None or found.furthest_ranks is None:
        return " Both rank the parts alike."
    direct, left_out = found.furthest_ranks
    return (
        f" They are furthest apart on {parts[found.furthest]}: number {direct} of {found.parts} by its own output, "
        f"number {left_out} by leaving it out."
    )


def put(replacement: str) -> str:
    """What stands in a part's place."""
    return "zeros" if replacement == "zero" else "its mean output over tokens of the corpus"


def of_means(replacement: str) -> str:
    """A warning where parts are replaced by their means."""
    if replacement == "zero":
        return ""
    return " Where a few tokens have huge outputs, as in early layers, their mean is like no token's and costs much."


def of_figure(result: Writers) -> str:
    """How to read the picture, and what not to conclude."""
    lines = []
    if result.usual is not None:
        lines.append(
            f"beside solid bars the middle 90 % of the same in {counted(result.usual_texts, 'text')} of the corpus"
        )
    if result.others is not None:
        lines.append(f"beside hollow ones that of the {counted(result.others_count, 'other feature')} that fire here")
    usual = f" Thin lines show what is usual: {'; '.join(lines)}." if lines else ""
    return (
        "Solid: what a part's output adds to the feature's pre-activation, with the scale of every layer norm and the "
        "vector's length frozen at what they are for this text; then the sum is exact (constant "
        f"{result.constant:+.3f}). Hollow: how much is lost with {put(result.replacement)} in its place, when "
        f"everything after it runs anew, norms included; these do not add up."
        f"{of_means(result.replacement)}{usual} {NOT_TOLD}"
    )
