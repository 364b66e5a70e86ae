"""Token attribution: how much each token of a text fires a feature.

A feature's pre-activation is pre = (x - b_dec) . w + b_enc, with x = v / |v| for encoders that normalise and v the
pooled vector. Most ways of pooling make v a sum over token states h_t, so with |v| as it is

    pre = sum_t share_t + constant,    share_t = h_t . w / (T |v|) for the mean over T tokens,

holds exactly, the constant being b_enc - b_dec . w. All shares are taken as gradient times input, which is the same
number there. Where it is not exact the result says so, and how much is left out. A share says in whose state the
feature is found; that state was mixed from the whole text by the layers before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.encoders.prompts import Role
from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.fit import check_fit
from lib.sae.token_paths import token_path

if TYPE_CHECKING:
    from lib.encoders import Encoder


@dataclass(frozen=True, eq=False)
class TokenShares(Result):
    """What each of the t tokens of a text adds to the pre-activations of m features."""

    tokens: tuple[str, ...]
    """In order, prompt and special ones included, as the vocabulary spells them: ## continues a word, ▁ begins one."""
    kinds: tuple[str, ...]
    """Of each token: "text", "special" or "prompt"."""
    features: NDArray[np.int64]
    """Which features, in the order asked for, shape (m,)."""
    shares: NDArray[np.float64]
    """Shape (m, t), in units of the pre-activation: above 0 the token fires the feature, below 0 it holds it back."""
    constants: NDArray[np.float64]
    """What does not depend on the text, shape (m,): b_enc - b_dec . w, and the bias of a projection after pooling."""
    rest: NDArray[np.float64]
    """Pre-activation less shares and constant, shape (m,): rounding where `exact`, else what the shares leave out."""
    pre_activations: NDArray[np.float64]
    """Shape (m,). The activation is the same number where the rule keeps the feature, and 0 where it does not."""
    exact: bool
    """Whether shares and constant add up to the pre-activation."""
    why: str
    """Why they do, or do not, in one sentence."""
    truncated: bool
    """Whether the text was cut at the encoder's maximum length: what was cut has no share."""


def token_shares(
    encoder: "Encoder", sae: SparseAutoencoder, text: str, *, features: Sequence[int], role: Role = "document"
) -> TokenShares:
    """What each token of `text` adds to each of `features`.

    Tokens of the prompt and special tokens are among them: where they take part in pooling they have shares like any
    other, and where pooling leaves the prompt out, its shares are 0.

    Raises:
        InputError: an SAE of another encoder; a feature that it does not have; a text without any token; an encoder
            that runs code of its own and so does not show its tokens, or that shows no gradient where one is needed.
    """
    check_fit(sae, encoder.checkpoint)
    chosen = check_features(sae, features)
    path = token_path(encoder, text, role)
    weights = sae.encoder_weights[:, chosen].T.astype(np.float64)  # (m, d)
    bias, shift = sae.decoder_bias.astype(np.float64), sae.encoder_bias[chosen].astype(np.float64)
    vector = path.vector.detach().double().cpu().numpy()
    pre = weights @ (vector - bias) + shift
    shares = np.array([path.by_token(row) for row in weights]).reshape(len(chosen), len(path.tokens))
    constants = weights @ (path.offset - bias) + shift
    return TokenShares(
        tokens=path.tokens,
        kinds=path.kinds,
        features=chosen,
        shares=shares,
        constants=constants,
        rest=pre - shares.sum(axis=1) - constants,
        pre_activations=pre,
        exact=path.exact,
        why=path.why,
        truncated=path.truncated,
    )


def check_features(sae: SparseAutoencoder, features: Sequence[int]) -> NDArray[np.int64]:
    """Numbers of features as an array, shape (m,).

    Raises:
        InputError: one that the dictionary does not have.
    """
    for feature in features:
        if not 0 <= feature < sae.features:
            raise InputError(f"{sae.about.name} has the features 0 to {sae.features - 1:,}, got {feature:,}.")
    return np.asarray(features, dtype=np.int64)
