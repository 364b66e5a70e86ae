"""OpenVINO: a transformer's layers traced from torch in memory and compiled for the processor (openvino.ai).

Its products run in bfloat16 where the processor has that, and in float32 elsewhere; tokens, pooling and normalising
stay this project's own, in float32. Hidden states and attention maps still come from torch.
"""

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from lib.encoders.batches import distinct
from lib.encoders.precision import bfloat16_available
from lib.errors import InputError

if TYPE_CHECKING:
    from lib.encoders.encoder import Encoder

_NAMES = ("input_ids", "attention_mask", "token_type_ids")
_TRACED = ("a short text", "one that has some more words in it than the other has")
_PROBES = (("a", "other lengths than those traced, and another number of texts", ""), ("far longer than both " * 400,))
"""What a compiled transformer is tried on: padding, an empty text, other shapes, and a great length."""
_MAX_PROBE_TOKENS = 600
"""Beyond the windows and length limits at which architectures change their ways."""
_MAX_ERROR = 0.01
"""Of a pooled state against torch in float32, as 1 - cosine; bfloat16 costs about 1e-4, a wrong graph far more."""


class CompiledTransformer:
    """Stands in for an encoder's first module. Not for threads: the encoder's lock guards it."""

    def __init__(self, encoder: "Encoder") -> None:
        """Trace, compile and try out the transformer of an encoder that computes in float32 on the processor.

        Raises:
            InputError: the architecture cannot be converted, or does not compute the same afterwards.
        """
        checkpoint = encoder.checkpoint
        if checkpoint.own_code or checkpoint.task_adapters or encoder.tokenizer is None:
            raise _refused(encoder, "it runs code of its own or switches adapters")
        traced = _features(encoder, _TRACED)
        accepted = encoder.modules[0].model_forward_params
        self._names = [name for name in _NAMES if name in traced and (accepted is None or name in accepted)]
        try:
            self._request = _compile(_States(encoder.modules[0].model, self._names), self._arrays(traced))
            error = max(self._error(encoder, probe) for probe in _PROBES)
        except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as failure:
            raise _refused(encoder, "its layers cannot be traced and compiled") from failure
        if not error <= _MAX_ERROR:
            raise _refused(encoder, f"converted, its vectors are off by a cosine error of {error:.2g}")

    def __call__(self, features: dict[str, Any]) -> dict[str, Any]:
        """Add `token_embeddings`, shape (b, t, d), float32, to what the tokenizer gave."""
        (states,) = self._request.infer(self._arrays(features), share_inputs=True).values()
        return features | {"token_embeddings": torch.from_numpy(states)}

    def _arrays(self, features: dict[str, Any]) -> list[Any]:
        return [features[name].numpy() for name in self._names]

    def _error(self, encoder: "Encoder", texts: tuple[str, ...]) -> float:
        """Largest 1 - cosine of the pooled states of `texts` to those that torch computes."""
        features = _features(encoder, texts)
        pairs = [self(features), encoder.modules[0](dict(features))]
        ours, theirs = (
            nn.functional.normalize(encoder.pooled(out["token_embeddings"], features).double(), dim=1) for out in pairs
        )
        filled = torch.from_numpy(np.asarray(features["attention_mask"].numpy().any(axis=1)))
        return float((1 - (ours * theirs).sum(dim=1))[filled].max())


class _States(nn.Module):
    """The transformer with its inputs in a fixed order and its last states alone as output."""

    def __init__(self, model: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: Tensor) -> Tensor:
        out: Tensor = self.model(**dict(zip(self.names, inputs, strict=True)), return_dict=True).last_hidden_state
        return out


def _compile(module: nn.Module, example: list[Any]) -> Any:
    """A request of the compiled module; batch and length stay open.

    Importing openvino reports to Google Analytics unless `openvino_telemetry` cannot be imported, which is seen to.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    from openvino import Core, PartialShape, convert_model

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter(
            "ignore"
        )  # the tracer's remarks on each Python branch; the probes look for what they fear
        model = convert_model(module.eval(), example_input=tuple(torch.from_numpy(array) for array in example))
    if len(model.inputs) != len(example):
        raise ValueError(f"{len(example)} inputs were traced, {len(model.inputs)} are left")
    model.reshape({place: PartialShape([-1, -1]) for place in range(len(example))})
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16_available() else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
    }
    return Core().compile_model(model, "CPU", settings).create_infer_request()


def _features(encoder: "Encoder", texts: tuple[str, ...]) -> dict[str, Any]:
    """One batch of all `texts`."""
    limit = encoder.checkpoint.max_tokens or _MAX_PROBE_TOKENS
    short = tuple(" ".join(text.split()[: min(limit, _MAX_PROBE_TOKENS)]) for text in texts)
    return next(encoder.batches(distinct(short), "document", batch_tokens=1_000_000)).features


def _refused(encoder: "Encoder", why: str) -> InputError:
    return InputError(
        f"{encoder.checkpoint.source} cannot be run with OpenVINO: {why}; choose another precision, such as float32."
    )
