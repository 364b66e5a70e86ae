"""What a report tells of an encoder's layers: how they build the vectors, and what the attention heads do."""

import numpy as np

from lib.charts import layers_build_up as charts
from lib.charts.layers_heads import head_heatmap
from lib.layers import BuildUp, HeadEntropy, findings, flag_heads
from lib.numerals import count, counted, share
from lib.reports.material import CorpusSide, Options
from lib.reports.report import Cell, Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.words import decimal, number

_LAYERS = "How do the layers build these vectors?"
_HEADS = "What do the attention heads attend to?"


def sections(side: CorpusSide, options: Options) -> tuple[Section, ...]:
    """The two sections; what is not known says why."""
    built = (
        _missing("layers", _LAYERS, side.layers_needed, options, ("settled", "collapse"))
        if side.build_up is None
        else _build_up(side.build_up, options)
    )
    heads = (
        _missing("heads", _HEADS, side.heads_needed, options, ("heads.flagged", "head_entropy"))
        if side.heads is None
        else _heads(side.heads, options)
    )
    return built, heads


def _missing(name: str, title: str, why: str, options: Options, needed: tuple[str, ...]) -> Section:
    why = why or "The layers were not run."
    numbers = tuple(number(one, _NAMED[one], None, needs=why) for one in needed)
    return Section(name, title, why, numbers, missing=True, **again(name, options))


_NAMED = {
    "settled": "Settles at depth",
    "collapse": "Collapsed from depth",
    "heads.flagged": "Heads flagged",
    "head_entropy": "Mean entropy",
}


def _build_up(built: BuildUp, options: Options) -> Section:
    read = findings(built)
    layers = len(built.names) - 2
    settled = layers + 1 if read.settled is None else read.settled
    chance = float(np.nanmax(built.cka_chance)) if np.isfinite(built.cka_chance).any() else float("nan")
    parts = []
    if read.change is not None:
        parts.append(f"Most changes in layer {read.change} (1 − CKA {decimal(read.change_size, 2)}).")
    parts.append(
        f"Mean cosine is {decimal(float(built.mean_cosine[0]), 2)} after the embedding layer and "
        f"{decimal(float(built.mean_cosine[-1]), 2)} in the output."
    )
    notices = []
    if built.drawn < built.given:
        notices.append(f"Measured on a uniform sample of {count(built.drawn)} of {count(built.given)} texts.")
    if built.left_out:
        notices.append(f"{counted(built.left_out, 'text')} left out: no token, or no direction at some depth.")
    return Section(
        "layers",
        _LAYERS,
        " ".join(parts),
        (
            number(
                "settled",
                "Settles at depth",
                float(settled) if read.settling_told else None,
                shown=f"{settled} of {layers}" if read.settled is not None else "output only",
                baseline=f"CKA by chance {decimal(chance, 2)}",
                meaning=f"First depth from which, up to the last layer, CKA with the output is at least "
                f"{read.settled_cka:g} and {share(read.settled_overlap, 0)} of the neighbours are the output's.",
                needs="There are too few different texts: chance alone agrees with the output.",
            ),
            number(
                "collapse",
                "Collapsed from depth",
                None if read.collapse is None else float(read.collapse),
                shown=str(read.collapse),
                meaning=f"Depths up to the output whose mean cosine is {read.collapsed_cosine:g} or above.",
                needs=f"None: the output's mean cosine is below {read.collapsed_cosine:g}, so nothing collapsed.",
            ),
        ),
        (
            Picture(
                "cosine_by_depth",
                "Mean cosine at each depth",
                charts.cosine_by_depth(built, read),
                f"From the pooled states of {counted(built.items, 'text')} at each depth. Exact.",
            ),
            Picture(
                "agreement_by_depth",
                "Agreement of each depth with the output",
                charts.agreement_by_depth(built, read),
                f"Linear CKA, and the share of the {built.k} nearest neighbours that are the output's, beside chance.",
            ),
            Picture(
                "dimension_by_depth",
                "Dimensions filled at each depth",
                charts.dimension_by_depth(built),
                "Principal components, participation ratio and TwoNN; compare encoders on the same texts only.",
            ),
        ),
        (_depths(built),),
        tuple(notices),
        facts={
            f"mean_cosine.{name.replace(' ', '_')}": float(value)
            for name, value in zip(built.names, built.mean_cosine, strict=True)
        },
        **again("layers", options),
    )


def _depths(built: BuildUp) -> Table:
    columns = ("depth", "mean cosine", "CKA with the output", "CKA by chance", "neighbours shared", "components 95 %")
    values = (built.mean_cosine, built.cka_output, built.cka_chance, built.overlap)
    rows: list[tuple[Cell, ...]] = []
    for place, name in enumerate(built.names):
        numbers = [float(value[place]) if np.isfinite(value[place]) else None for value in values]
        rows.append((name, *numbers, int(built.components_95[place])))
    return Table("depths", columns, tuple(rows), f"Random neighbours would share {share(built.overlap_chance)}.")


def _heads(measured: HeadEntropy, options: Options) -> Section:
    flags = flag_heads(measured)
    heads, flagged = measured.entropy.size, int(flags.flagged.sum())
    low = np.unravel_index(int(measured.entropy.argmin()), measured.shape)
    counts = {
        "collapsed": ("Collapsed", flags.collapsed, f"Entropy below {flags.collapsed_below:g}: one token takes all."),
        "uniform": ("Near uniform", flags.uniform, f"Entropy above {flags.uniform_above:g}: no token is told apart."),
        "silent": ("Add little", flags.silent, f"Under {share(flags.silent_below, 0)} of their layer's output."),
    }
    if measured.output_share is None:
        counts.pop("silent")
    return Section(
        "heads",
        _HEADS,
        f"{flagged} of {count(heads)} heads are flagged. The narrowest is head {low[1] + 1} of layer {low[0] + 1}. A "
        "flag is a question, not a fault: a head that always looks at one place can do useful work.",
        (
            number(
                "heads.flagged", "Flagged", flagged, shown=f"{flagged} of {count(heads)}", meaning="Any flag below."
            ),
            *(
                number(
                    f"heads.{name}", label, int(marked.sum()), shown=f"{int(marked.sum())} of {heads}", meaning=meaning
                )
                for name, (label, marked, meaning) in counts.items()
            ),
            number(
                "head_entropy",
                "Mean entropy",
                float(measured.entropy.mean()),
                baseline="1 where all tokens count alike",
                meaning="0: every token looks at one token.",
            ),
        ),
        (
            Picture(
                "head_entropy",
                "Entropy of each head, by layer",
                head_heatmap(measured, flags),
                f"Over {counted(measured.texts, 'text')}. ▼ collapsed, ■ near uniform, ✕ adds little.",
            ),
        ),
        **again("heads", options),
    )
