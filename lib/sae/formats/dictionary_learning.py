"""dictionary_learning: `config.json`, whose trainer names a `dict_class`, with `ae.pt`.

Read: AutoEncoder and AutoEncoderNew (plain ReLU), AutoEncoderTopK, BatchTopKSAE, MatryoshkaBatchTopKSAE and
JumpReluAutoEncoder, as each answers by default: TopK by its k, the batch ones by the threshold they learnt.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lib.errors import InputError
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.folder import read_config
from lib.sae.formats.folding import Parts, Sparsity, fold
from lib.sae.formats.weights import Arrays, number, pick, pick_one, pick_thresholds, plain_settings, read_archive, words

FILE = "ae.pt"
_CONFIG = "config.json"
_PLAIN, _CENTRELESS, _TOPK = "AutoEncoder", "AutoEncoderNew", "AutoEncoderTopK"
_BATCH, _MATRYOSHKA, _JUMPRELU = "BatchTopKSAE", "MatryoshkaBatchTopKSAE", "JumpReluAutoEncoder"
_READ = (_PLAIN, _CENTRELESS, _TOPK, _BATCH, _MATRYOSHKA, _JUMPRELU)
_LINEAR = ("encoder.weight", "encoder.bias", "decoder.weight")
_MATRICES = ("W_enc", "b_enc", "W_dec", "b_dec")
_BIAS = {_PLAIN: "bias", _CENTRELESS: "decoder.bias", _TOPK: "b_dec", _BATCH: "b_dec"}


def read(folder: Path, name: str) -> SparseAutoencoder:
    """The SAE in `folder`, called `name`.

    Raises:
        InputError: files that are missing or broken, or a class that cannot be read exactly.
    """
    config = read_config(folder, _CONFIG)
    trainer = config.get("trainer")
    trainer = trainer if isinstance(trainer, dict) else {}
    kind = trainer.get("dict_class")
    if kind not in _READ:
        raise InputError(
            f"{_CONFIG} of {folder.name} names the dictionary class {kind!r}; of dictionary_learning's, "
            f"{', '.join(_READ)} can be read."
        )
    path = folder / FILE
    arrays = read_archive(path)
    parts = _parts(kind, arrays, path)
    parts.check(f"{FILE} of {folder.name}")
    about = About(
        name=name,
        origin="dictionary_learning",
        encoder=words(trainer.get("lm_name")),
        settings=plain_settings(trainer),
    )
    n = parts.encoder.shape[1]
    return fold(
        parts,
        _sparsity(kind, trainer, arrays, path),
        about,
        centred=kind not in {_CENTRELESS, _JUMPRELU},
        prefixes=_prefixes(arrays, n, path) if kind == _MATRYOSHKA else (),
    )


def _parts(kind: str, arrays: Arrays, path: Path) -> Parts:
    if kind in _BIAS:
        encoder, encoder_bias, decoder, decoder_bias = pick(arrays, (*_LINEAR, _BIAS[kind]), path)
        return Parts(encoder.T, encoder_bias, decoder.T, decoder_bias)
    return Parts(*pick(arrays, _MATRICES, path))


def _sparsity(kind: str, trainer: dict[str, Any], arrays: Arrays, path: Path) -> Sparsity:
    called = f"{_CONFIG} of {path.parent.name}"
    if kind in {_PLAIN, _CENTRELESS}:
        return Sparsity("jumprelu", thresholds=0.0)
    if kind == _TOPK:
        return Sparsity("topk", number(trainer, "k", called))
    if kind == _JUMPRELU:
        return Sparsity("jumprelu", thresholds=pick_thresholds(arrays, len(arrays["b_enc"]), path))
    return Sparsity("batchtopk", number(trainer, "k", called), pick_one(arrays, "threshold", path))


def _prefixes(arrays: Arrays, n: int, path: Path) -> tuple[int, ...]:
    (sizes,) = pick(arrays, ["group_sizes"], path)
    if sizes.ndim != 1 or not len(sizes) or sizes.min() < 1 or sizes.sum() != n or (sizes != np.floor(sizes)).any():
        raise InputError(f"group_sizes of {FILE} should be whole numbers that add up to {n:,}.")
    return tuple(int(end) for end in np.cumsum(sizes.astype(np.int64)))
