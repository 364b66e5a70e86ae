"""What the build-up's numbers and pictures say, in words."""

import numpy as np

from lib.layers.build_up import BuildUp
from lib.layers.findings import Findings
from lib.ui.messages import count, counted, share


def settling(result: BuildUp, read: Findings) -> tuple[str, str]:
    """Where the representation settles, and by what rule."""
    rule = (
        f"First depth from which, up to the last layer, linear CKA with the output stays at {read.settled_cka:.2f} or "
        f"above and {share(read.settled_overlap, 0)} or more of the {result.k} nearest neighbours are the output's."
    )
    if not read.settling_told:
        return "not told", f"{rule} Here chance alone reaches that: there are too few different texts."
    if read.settled is None:
        return "nowhere", f"{rule} Here not even the last layer does: what follows pooling changes the space."
    return ("embedding" if read.settled == 0 else f"layer {read.settled} of {_layers(result)}"), rule


def change(result: BuildUp, read: Findings) -> tuple[str, str]:
    """Which step changes most."""
    rule = "The step from one layer to the next whose states agree least: 1 − CKA, the same texts before and after."
    if read.change is None or read.change_size is None:
        return "—", f"{rule} Here nothing varies."
    return _step(read.change), f"{rule} Here {read.change_size:.2f}."


def collapse(result: BuildUp, read: Findings) -> tuple[str, str]:
    """Where collapse begins, if it does."""
    rule = (
        f"First depth of those, up to and including the output, whose mean cosine stays at {read.collapsed_cosine:.2f} "
        "or above."
    )
    if read.collapse is None:
        recovered = f" Above it and below again later: {_listed(result, read.recovered)}." if read.recovered else ""
        return "none", f"{rule}{recovered}"
    return f"from {_place(result, read.collapse)}", rule


def agreement(result: BuildUp, read: Findings) -> tuple[str, str]:
    """Whether the output agrees with the last layers."""
    layers = _layers(result)
    rule = (
        f"Like a layer: CKA {read.settled_cka:.2f} or above, {share(read.settled_overlap, 0)} or more neighbours "
        f"shared, mean cosine within {read.same_cosine:.2f}."
    )
    for depth in (layers, layers - 1):
        rule += (
            f" With {_place(result, depth)}: CKA {result.cka_output[depth]:.2f}, neighbours "
            f"{_shared(result, depth)}, mean cosine {result.mean_cosine[depth]:.2f} against "
            f"{result.mean_cosine[-1]:.2f}."
        )
    if read.agreement is None:
        return "not told", "Nothing varies, or there are too few different texts to say."
    before = str(layers - 1) if layers > 1 else "embedding"
    return {
        "both": f"like {before} and {layers}",
        "last": f"like layer {layers}",
        "neither": f"unlike layer {layers}",
    }[read.agreement], rule


def of_cosines(result: BuildUp, read: Findings) -> str:
    """How to read the main picture."""
    said = [
        f"Each point is the mean cosine of all pairs of {count(result.items)} texts, from their pooled states at one "
        "depth. Exact."
    ]
    if read.change is not None and read.change_size is not None:
        said.append(f"Most changes {_between(read.change)}: 1 − CKA is {read.change_size:.2f}.")
    if read.jump is not None and read.jump_size is not None:
        turn = "rises" if read.jump_size > 0 else "falls"
        said.append(f"Mean cosine {turn} most {_between(read.jump)}, by {abs(read.jump_size):.2f}.")
    if read.unvaried:
        said.append(
            f"All states are the same at {_listed(result, read.unvaried)}: a pooled token that every text has, or "
            "copies of one text, tell nothing there."
        )
    if read.recovered:
        said.append(
            f"Above the dashed line and below it again later: {_listed(result, read.recovered)}; such a narrow cone on "
            "the way does no harm by itself."
        )
    said.append(
        "A high mean cosine says that states share a direction, not that they are lost: the dimensions further down "
        "tell that. Compare encoders on the same texts only."
    )
    return " ".join(said)


def of_agreement(result: BuildUp, read: Findings) -> str:
    """How to read the second picture."""
    return (
        f"{_settled(result, read)}Linear CKA is 1 where two depths lay the texts out alike but for rotation and scale; "
        f"it is exact over all texts. Neighbours are compared among {counted(result.sample, 'different text')}. The "
        "grey lines are what unrelated states would give: with few texts CKA is far above 0 by chance. The coloured "
        "horizontal lines are the thresholds of settling. High agreement early does not mean that later layers can be "
        "dropped: retrieval depends on small differences."
    )


def _settled(result: BuildUp, read: Findings) -> str:
    """The finding of the second picture, with a space after it; nothing where it is not told."""
    layers = _layers(result)
    if not read.settling_told:
        return ""
    if read.settled is None:
        return "The output departs from the last layer itself. "
    if read.settled == layers:
        return (
            f"The representation settles in the last layer only: of their nearest neighbours in the output, texts have "
            f"{_shared(result, layers - 1)} at {_place(result, layers - 1)}. "
        )
    return f"The representation has settled from {_place(result, read.settled)} on. "


def of_dimensions(result: BuildUp) -> str:
    """How to read the third picture."""
    limit = min(result.different - 1, int(result.dimensions.min()))
    return (
        f"Principal components that hold 90, 95 and 99 % of the variance (of {count(limit)} at most), the "
        "participation ratio (the number of equally strong components that would spread it as evenly), and TwoNN, a "
        "nonlinear estimate from nearest neighbours with its 95 % interval. A fall means that texts are gathered into "
        "fewer directions; together with a high mean cosine it is a sign of collapse. All grow with the number and "
        "breadth of the texts."
    )


def _shared(result: BuildUp, depth: int) -> str:
    return "none" if np.isnan(result.overlap[depth]) else share(result.overlap[depth], 0)


def _layers(result: BuildUp) -> int:
    return len(result.names) - 2


def _place(result: BuildUp, depth: int) -> str:
    return f"the {result.names[depth]}" if depth in (0, len(result.names) - 1) else result.names[depth]


def _listed(result: BuildUp, depths: tuple[int, ...]) -> str:
    return ", ".join(_place(result, depth) for depth in depths)


def _step(layer: int) -> str:
    return f"layers {layer - 1} to {layer}" if layer > 1 else "embedding to layer 1"


def _between(layer: int) -> str:
    return f"between layers {layer - 1} and {layer}" if layer > 1 else "between the embedding and layer 1"
