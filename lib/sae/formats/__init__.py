"""Formats: sparse autoencoders as this and four other projects write them, read into one dictionary of unit directions.

Each is folded exactly: decode(encode(x)) is what the package that wrote the files answers, to rounding. What cannot be
said in this dictionary's terms (gated encoders, skip connections, inputs that each text scales anew) is refused.
"""

from collections.abc import Callable
from pathlib import Path

from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.folder import CONFIG, FORMAT, WEIGHTS, load, read_config
from lib.sae.formats import dictionary_learning, latentsae, saelens, sparsify
from lib.sae.formats.saelens import write_saelens
from lib.sae.formats.weights import check_size

__all__ = ["read_sae", "write_saelens"]

_OTHER_CONFIG = "cfg.json"


def read_sae(folder: Path, *, name: str | None = None) -> SparseAutoencoder:
    """The sparse autoencoder in `folder`, whichever of the formats it is in.

    `name` is what it is called where its files give it no name; the folder's where None.

    Raises:
        InputError: no such folder, files that are missing, broken, too large or of no known format, or a dictionary
            of a kind that cannot be read exactly.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder.name}: name the folder of a sparse autoencoder.")
    return _reader(folder)(folder, name or folder.name)


def _reader(folder: Path) -> Callable[[Path, str], SparseAutoencoder]:
    def holds(name: str) -> bool:
        return (folder / name).is_file()

    if holds(CONFIG) and read_config(folder).get("format") == FORMAT:
        return _own
    if holds(_OTHER_CONFIG) and holds(saelens.FILE):
        return saelens.read
    if holds(_OTHER_CONFIG) and holds(WEIGHTS):
        return latentsae.read if "sae_type" in read_config(folder, _OTHER_CONFIG) else sparsify.read
    if holds(CONFIG) and holds(dictionary_learning.FILE):
        return dictionary_learning.read
    raise InputError(
        f"{folder.name} holds no sparse autoencoder that can be read: expected {CONFIG} with {WEIGHTS} (Embedscope), "
        f"{_OTHER_CONFIG} with {saelens.FILE} (SAELens) or {WEIGHTS} (sparsify, latentsae), or {CONFIG} with "
        f"{dictionary_learning.FILE} (dictionary_learning)."
    )


def _own(folder: Path, _name: str) -> SparseAutoencoder:
    if (folder / WEIGHTS).is_file():
        check_size(folder / WEIGHTS)
    return load(folder)
