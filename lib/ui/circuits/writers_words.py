"""What the Writers view says of its numbers and its picture."""

import numpy as np

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

_MOST_NAMED = 3


def strongest(result: Writers, values: np.ndarray) -> tuple[str, str]:
    """The part of the largest value: its name, and the value."""
    place = int(np.nanargmax(values))
    return result.parts[place], f"{values[place]:+.3f}"


def short(result: Writers, values: np.ndarray) -> tuple[str, str]:
    """The part of the largest value, if that is above 0, as "6 attention" or "6 FF", and the value."""
    part, value = strongest(result, values)
    called = part.removeprefix("layer ").replace("feed-forward", "FF")
    return (called if np.nanmax(values) > 0 else "none"), value


def finding(result: Writers) -> str:
    """What the two measures name, in one sentence or two."""
    direct, by_direct = strongest(result, result.direct)
    without, by_leaving = strongest(result, result.left_out)
    said = f"By its own output {direct} writes most of this feature: {by_direct} of {result.pre_activation:+.3f}. "
    if result.agreement.same_strongest and direct == without:
        return said + f"Leaving it out takes {by_leaving} away: the two agree on it."
    if np.nanmax(result.left_out) <= 0:
        return (
            f"{said}Leaving out any one part lowers it nowhere: the rest makes up for the part, or the part also held "
            "the feature back."
        )
    return said + f"Leaving out costs most at {without}: {by_leaving}. Here the two name different parts."


def of_agreement(result: Writers) -> str:
    """Whether the two measures agree, by the rule, and where not."""
    found = result.agreement
    if found.correlation is None:
        return f"Direct contribution and leaving out: {found.verdict} ({counted(found.parts, 'part')})."
    chance = "less than .001" if found.chance is None or found.chance < 1e-3 else f"{found.chance:.3f}".lstrip("0")
    opposed = " No part has opposite signs."
    if len(found.opposed) > _MOST_NAMED:
        opposed = f" {len(found.opposed)} parts have opposite signs (diamonds)."
    elif found.opposed:
        opposed = f" Opposite signs: {', '.join(result.parts[place] for place in found.opposed)}."
    return (
        f"Direct contribution and leaving out {found.verdict}: rank correlation {found.correlation:+.2f} over "
        f"{found.parts} parts; of random pairings a share of {chance} reaches as much.{opposed}"
    )


def of_figure(result: Writers) -> str:
    """How to read the picture, and what not to conclude."""
    put = "zeros" if result.replacement == "zero" else "its mean output over tokens of the corpus"
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
        f"{result.constant:+.3f}). Hollow: how much is lost with {put} in its place, when everything after it runs "
        f"anew, norms included; these do not add up.{usual} Where solid and hollow differ, later parts read what this "
        "one wrote, make up for it, or the norms rescale the rest. A tall bar says where the number comes from, not "
        "that the concept is understood there."
    )
