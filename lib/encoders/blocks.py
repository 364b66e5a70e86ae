"""Blocks: what each layer's attention and feed-forward part adds to an encoder's vector, directly and when left out.

A transformer's layers write to one stream: each part adds its output to what is there. Between them stand norms. With
every norm's scale (one number a token; that of the final normalising, one a text) held as it is, the way from the
stream to the vector is linear, so that vector . w is exactly a sum of one term for the embedding layer, one for each
part's output, and a constant that the norms' biases give. This is *direct* contribution: what later parts make of an
earlier one's output counts as theirs. Leaving a part out and running the rest anew tells the whole effect.

No architecture is named here. Where the parts end is found by running a short text once; the terms are gradient times
output with all other ways cut, and whether they add up is tested on every text.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.encoders.block_sites import Sites, find_sites
from lib.encoders.frozen_norms import FrozenNorms
from lib.encoders.hidden import check_shown
from lib.encoders.prompts import Role
from lib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders.encoder import Batch, Encoder

Kind = Literal["embedding", "attention", "feed-forward"]
Change = Callable[[int, "Tensor"], "Tensor"]
"""Told a part's place and its output, shape (b, t, d); gives what takes its place."""

_LEFT_OVER = 1e-3
"""Share of the terms' sizes that may be left over in float32; rounding leaves about 1e-6."""
_LEFT_OVER_COARSE = 0.05
"""The same in bfloat16."""
_TOKENS = 2048  # that run at once where parts are replaced


@dataclass(frozen=True)
class Part:
    """One writer to the stream."""

    layer: int
    """1 is the first layer; 0 stands for the embedding layer."""
    kind: Kind
    """What it is."""

    @property
    def name(self) -> str:
        """What it is called on screen."""
        return self.kind if not self.layer else f"layer {self.layer} {self.kind}"


@dataclass(frozen=True, eq=False)
class Terms:
    """vector . w of b texts as a sum."""

    vectors: NDArray[np.float64]
    """The encoder's vectors, shape (b, d)."""
    parts: NDArray[np.float64]
    """What each of p parts adds to vector . w, shape (b, p), in the order of `BlockTap.parts`."""
    constants: NDArray[np.float64]
    """What the norms' and projections' biases add, shape (b,)."""
    outputs: NDArray[np.float64]
    """Sum of each part's output over the tokens of all b texts, shape (p, width of the stream)."""
    tokens: int
    """Tokens in that sum."""


class BlockTap:
    """An encoder that tells what its parts write. Threads may share it: one pass runs at a time."""

    def __init__(self, encoder: "Encoder", role: Role = "document") -> None:
        """Find the parts.

        Raises:
            InputError: the encoder has no layers, or arranges them in a way that is not known here.
        """
        check_shown(encoder, "layers")
        self._encoder, self._role = encoder, role
        self._sites: Sites = find_sites(encoder, role, lambda batch: self._run(batch, self._plain))
        kinds: tuple[Kind, Kind] = ("attention", "feed-forward")
        layers = range(1, len(self._sites.outputs) // 2 + 1)
        self.parts = (Part(0, "embedding"), *(Part(layer, kind) for layer in layers for kind in kinds))

    def terms(self, batch: "Batch", weights: NDArray[np.floating], *, check: bool = True) -> Terms:
        """The terms of vector . weights, weights of shape (d,), for the texts of a batch.

        `check` measures the constants by a second pass, which tells whether all adds up; without it, and where pooling
        takes each dimension from the token where it is largest, they are what the terms leave over.

        Raises:
            InputError: they do not add up: something between the parts and the vector is not linear.
        """
        import torch

        leaves: list[Tensor] = []
        norms = FrozenNorms(self._encoder.modules)

        def cut(_place: int, output: "Tensor") -> "Tensor":
            leaves.append(output.detach().clone().requires_grad_())
            return leaves[-1].clone()  # a copy, which the model may change in place

        with self._encoder.lock:
            with torch.enable_grad(), norms.measuring(), self._changed(cut):
                vectors = self._run(batch, norms.normalise)
                w = torch.as_tensor(np.asarray(weights), dtype=vectors.dtype, device=vectors.device)
                slopes = torch.autograd.grad((vectors @ w).sum(), leaves)
            terms = self._summed(batch, vectors.detach(), w, leaves, slopes)
            if not check or "max" in self._encoder.checkpoint.pooling:  # without parts, another token is largest
                return terms
            with torch.no_grad(), norms.held(), self._changed(lambda _place, output: torch.zeros_like(output)):
                blank = (self._run(batch, norms.normalise).double() @ w.double()).cpu().numpy()
        self._check(terms, blank, coarse=leaves[0].dtype in (torch.bfloat16, torch.float16))
        return replace(terms, constants=blank)

    def replaced(self, batch: "Batch", values: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
        """The vectors, shape (p, d), of a batch of one text, in row i with the output of part i replaced at all tokens.

        `values`, shape (p, width), take its place; None for zeros, which leaves the part out. Later parts run anew.
        In row 0 nothing is replaced: without embeddings there is no text.
        """
        import torch

        p = len(self.parts)
        put = torch.zeros(p, 1) if values is None else torch.as_tensor(np.asarray(values))
        rows = max(1, _TOKENS // max(1, int(batch.lengths[0])))
        made = []
        for start in range(0, p, rows):
            here = range(start, min(start + rows, p))

            def change(place: int, output: "Tensor", here: range = here) -> "Tensor":
                if not place or place not in here:
                    return output
                changed = output.clone()
                changed[here.index(place)] = put[place].to(output)
                return changed

            with self._encoder.lock, torch.inference_mode(), self._changed(change):
                made.append(self._run(batch, self._plain, repeats=len(here)).double().cpu().numpy())
        return np.concatenate(made)

    def _summed(
        self, batch: "Batch", vectors: "Tensor", w: "Tensor", leaves: "Sequence[Tensor]", slopes: "Sequence[Tensor]"
    ) -> Terms:
        """The terms, the constants being what they leave over."""
        import torch

        mask = batch.features["attention_mask"].to(vectors.device)[..., None]
        with torch.no_grad():
            by_part = [(s * o).sum(dim=2).double().sum(dim=1) for s, o in zip(slopes, leaves, strict=True)]
            parts = torch.stack(by_part, dim=1).cpu().numpy()
            outputs = [(o * mask).sum(dim=1).double().sum(dim=0) for o in leaves]
            total = (vectors.double() @ w.double()).cpu().numpy()
        return Terms(
            vectors=vectors.double().cpu().numpy(),
            parts=parts,
            constants=total - parts.sum(axis=1),
            outputs=torch.stack(outputs).cpu().numpy(),
            tokens=int(mask.sum()),
        )

    def _check(self, terms: Terms, blank: NDArray[np.float64], *, coarse: bool) -> None:
        """Refuse terms whose rest is not the constant, shape (b,), that is there without any part."""
        left = np.abs(terms.constants - blank)
        size = np.abs(terms.parts).sum(axis=1) + np.abs(blank)
        if not (left <= (_LEFT_OVER_COARSE if coarse else _LEFT_OVER) * size + 1e-9).all():  # NaN included
            checkpoint = self._encoder.checkpoint
            raise InputError(
                f"What the layers of {checkpoint.source} ({checkpoint.architecture}) add to its vector does not sum up "
                f"to it ({100 * float(np.max(left / (size + 1e-300))):.3g} % is left over): something after its layers "
                "bends (a projection with an activation) or they are joined in a way not known here; choose another "
                "encoder for this view."
            )

    def _run(self, batch: "Batch", normalise: "Callable[[Tensor], Tensor]", *, repeats: int = 1) -> "Tensor":
        """Vectors of a batch, shape (b, d), each text as often as told, through torch whatever else was compiled."""
        import torch

        encoder = self._encoder
        encoder.switch_adapter(self._role)
        features: dict[str, Any] = {
            key: value.to(encoder.device).repeat_interleave(repeats, dim=0)
            if isinstance(value, torch.Tensor)
            else value
            for key, value in batch.features.items()
        }
        features = encoder.modules[0](features)
        states = features["token_embeddings"]
        features["token_embeddings"] = states if states.dtype == torch.float64 else states.float()
        for module in encoder.modules[1:]:
            if type(module).__name__ == "Normalize":
                features["sentence_embedding"] = normalise(features["sentence_embedding"])
            else:
                features = module(features)
        vectors: Tensor = features["sentence_embedding"][:, : encoder.checkpoint.dimensions]
        return vectors

    @staticmethod
    def _plain(pooled: "Tensor") -> "Tensor":
        import torch

        return torch.nn.functional.normalize(pooled, dim=-1)

    @contextmanager
    def _changed(self, change: Change) -> Iterator[None]:
        """Run with the outputs of the parts changed; each is told once a pass, the embeddings first."""
        places: dict[Any, deque[int]] = {}
        for place, module in enumerate(self._sites.outputs, start=1):
            places.setdefault(module, deque()).append(place)
        begun: list[bool] = []

        def of_embedding(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if begun:
                return None
            begun.append(True)
            if args:
                return (change(0, args[0]), *args[1:]), kwargs
            return args, kwargs | {"hidden_states": change(0, kwargs["hidden_states"])}

        def of_part(module: Any, _args: Any, output: "Tensor") -> "Tensor":
            return change(places[module].popleft(), output)

        handles = [self._sites.first.register_forward_pre_hook(of_embedding, with_kwargs=True)]
        handles += [module.register_forward_hook(of_part) for module in places]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
