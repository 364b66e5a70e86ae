"""Loading: a checkpoint of late interaction into memory. Imports torch; only `multi_vector` imports this."""

from typing import Any

import torch
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.multi_vector_encoder import MultiVectorEncoder
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm
from transformers import PreTrainedTokenizerFast

from lib.encoders.late_checkpoint import LateCheckpoint
from lib.encoders.loading import WholeTransformer, told
from lib.encoders.weights import find_weights, shapes_of
from lib.errors import InputError

_CLASSES: dict[str, Any] = {
    "Transformer": WholeTransformer,
    "Dense": Dense,
    "Normalize": Normalize,
    "MultiVectorMask": MultiVectorMask,
    "LayerNorm": LayerNorm,
    "Dropout": Dropout,
}
_SPARED = ("pooler.", "position_ids")


def load_multi_vector(checkpoint: LateCheckpoint) -> MultiVectorEncoder:
    """The whole model in float32, ready for inference. Each module's class comes from the table above, by its name.

    Raises:
        InputError: files that do not fit together or are damaged.
    """
    classes = {entry.reference: _CLASSES[entry.kind] for entry in checkpoint.modules}
    with told(checkpoint.source):
        model = MultiVectorEncoder._load_with_module_classes(
            str(checkpoint.path),
            classes,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": torch.float32, "use_safetensors": True},
        )
        if not checkpoint.modules:
            _check_whole(checkpoint, model)
        if not isinstance(model.tokenizer, PreTrainedTokenizerFast):
            raise InputError(f"{checkpoint.source} has no fast tokenizer (tokenizer.json), which is needed here.")
    return model.eval().requires_grad_(False)


def _check_whole(checkpoint: LateCheckpoint, model: MultiVectorEncoder) -> None:
    """Refuse a checkpoint in Stanford's layout whose files lack a part of the transformer, which would be random."""
    files = find_weights(checkpoint.path, name=checkpoint.source).files
    held = {key for path in files for key in shapes_of(path, name=checkpoint.source)}
    first: Any = model[0]
    wanted = [name for name, _ in first.model.named_parameters() if not any(part in name for part in _SPARED)]
    missing = [name for name in wanted if name not in held and not any(key.endswith(f".{name}") for key in held)]
    if missing:
        raise InputError(
            f"{checkpoint.source} lacks {len(missing)} of the weights that its transformer has (the first: "
            f"{missing[0]}), so its vectors would be random; fetch the checkpoint anew."
        )
