"""EleutherAI's sparsify (before: sae): `cfg.json` with `sae.safetensors`, TopK over ReLU.

Group-max, signed activations, transcoders and skip connections are refused: they are no dictionary of this kind.
"""

from pathlib import Path
from typing import Any

from lib.errors import InputError
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.folder import WEIGHTS, read_config
from lib.sae.formats.folding import Parts, Sparsity, fold
from lib.sae.formats.weights import Arrays, number, pick, plain_settings, read_safetensors

CONFIG = "cfg.json"
_TENSORS = ("encoder.weight", "encoder.bias", "W_dec", "b_dec")


def read(folder: Path, name: str) -> SparseAutoencoder:
    """The SAE in `folder`, called `name`.

    Raises:
        InputError: files that are missing or broken, or a coder of another kind.
    """
    config = read_config(folder, CONFIG)
    _check_kind(config, f"{CONFIG} of {folder.name}")
    parts, arrays = read_parts(folder)
    if "W_skip" in arrays:
        raise InputError(f"{WEIGHTS} of {folder.name} holds a skip connection: it is no sum of features alone.")
    k = number(config, "k", f"{CONFIG} of {folder.name}")
    about = About(name=name, origin="sparsify", settings=plain_settings(config))
    return fold(parts, Sparsity("topk", k), about)


def read_parts(folder: Path) -> tuple[Parts, Arrays]:
    """The weights in `folder`, which latentsae names as sparsify does, and every tensor beside them.

    Raises:
        InputError: tensors that are missing, broken or do not fit together.
    """
    path = folder / WEIGHTS
    arrays = read_safetensors(path)
    encoder, encoder_bias, decoder, decoder_bias = pick(arrays, _TENSORS, path)
    parts = Parts(encoder.T, encoder_bias, decoder, decoder_bias)
    parts.check(f"{WEIGHTS} of {folder.name}")
    return parts, arrays


def _check_kind(config: dict[str, Any], called: str) -> None:
    activation = config.get("activation", "topk")
    if activation != "topk":
        raise InputError(f"{called} names the activation {activation!r}; of sparsify's, only topk can be read.")
    for flag, what in (
        ("transcode", "a transcoder, which predicts one layer from another"),
        ("skip_connection", "a coder with a skip connection, which is no sum of features alone"),
        ("signed", "a coder whose activations may be negative"),
    ):
        if config.get(flag):
            raise InputError(f"{called} describes {what}: choose a plain sparse autoencoder.")
