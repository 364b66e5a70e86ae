"""Taps: each layer's attention maps and head outputs, read while a batch runs and let go before the next layer.

Nothing here knows an architecture: where the maps come from is found by running a short text once and looking which
module gave the very tensors that the model hands out as its attention; who may look at whom is read from the mask
that this module is given. Only the projection after the heads goes by its name.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.encoders.batches import distinct
from lib.encoders.hidden import check_shown, eager_twin, model_inputs, shown_attention
from lib.encoders.prompts import Role
from lib.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Encoding
    from torch import Tensor, nn

    from lib.encoders.encoder import Batch, Encoder

OnMaps = Callable[[int, "Tensor", "Tensor"], None]
"""Told the layer, its maps, shape (b, heads, t, t), and which tokens each token may look at, shape (b, t, t)."""
OnOutputs = Callable[[int, "Tensor"], None]
"""Told the layer and what its heads give before they are projected, shape (b, t, heads, size of a head)."""

_PROJECTIONS = ("o_proj", "out_proj", "Wo", "o", "out_lin", "dense", "c_proj")
"""How architectures call the projection that follows the heads, inside the module that computes attention."""
_OUTER_PROJECTION = "output.dense"
"""Where BERT and its kin keep it: beside that module."""
_MASKS = ("attention_mask", "mask")
_MASS_LOST = 0.01
"""Attention outside of what the mask allows beyond which the mask was misread; bfloat16 rounds by about 0.004."""


@dataclass(frozen=True, eq=False)
class Site:
    """Where one layer's attention is computed."""

    module: Any
    """The module that gives the map."""
    place: int
    """The map's place in what it gives."""
    projection: "nn.Module | None"
    """What takes the outputs of the heads side by side to the residual stream; None where it was not found."""


class AttentionTap:
    """A copy of an encoder's transformer, its weights shared, that tells what its heads do while it runs."""

    def __init__(self, encoder: "Encoder", role: Role = "document") -> None:
        """Find where attention can be read.

        Raises:
            InputError: the encoder has none, or does not show it.
        """
        self._tokenizer = check_shown(encoder, "attention")
        self._encoder, self._role = encoder, role
        self._model = eager_twin(encoder)
        self.sites, self.heads = self._find()

    @property
    def layers(self) -> int:
        """Layers with attention."""
        return len(self.sites)

    def tokens(self, encoding: "Encoding") -> list[str]:
        """The tokens of a text of a batch, as the vocabulary spells them."""
        return self._tokenizer.text_tokens(encoding)

    def weight(self, layer: int) -> "Tensor | None":
        """What the projection after the heads does, shape (heads, size of a head, d); None where it was not found.

        It is computed from the projection's answers, so that adapters and other wrappings take part.
        """
        import torch

        projection: Any = self.sites[layer].projection
        if projection is None:
            return None
        if type(projection) is torch.nn.Linear:
            matrix = projection.weight.T
        else:
            size = projection.in_features if hasattr(projection, "in_features") else projection.weight.shape[0]
            first = next(projection.parameters())
            with torch.inference_mode(), self._encoder.lock:
                self._switch_adapter()
                unit = torch.eye(size, dtype=first.dtype, device=first.device)
                matrix = projection(unit) - projection(unit.new_zeros(1, size))
        return matrix.reshape(self.heads, -1, matrix.shape[1])

    def run(self, batch: "Batch", on_maps: OnMaps, on_outputs: OnOutputs | None = None) -> None:
        """Run a batch; each layer's maps and outputs are told once, in the order of the layers.

        Raises:
            InputError: attention is not finite, or goes where the layer's mask forbids it (a mask of a kind not known
                here).
        """
        import torch

        inputs = model_inputs(self._encoder, batch.features)
        with self._encoder.lock, torch.inference_mode(), self._listening(inputs["attention_mask"], on_maps, on_outputs):
            self._run(inputs)

    @contextmanager
    def _listening(self, mask: "Tensor", on_maps: OnMaps, on_outputs: OnOutputs | None) -> Iterator[None]:
        real = mask.bool()
        maps, outputs = _queues(site.module for site in self.sites), _queues(site.projection for site in self.sites)
        places = {site.module: site.place for site in self.sites}

        def tell_maps(module: Any, args: Any, kwargs: Any, output: Any) -> Any:
            layer, place = maps[module].popleft(), places[module]
            given = output[place]
            keys = _visible(_mask_argument(module, args, kwargs), real)
            self._check(given, keys, real, layer)
            on_maps(layer, given, keys)
            return (*output[:place], None, *output[place + 1 :])  # so that nobody collects the maps of all layers

        def tell_outputs(module: Any, args: Any) -> None:
            if on_outputs and outputs[module]:
                on_outputs(outputs[module].popleft(), args[0].unflatten(-1, (self.heads, -1)))

        heard = [module for module in outputs if module is not None and on_outputs]
        handles = [
            *(module.register_forward_hook(tell_maps, with_kwargs=True, prepend=True) for module in maps),
            *(module.register_forward_pre_hook(tell_outputs) for module in heard),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _check(self, maps: "Tensor", keys: "Tensor", real: "Tensor", layer: int) -> None:
        seen = (maps[:, 0] * keys).sum(dim=-1)[real]
        checkpoint = self._encoder.checkpoint
        if not seen.isfinite().all():
            raise InputError(
                f"Layer {layer + 1} of {checkpoint.source} gives attention that is not finite; its weights are damaged "
                f"or do not work in {self._encoder.precision}."
            )
        if not (seen > 1 - _MASS_LOST).all():
            raise InputError(
                f"Layer {layer + 1} of {checkpoint.source} ({checkpoint.architecture}) gives attention to padding or "
                "past its mask, so its heads cannot be measured; choose another encoder for this view."
            )

    def _run(self, inputs: dict[str, Any]) -> Any:
        self._switch_adapter()
        return self._model(**inputs, output_attentions=True, return_dict=True)

    def _switch_adapter(self) -> None:
        if self._encoder.checkpoint.task_adapters:
            self._model.set_adapter(self._role)

    def _find(self) -> tuple[tuple[Site, ...], int]:
        """Run a short text and see which modules give the maps."""
        import torch

        batch = next(self._encoder.batches(distinct(["a short text"]), self._role, batch_tokens=1))
        seen: list[tuple[Any, int, Tensor]] = []

        def look(module: Any, args: Any, output: Any) -> None:
            parts = output if isinstance(output, tuple) else ()
            seen.extend((module, place, part) for place, part in enumerate(parts) if getattr(part, "ndim", 0) == 4)

        handles = [module.register_forward_hook(look) for module in self._model.modules()]
        try:
            with self._encoder.lock, torch.inference_mode():
                maps = shown_attention(self._encoder, self._run(model_inputs(self._encoder, batch.features)))
        finally:
            for handle in handles:
                handle.remove()
        names = {module: name for name, module in self._model.named_modules()}
        sites = []
        for layer in maps:
            # The innermost module that gives the map is the first to be done.
            module, place = next(((module, place) for module, place, part in seen if part is layer), (None, 0))
            if module is None:
                shown_attention(self._encoder, None)
            sites.append(Site(module, place, self._projection(module, names[module], maps[0].shape[1])))
        return tuple(sites), int(maps[0].shape[1])

    def _projection(self, module: Any, name: str, heads: int) -> "nn.Module | None":
        found = next((getattr(module, own) for own in _PROJECTIONS if hasattr(module, own)), None)
        if found is None and "." in name:
            parent = name.rpartition(".")[0]
            found = dict(self._model.named_modules()).get(f"{parent}.{_OUTER_PROJECTION}")
        size = getattr(found, "in_features", None) or getattr(getattr(found, "weight", None), "shape", [1])[0]
        return found if found is not None and size % heads == 0 else None


def _queues(modules: Any) -> dict[Any, deque[int]]:
    """For each module the layers that it serves, in order: one, but where layers share their weights."""
    queues: dict[Any, deque[int]] = {}
    for layer, module in enumerate(modules):
        queues.setdefault(module, deque()).append(layer)
    return queues


def _mask_argument(module: Any, args: Any, kwargs: Any) -> "Tensor | None":
    """The mask among the arguments of a module's forward pass."""
    bound = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
    named = {**bound.pop("kwargs", {}), **bound}
    return next((named[name] for name in _MASKS if named.get(name) is not None), None)


def _visible(mask: "Tensor | None", real: "Tensor") -> "Tensor":
    """Which tokens each token may look at, shape (b, t, t): real ones that the layer's mask lets through.

    A mask of floating point is added to scores: 0 lets through, a very low number does not.
    """
    import torch

    t = real.shape[1]
    keys = real[:, None, :].expand(-1, t, -1)
    if mask is None:
        return keys
    allowed = mask > torch.finfo(mask.dtype).min / 2 if mask.is_floating_point() else mask > 0
    if allowed.ndim == 4:
        allowed = allowed[:, 0]
    elif allowed.ndim == 2:
        allowed = allowed[:, None]
    return keys & allowed[..., :t]
