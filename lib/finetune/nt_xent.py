"""NT-Xent, which sentence-transformers has in parts: both of its sides, each against all the other texts of a batch.

Imports torch: import it only where a loss is built.
"""

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch import Tensor


class NtXentLoss(MultipleNegativesRankingLoss):
    """Normalised temperature-scaled cross entropy (Chen et al. 2020, arXiv:2002.05709) of pairs of texts.

    Each anchor has to find its positive among all positives, given negatives and other anchors; each positive its
    anchor among all anchors and other positives. Cosines are multiplied by `scale`, 1 / temperature.
    """

    def __init__(self, model: SentenceTransformer, scale: float = 20.0) -> None:
        super().__init__(model, scale=scale, directions=("query_to_doc", "query_to_query"))

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor) -> Tensor:
        """Half the sum of the loss from the anchors' side and from the positives' side."""
        there = super().compute_loss_from_embeddings(embeddings, labels)
        back = super().compute_loss_from_embeddings([embeddings[1], embeddings[0]], labels)
        return (there + back) / 2
