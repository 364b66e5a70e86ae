"""Labels chosen through the encoder itself: the candidate phrases that fire the feature most.

After KeyBERT (Grootendorst 2020), which takes the phrases nearest to a text: here every candidate is embedded as a text
of its own, and those with the highest pre-activation of the feature win; equal ones by their order.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.labels.evidence import Evidence
from lib.sae.labels.keywords import joined

_PHRASES = 3  # in a label, at most
_AS_GOOD = 0.01  # AUROC that a shorter label may be worse


def fires_most(
    sae: SparseAutoencoder, feature: int, phrases: Sequence[str], vectors: NDArray[np.floating]
) -> list[str]:
    """`phrases` by how strongly they fire `feature`, most first; `vectors` are their embeddings, shape (phrases, d)."""
    pre = (np.asarray(vectors, dtype=np.float32) - sae.decoder_bias) @ sae.encoder_weights[:, feature]
    return [phrases[place] for place in np.argsort(-pre, kind="stable").tolist()]


def offers(evidence: Evidence, feature: int, phrases: Sequence[str], firing: Sequence[str]) -> dict[str, str]:
    """The labels that are tried for a feature, and the source of each.

    One to three of the keywords `phrases`; of the same by how they fire the feature (`firing`); and by how well each
    predicts alone.
    """
    alone = evidence.fit(feature, phrases)
    fitting = [phrases[place] for place in np.argsort(-np.nan_to_num(alone), kind="stable").tolist()]
    found: dict[str, str] = {}
    for source, order in (("keywords", phrases), ("encoder", firing), ("encoder", fitting)):
        for most in range(1, _PHRASES + 1):
            found.setdefault(joined(order, most), source)
    return found


def fits_best(evidence: Evidence, feature: int, offered: Mapping[str, str]) -> tuple[str, str]:
    """The label, and its source, that predicts best on the texts it was made from; the shortest within .01."""
    labels = list(offered)
    fits = np.nan_to_num(np.array(evidence.fit(feature, labels)))
    good = [label for label, fit in zip(labels, fits.tolist(), strict=True) if fit >= fits.max() - _AS_GOOD]
    chosen = min(good, key=len)
    return chosen, offered[chosen]
