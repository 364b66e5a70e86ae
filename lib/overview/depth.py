"""What the layers say: where does the representation settle, and which heads stand out?"""

import numpy as np

from lib.layers import BuildUp, Findings, HeadEntropy, findings, flag_heads
from lib.layers.head_flags import HeadFlags
from lib.numerals import count, share
from lib.overview.signals import Item, Signal, StandOut, digits

LISTED = 5
"""Heads that the stand-out names."""


def layers_signal(built: BuildUp, read: Findings | None = None) -> Signal:
    """Where is the vector made? The depth from which states agree with the output, and whether they collapse."""
    read = findings(built) if read is None else read
    layers = len(built.names) - 2
    cosines = built.mean_cosine
    top = int(np.argmax(cosines[:-1]))
    facts = {f"mean_cosine.{name.replace(' ', '_')}": float(x) for name, x in zip(built.names, cosines, strict=True)}
    way = (
        f"Mean cosine goes from {digits(cosines[0], 2)} over {digits(cosines[top], 2)} ({_place(built, top)}) to "
        f"{digits(cosines[-1], 2)} in the output."
        if 0 < top < layers + 1
        else f"Mean cosine goes from {digits(cosines[0], 2)} to {digits(cosines[-1], 2)} in the output."
    )
    if read.change is not None and read.change_size is not None:
        way += f" Most changes in layer {read.change}."
    verdict = "no collapse" if read.collapse is None else f"collapsed from {_place(built, read.collapse)} on"
    rule = f"Collapsed: mean cosine is {read.collapsed_cosine:g} or above in the output, and in the depths up to it."
    if read.collapse is not None:
        facts["collapse"] = float(read.collapse)
    if not read.settling_told:
        return Signal(
            "layers", "Mean cosine", float(cosines[-1]), digits(cosines[-1]),
            f"{way} There are too few different texts to say where it settles.", baseline=0.0,
            baseline_shown="0 where directions are spread evenly", facts=facts, verdict=verdict,
            rule=rule,
        )  # fmt: skip
    settled = layers + 1 if read.settled is None else read.settled
    chance = float(np.nanmax(built.cka_chance))
    return Signal(
        "layers",
        "Settles",
        float(settled),
        "output only" if read.settled is None else _shown(built, settled),
        f"From there on both CKA with the output is at least {read.settled_cka:g} and {share(read.settled_overlap, 0)} "
        f"of the neighbours are its. {way}"
        if read.settled is not None
        else f"Not even the last layer agrees with the output. {way}",
        baseline=chance,
        baseline_shown=f"by chance: CKA {digits(chance, 2)}, {share(built.overlap_chance, 0)} of the neighbours",
        facts=facts | {"settled": float(settled), "cka.last_layer": float(built.cka_output[-2])},
        verdict=verdict,
        rule=rule,
    )


def _shown(built: BuildUp, depth: int) -> str:
    return f"layer {depth} of {len(built.names) - 2}" if depth else "embedding"


def _place(built: BuildUp, depth: int) -> str:
    name = built.names[depth]
    return name if name.startswith("layer") else f"the {name}"


def heads_signal(measured: HeadEntropy, flags: HeadFlags | None = None) -> Signal:
    """What do the heads attend to? How many are flagged, and their mean entropy."""
    flags = flag_heads(measured) if flags is None else flags
    flagged, heads = int(flags.flagged.sum()), measured.entropy.size
    mean = float(measured.entropy.mean())
    parts = [
        f"{number} {one if number == 1 else more}"
        for number, one, more in (
            (int(flags.collapsed.sum()), "looks at one token only", "look at one token only"),
            (int(flags.uniform.sum()), "looks at all tokens alike", "look at all tokens alike"),
            (int(flags.silent.sum()), "adds next to nothing", "add next to nothing"),
        )
        if number
    ]
    said = f"{', '.join(parts)}." if parts else "No head looks at one token only, at all alike, or adds nothing."
    return Signal(
        "heads",
        "Heads flagged",
        float(flagged),
        f"{flagged} of {count(heads)}",
        f"{said[0].upper()}{said[1:]} Mean entropy is {digits(mean, 2)}. A flag is a question, not a fault: a head "
        "that always looks at one place can do useful work.",
        baseline=None,
        baseline_shown="entropy 0: one token takes all; 1: all alike",
        facts={
            "heads.flagged": float(flagged),
            "heads.collapsed": float(flags.collapsed.sum()),
            "heads.uniform": float(flags.uniform.sum()),
            "heads.silent": float(flags.silent.sum()),
            "head_entropy": mean,
        },
    )


def flagged_heads(measured: HeadEntropy, flags: HeadFlags | None = None) -> StandOut:
    """The heads with a flag, the narrowest first."""
    flags = flag_heads(measured) if flags is None else flags
    places = np.argwhere(flags.flagged)
    order = np.argsort(measured.entropy[flags.flagged], kind="stable")
    total = len(places)
    items = tuple(_head(measured, flags, *map(int, places[i])) for i in order[:LISTED])
    return StandOut(
        "flagged_heads",
        "Which heads stand out?",
        f"{total} of {count(measured.entropy.size)} heads are flagged." if total else "No head is flagged.",
        "entropy",
        items,
        total,
        f"Entropy below {flags.collapsed_below:g} (one token takes all) or above {flags.uniform_above:g} (all alike), "
        f"or under {share(flags.silent_below, 0)} of the layer's output; the narrowest first.",
        "layers",
        {"view": "Heads"},
    )


def _head(measured: HeadEntropy, flags: HeadFlags, layer: int, head: int) -> Item:
    named = ("collapsed", flags.collapsed), ("near uniform", flags.uniform), ("adds little", flags.silent)
    said = [name for name, marked in named if marked[layer, head]]
    target = flags.target[layer][head]
    if target:
        said.append(f"looks at {target}")
    value = float(measured.entropy[layer, head])
    return Item(
        f"layer {layer + 1}, head {head + 1}", "", value, digits(value, 2), ", ".join(said),
        {"head": f"{layer + 1}.{head + 1}"},
    )  # fmt: skip
