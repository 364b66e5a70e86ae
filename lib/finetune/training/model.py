"""Model: the encoder to tune as sentence-transformers trains it, with what may change set free. Imports torch."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from torch import nn

from lib.encoders import PACKAGED, Checkpoint
from lib.encoders.loading import load_modules
from lib.encoders.sources import PACKAGED_ID
from lib.errors import InputError
from lib.finetune.sources import RUN
from lib.finetune.training.settings import TrainingSettings
from lib.finetune.training.suitability import check_tunable

_ADAPTER, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_LORA = "default"
_NAMES = {
    "query": ("query", "q_proj", "q_lin", "query_proj", "q"),
    "key": ("key", "k_proj", "k_lin", "key_proj", "k"),
    "value": ("value", "v_proj", "v_lin", "value_proj", "v"),
}
"""What architectures call the three projections of attention."""
_JOINED = ("Wqkv", "qkv_proj", "qkv", "query_key_value", "in_proj", "mixed_qkv")
"""What those call them that make all three in one product."""


@dataclass(frozen=True, eq=False)
class Tunable:
    """An encoder ready to be tuned."""

    model: SentenceTransformer
    """Its modules; what may change requires gradients, nothing else does."""
    checkpoint: Checkpoint
    """What it was opened from."""
    targets: tuple[str, ...]
    """The layers that LoRA stands beside, as the architecture calls them; () for a full fine-tune."""
    apart: bool
    """Whether what is made is an adapter beside the base; a whole encoder where not."""

    @property
    def parameters(self) -> int:
        """Numbers in the model, those of LoRA included."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def trainable(self) -> int:
        """Numbers that may change."""
        return sum(parameter.numel() for parameter in self.model.parameters() if parameter.requires_grad)

    def check_finite(self, step: int) -> None:
        """Refuse weights that are no numbers any more, after `step` steps.

        Raises:
            InputError: the training has diverged.
        """
        trained = (parameter for parameter in self.model.parameters() if parameter.requires_grad)
        if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
            raise InputError(
                f"The training has diverged: by step {step:,} its weights are no finite numbers any more; begin anew "
                "with a lower learning rate, or in float32."
            )

    def save(self, folder: Path) -> None:
        """Write it as it stands: of LoRA the adapter, otherwise the whole. It reads as much of a text as its base."""
        with _reading_all(self):
            self.model.save_pretrained(str(folder), create_model_card=False)
        if (folder / _CONFIG).is_file():
            _name_base(folder / _CONFIG, self.checkpoint.source)

    def load(self, folder: Path) -> None:
        """Take over the weights that `save` wrote, to the last bit."""
        if self.targets:
            _load_adapter(_transformer(self.model), folder / _ADAPTER)
            return
        written = SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
        self.model.load_state_dict(written.state_dict())

    def save_result(self, folder: Path) -> None:
        """Write what came of it: an adapter where `apart`; the whole, with LoRA merged into it for good, where not."""
        if self.targets and not self.apart:
            _merge(_transformer(self.model))
        self.save(folder)


def open_tunable(checkpoint: Checkpoint, settings: TrainingSettings) -> Tunable:
    """Open `checkpoint` for training, in float32; how LoRA begins is drawn from torch's generator.

    Raises:
        InputError: see `check_tunable` and `lib.encoders.open_encoder`; or LoRA's layers are not found.
    """
    check_tunable(checkpoint, settings)
    modules = load_modules(checkpoint, torch.float32)
    if isinstance(modules[0], Transformer):
        modules[0].__class__ = Transformer  # files name the class of each module: this one others have, too
    prompts = {"query": checkpoint.prompts.query, "document": checkpoint.prompts.document}
    model = SentenceTransformer(modules=modules, prompts=prompts, device="cuda" if torch.cuda.is_available() else "cpu")
    if model.get_embedding_dimension() != checkpoint.dimensions:
        model.truncate_dim = checkpoint.dimensions
    targets: tuple[str, ...] = ()
    if settings.method == "full":
        model.requires_grad_(True)
    else:
        targets = _add_lora(_transformer(model), settings, checkpoint.source)
    if settings.max_tokens is not None and checkpoint.kind == "transformer":
        model.max_seq_length = min(settings.max_tokens, checkpoint.max_tokens or settings.max_tokens)
    reopens = checkpoint.adapter is None and not checkpoint.source.startswith(RUN)
    return Tunable(model, checkpoint, targets, apart=bool(targets) and reopens)


def lora_targets(linear: Iterable[str], wanted: Iterable[str], *, name: str) -> tuple[str, ...]:
    """What the layers in `wanted` are called here, each once; `linear` are the names of the linear layers there are.

    `query`, `key` and `value` stand for whatever the architecture calls them, also for one layer that makes all three.

    Raises:
        InputError: one is not there; with those that are.
    """
    there = dict.fromkeys(linear)
    found: dict[str, None] = {}
    for layer in wanted:
        names = dict.fromkeys((layer, *_NAMES.get(layer, ()), *(_JOINED if layer in _NAMES else ())))
        match = next((other for other in names if other in there), None)
        if match is None:
            raise InputError(
                f"{name} has no linear layer {layer[:40]!r} for LoRA to stand beside; it has {', '.join(there)}."
            )
        found[match] = None
    return tuple(found)


def _add_lora(transformer: Any, settings: TrainingSettings, source: str) -> tuple[str, ...]:
    """Put low-rank matrices into `transformer` and freeze all else; the names of the layers they stand beside."""
    linear = [name.rsplit(".", 1)[-1] for name, layer in transformer.named_modules() if isinstance(layer, nn.Linear)]
    targets = lora_targets(linear, settings.target_modules, name=source)
    shape: dict[str, Any] = {"r": settings.rank, "lora_alpha": settings.alpha, "lora_dropout": settings.dropout}
    config = LoraConfig(target_modules=list(targets), **shape)
    transformer.add_adapter(config, adapter_name=_LORA)
    transformer.peft_config[_LORA].base_model_name_or_path = None  # peft would ask the hub for it at each checkpoint
    return targets


def _name_base(file: Path, source: str) -> None:
    """Write into an adapter's settings over which encoder it belongs."""
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = PACKAGED_ID if source == PACKAGED else source
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _load_adapter(transformer: Any, file: Path) -> None:
    state = {name.removeprefix("base_model.model."): weights for name, weights in load_file(file).items()}
    report: Any = set_peft_model_state_dict(transformer, state, adapter_name=_LORA)
    lacking = [name for name in report.missing_keys if "lora_" in name]
    if report.unexpected_keys or lacking:
        raise ValueError(f"{file} does not fit: {[*report.unexpected_keys, *lacking][:3]}")


def _merge(transformer: Any) -> None:
    """Add what LoRA learnt to the weights it stands beside, and take it out."""
    for name, layer in list(transformer.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
            transformer.set_submodule(name, layer.get_base_layer())
    transformer._hf_peft_config_loaded = False  # what is saved next is the whole
    del transformer.peft_config


def _transformer(model: SentenceTransformer) -> Any:
    """The model of the transformers library in it."""
    return model[0].model


@contextmanager
def _reading_all(tunable: Tunable) -> Iterator[None]:
    """Let it read as much of a text as its base does, meanwhile."""
    model, whole = tunable.model, tunable.checkpoint.max_tokens
    meanwhile = model.max_seq_length
    if whole is None or meanwhile == whole:
        yield
        return
    model.max_seq_length = whole
    try:
        yield
    finally:
        model.max_seq_length = meanwhile
