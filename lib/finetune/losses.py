"""Losses: what a training makes small. The formulas are sentence-transformers' own, chosen by the settings.

With cosines c, temperature t, and a batch of b anchors a_i with positives p_i (and negatives n_ij, where given):

- infonce (van den Oord et al. 2018, arXiv:1807.03748): the mean over i of -log of the share of exp(c(a_i, p_i) / t) in
  the sum of exp(c(a_i, d) / t) over all positives and negatives d of the batch.
- cached infonce: the same number and gradients, in mini-batches (Gao et al. 2021, arXiv:2101.06983).
- nt-xent (Chen et al. 2020, arXiv:2002.05709): each of the 2 b texts has to find its partner among all the others, its
  own side included; the mean over both sides. Given negatives stand among what the anchors choose from.
- triplet: the mean of max(0, distance to the positive - distance to the negative + margin), distance = 1 - cosine.
- cosine: the mean of (cosine - score)^2; a positive without a score has 1, a negative 0.

Matryoshka (Kusupati et al. 2022, arXiv:2205.13147) adds up the loss at each width, the first dimensions alone,
normalised again.
"""

from typing import TYPE_CHECKING

from lib.errors import InputError
from lib.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import nn


def build_loss(model: "SentenceTransformer", settings: TrainingSettings) -> "nn.Module":
    """The loss of `settings` around `model`, for the columns that `to_dataset` makes.

    Raises:
        InputError: a width of Matryoshka that is larger than the model's vectors.
    """
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    loss = _plain_loss(model, settings)
    if not settings.matryoshka:
        return loss
    dimensions = model.get_embedding_dimension()
    if dimensions is not None and max(settings.matryoshka) > dimensions:
        raise InputError(
            f"Matryoshka cuts vectors to {max(settings.matryoshka)} dimensions, but this encoder's have {dimensions}: "
            f"name widths up to {dimensions}."
        )
    return MatryoshkaLoss(model, loss, list(settings.matryoshka))


def _plain_loss(model: "SentenceTransformer", settings: TrainingSettings) -> "nn.Module":
    from sentence_transformers.sentence_transformer import losses

    if settings.loss == "triplet":
        cosine = losses.TripletDistanceMetric.COSINE
        return losses.TripletLoss(model, distance_metric=cosine, triplet_margin=settings.margin)
    if settings.loss == "cosine":
        return losses.CosineSimilarityLoss(model)
    scale = 1 / settings.temperature
    if settings.loss == "nt-xent":
        from lib.finetune.nt_xent import NtXentLoss

        return NtXentLoss(model, scale=scale)
    if settings.loss == "cached infonce":
        return losses.CachedMultipleNegativesRankingLoss(model, scale=scale, mini_batch_size=settings.mini_batch)
    return losses.MultipleNegativesRankingLoss(model, scale=scale)
