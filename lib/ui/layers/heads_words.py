"""What the Heads view says of its picture."""

import numpy as np

from lib.layers.attention import HeadEntropy
from lib.layers.head_flags import HeadFlags
from lib.ui.messages import count, counted, plain, share


def reading(result: HeadEntropy, flags: HeadFlags) -> str:
    """How the heatmap is read, and what not to conclude."""
    lowest = np.unravel_index(result.entropy.argmin(), result.shape)
    looks = flags.target[int(lowest[0])][int(lowest[1])]
    where = f" ({plain(looks)})" if looks else ""
    outputs = (
        f" ✕ adds little: under {share(flags.silent_below, 0)} of the layer's output."
        if result.output_share is not None
        else " What heads add was not measured: this architecture does not show where their outputs are put together."
    )
    return (
        "Entropy of a head's attention over the tokens that it may look at, divided by its maximum; mean over the "
        f"tokens of a text, then over {counted(result.texts, 'text')}. The narrowest is head {lowest[1] + 1} of layer "
        f"{lowest[0] + 1}{where}. ▼ collapsed: below {flags.collapsed_below:g}, one token takes all. ■ near uniform: "
        f"above {flags.uniform_above:g}.{outputs} The last two count as dead. A flag is no fault by itself: a head "
        "that always looks at the token before it does useful work, and what a head looks at need not be what the "
        "vector is made of. Click a cell to see the head below."
    )


def notices(result: HeadEntropy) -> list[str]:
    """What was sampled, left out, or measured by another maximum."""
    said = []
    if result.drawn < result.items:
        said.append(f"Measured on a uniform sample of {count(result.drawn)} of the {count(result.items)} texts.")
    if result.one_token:
        said.append(f"{counted(result.one_token, 'text')} of fewer than two tokens left out: no choice to look at.")
    if result.too_long:
        said.append(
            f"{counted(result.too_long, 'text')} of more than {count(result.most_tokens)} tokens left out: their maps "
            "would not fit in memory."
        )
    if "earlier" in result.sight:
        said.append("Causal attention: a token looks at itself and earlier ones, so the maximum goes by position.")
    if "window" in result.sight:
        layers = ", ".join(str(layer + 1) for layer, sight in enumerate(result.sight) if sight == "window")
        said.append(f"Attention in a window in layers {layers}: there the maximum goes by the tokens within it.")
    return said
