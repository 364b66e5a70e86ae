"""Token paths: one text on its way through an encoder, with the way back from its embedding to its tokens.

The norm by which an encoder divides is held as it is, so that for most ways of pooling the embedding is linear in the
token states.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.encoders.spelling import readable
from lib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders import Encoder

TEXT, SPECIAL, PROMPT = "text", "special", "prompt"
_ONE_TOKEN = {"cls", "lasttoken"}
"""Ways of pooling that read one token's state and no other."""
_LEAST_LENGTH = 1e-12


@dataclass(frozen=True, eq=False)
class TokenPath:
    """One text of t tokens, from what its tokens bring to its embedding."""

    tokens: tuple[str, ...]
    """As the vocabulary spells them."""
    kinds: tuple[str, ...]
    """Of each: TEXT, SPECIAL or PROMPT."""
    inputs: "Tensor"
    """Token states as they enter pooling; token embeddings where pooling reads one token alone; shape (1, t, width)."""
    vector: "Tensor"
    """The embedding, shape (d,), which knows its way back to the inputs."""
    offset: NDArray[np.float64]
    """What the embedding would be with all token states at 0, shape (d,): 0 but where a projection has a bias."""
    exact: bool
    """Whether the embedding is the offset plus a sum of one part a token."""
    why: str
    """Why it is, or is not, in one sentence."""
    truncated: bool
    """Whether the text was cut."""

    def by_token(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gradient of vector . weights times input, token by token, shape (t,)."""
        import torch

        score = self.vector @ torch.as_tensor(weights, dtype=self.vector.dtype, device=self.vector.device)
        (slope,) = torch.autograd.grad(score, self.inputs, retain_graph=True)
        parts = (slope.double() * self.inputs.detach().double()).sum(dim=-1)[0]
        return np.asarray(parts.cpu().numpy())


def token_path(encoder: "Encoder", text: str, role: Role = "document") -> TokenPath:
    """Send `text` through `encoder`.

    Raises:
        InputError: an encoder that runs code of its own, or that shows no gradient where one is needed; a text without
            any token; an embedding that is not finite.
    """
    import torch

    static = encoder.checkpoint.kind == "static"
    if not static and encoder.tokenizer is None:
        raise InputError(
            f"{encoder.checkpoint.source} runs code of its own, which does not show its tokens: which features fire "
            "can be told, but not by which words; choose another encoder for that."
        )
    with encoder.lock, torch.enable_grad():
        path = _of_static(encoder, text, role) if static else _of_transformer(encoder, text, role)
    if not torch.isfinite(path.vector).all():
        raise InputError(f"{encoder.checkpoint.source} gave a vector that is not finite for this text: choose another.")
    return path


def _of_transformer(encoder: "Encoder", text: str, role: Role) -> TokenPath:
    batch = next(encoder.batches(distinct([text]), role, batch_tokens=1))
    if not batch.lengths[0] or encoder.tokenizer is None:
        raise _without_tokens()
    encoding, skipped = batch.encodings[0], int(batch.features.get("prompt_length", 0))
    kinds = tuple(
        SPECIAL if special else PROMPT if place < skipped else TEXT
        for place, special in enumerate(encoding.special_tokens_mask)
    )
    ways = set(encoder.checkpoint.pooling.split("+"))
    encoder.switch_adapter(role)
    start = _from_embeddings if ways <= _ONE_TOKEN else _from_states
    inputs, features = start(encoder, dict(batch.features), role)
    tail = encoder.modules[_pooling_place(encoder) :]
    vector, offset = _through(tail, features, encoder.checkpoint.dimensions)
    tokens = tuple(readable(encoder.tokenizer.text_tokens(encoding)))
    exact, why = _exactness(tail, ways)
    return TokenPath(tokens, kinds, inputs, vector, offset, exact, why, bool(batch.truncated[0]))


def _of_static(encoder: "Encoder", text: str, role: Role) -> TokenPath:
    """A static encoder: the mean of its table's rows; it adds no special tokens and cuts nothing."""
    first: Any = encoder.modules[0]
    prompt = encoder.checkpoint.prompts.of(role)
    encoding = first.tokenizer.encode(prompt + text, add_special_tokens=False)
    if not encoding.ids:
        raise _without_tokens()
    skipped = len(first.tokenizer.encode(prompt, add_special_tokens=False).ids) if prompt else 0
    kinds = tuple(PROMPT if place < skipped else TEXT for place in range(len(encoding.ids)))
    inputs = first.embedding.weight[encoding.ids].detach().float()[None].requires_grad_()
    tail = [_Mean(), *encoder.modules[1:]]
    vector, offset = _through(tail, {"token_embeddings": inputs}, encoder.checkpoint.dimensions)
    tokens = tuple(readable(encoding.tokens))
    exact, why = _exactness(tail, {"mean"})
    return TokenPath(tokens, kinds, inputs, vector, offset, exact, why, False)


class _Mean:
    """What a static encoder does with its rows."""

    def __call__(self, features: dict[str, Any]) -> dict[str, Any]:
        return features | {"sentence_embedding": features["token_embeddings"].mean(dim=1)}


def _pooling_place(encoder: "Encoder") -> int:
    return next(place for place, module in enumerate(encoder.modules) if hasattr(module, "pooling_mode"))


def _to_pooling(encoder: "Encoder", features: dict[str, Any], role: Role) -> dict[str, Any]:
    features = encoder.first(features, role)
    for module in encoder.modules[1 : _pooling_place(encoder)]:
        features = module(features)
    return features


def _from_states(encoder: "Encoder", features: dict[str, Any], role: Role) -> tuple["Tensor", dict[str, Any]]:
    """Token states, from which gradients are taken, and the features that hold them."""
    import torch

    with torch.no_grad():
        features = _to_pooling(encoder, features, role)
    states = features["token_embeddings"].detach().clone().requires_grad_()
    return states, features | {"token_embeddings": states}


def _from_embeddings(encoder: "Encoder", features: dict[str, Any], role: Role) -> tuple["Tensor", dict[str, Any]]:
    """Token embeddings before the first layer, from which gradients are taken, and the features after the last."""
    lookup = None if encoder.compiled else _lookup(encoder.modules[0].model)
    if lookup is None:
        raise InputError(
            f"{encoder.checkpoint.source} pools the state of one token, and as it was opened it shows no gradient "
            "that would tell how the others take part: open it in float32, or choose another encoder."
        )
    kept: list[Tensor] = []

    def keep(_module: object, _given: object, output: "Tensor") -> "Tensor":
        kept.append(output.detach().clone().requires_grad_())
        return kept[-1]

    handle = lookup.register_forward_hook(keep)
    try:
        features = _to_pooling(encoder, features, role)
    finally:
        handle.remove()
    return kept[0], features


def _lookup(model: Any) -> Any:
    """The module that looks token embeddings up; None where the architecture names none."""
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None


def _through(tail: list[Any], features: dict[str, Any], dimensions: int) -> tuple["Tensor", NDArray[np.float64]]:
    """The embedding, shape (d,), and what it would be with token states at 0 under the same norms."""
    import torch

    lengths: list[Tensor] = []
    vector = _run(tail, features, lengths)[0, :dimensions]
    with torch.no_grad():
        blank = _run(tail, features | {"token_embeddings": torch.zeros_like(features["token_embeddings"])}, lengths[:])
    return vector, blank[0, :dimensions].double().cpu().numpy()


def _run(tail: list[Any], features: dict[str, Any], lengths: "list[Tensor]") -> "Tensor":
    """Pooling and what follows it, shape (1, d); the norms are those of `lengths`, or put there if there are none."""
    features, measured = dict(features), not lengths
    for module in tail:
        if type(module).__name__ != "Normalize":
            features = module(features)
            continue
        pooled = features["sentence_embedding"]
        if measured:
            lengths.append(pooled.detach().norm(dim=-1, keepdim=True).clamp(min=_LEAST_LENGTH))
        features["sentence_embedding"] = pooled / (lengths[-1] if measured else lengths.pop(0))
    made: Tensor = features["sentence_embedding"].float()
    return made


def _exactness(tail: list[Any], ways: set[str]) -> tuple[bool, str]:
    """Whether the embedding is a sum over tokens but for its norm, and why."""
    if ways <= _ONE_TOKEN:
        return False, (
            "Not exact: pooling reads the state of one token, so the shares are gradient times input at the token "
            "embeddings before the first layer, which follows the feature to first order only."
        )
    for module in tail:
        name, bent = type(module).__name__, getattr(module, "activation_function", None)
        if name == "LayerNorm" or (bent is not None and type(bent).__name__ != "Identity"):
            return False, (
                f"Not exact: {name if bent is None else type(bent).__name__} follows pooling, so the shares are "
                "gradient times input, which leaves what bends out."
            )
    held = " for the vector's length as it is" if any(type(module).__name__ == "Normalize" for module in tail) else ""
    if "max" in ways:
        return True, f"Exact{held}: each dimension is that of the one token where it is largest."
    return True, f"Exact{held}: pooling adds token states up."


def _without_tokens() -> InputError:
    return InputError("This text has no token that the encoder knows: choose another text.")
