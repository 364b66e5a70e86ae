"""Block sites: where in a transformer each layer's attention and feed-forward part hands over its output.

Both end in a linear projection whose output is added to the stream. A layer is the innermost module that holds
projections of both kinds and runs once for each layer of the checkpoint (one module may serve several layers, as in
ALBERT); its attention part ends with the last projection whose path names attention, the other part with the last
that does not.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.errors import InputError

if TYPE_CHECKING:
    from lib.encoders.encoder import Batch, Encoder

_ATTENTION = "att"
"""What the path of a projection inside attention holds in every architecture: attention, self_attn, SelfAttention."""


@dataclass(frozen=True, eq=False)
class Sites:
    """Modules of one transformer."""

    first: Any
    """The first layer: what enters it is what the embedding layer gives."""
    outputs: tuple[Any, ...]
    """The projections that end the parts: attention and feed-forward of the first layer, of the second, ..."""


def find_sites(encoder: "Encoder", role: Role, run: "Callable[[Batch], Any]") -> Sites:
    """Run a short text and see which modules run in what order.

    Raises:
        InputError: the layers are arranged in a way that is not known here.
    """
    import torch

    model, layers = encoder.modules[0].model, encoder.checkpoint.layers or 0
    calls: list[Any] = []  # in the order in which they end: what a module holds ends before it

    def note(module: Any, _args: Any, _output: Any) -> None:
        calls.append(module)

    batch = next(encoder.batches(distinct(["a short text"]), role, batch_tokens=1))
    handles = [module.register_forward_hook(note) for module in model.modules()]
    try:
        with encoder.lock, torch.inference_mode():
            run(batch)
    finally:
        for handle in handles:
            handle.remove()
    kind = _layer_class(model, calls, layers)
    outputs = [] if kind is None else _outputs(calls, kind)
    if len(outputs) != 2 * layers or not layers:
        raise InputError(
            f"The layers of {encoder.checkpoint.source} ({encoder.checkpoint.architecture}) are not of the kind that "
            "adds an attention and a feed-forward output to one stream, so what writes a feature cannot be told; "
            "choose another encoder for this view."
        )
    return Sites(next(module for module in calls if type(module) is kind), tuple(outputs))


def _layer_class(model: Any, calls: list[Any], layers: int) -> type | None:
    """The class of the layers; None where there is none."""
    counts = Counter(type(module) for module in calls)
    found: dict[int, type] = {}
    for name, module in model.named_modules():
        inside = [_is_attention(path) for path in _projections(module).values()]
        if counts[type(module)] == layers and any(inside) and not all(inside):
            found.setdefault(name.count("."), type(module))
    return found[max(found)] if found else None


def _outputs(calls: list[Any], kind: type) -> list[Any]:
    """The last projection of each part of each layer."""
    outputs: list[Any] = []
    since: list[Any] = []
    for module in calls:
        since.append(module)
        if type(module) is kind:
            paths = _projections(module)
            ran = [inner for inner in since if inner in paths]
            for wanted in (True, False):
                last = [inner for inner in ran if _is_attention(paths[inner]) is wanted]
                outputs.extend(last[-1:])
            since = []
    return outputs


def _projections(module: Any) -> dict[Any, str]:
    """Linear maps inside a module and their paths; one that an adapter wraps counts once, as a whole."""
    found: dict[Any, str] = {}
    wrapped: list[str] = []
    for path, inner in module.named_modules():
        if not path or any(path.startswith(f"{outer}.") for outer in wrapped):
            continue
        if hasattr(inner, "base_layer") or _is_linear(inner):
            found[inner] = path
            wrapped.append(path)
    return found


def _is_linear(module: Any) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"


def _is_attention(path: str) -> bool:
    return _ATTENTION in path.lower()
