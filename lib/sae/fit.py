"""Whether a sparse autoencoder belongs to an encoder: features mean something in the space they were trained in."""

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder


def check_fit(sae: SparseAutoencoder, checkpoint: Checkpoint) -> None:
    """Refuse an SAE for vectors of another encoder than `checkpoint`.

    Where the SAE's files do not name its encoder (formats of other tools), only the width is held against it.

    Raises:
        InputError: another fingerprint, or another width.
    """
    of = sae.about.encoder or "another encoder"
    if sae.dimensions != checkpoint.dimensions:
        raise InputError(
            f"{sae.about.name} takes vectors of {sae.dimensions} dimensions apart and {checkpoint.source} makes "
            f"{checkpoint.dimensions}: choose {of}, or an SAE that was trained on {checkpoint.source}."
        )
    if sae.about.fingerprint is not None and sae.about.fingerprint != checkpoint.fingerprint:
        same = sae.about.encoder == checkpoint.source
        raise InputError(
            f"{sae.about.name} was trained on {of} as it was then, and {checkpoint.source} "
            f"{'now has other weights or prompts' if same else 'is another encoder'} (fingerprint "
            f"{checkpoint.fingerprint[:12]}, not {sae.about.fingerprint[:12]}): "
            f"{'set its prompts back' if same else f'choose {of}'}, or train an SAE on this one."
        )
