"""Pairs: how similar the positive and the negative pairs of a batch are, from the embeddings that its loss computed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

IN_BATCH, GIVEN, LABELLED, CLASSES = "in batch", "given", "labelled pairs", "classes"
_LOSSES = {
    IN_BATCH: (
        "MultipleNegativesRankingLoss", "CachedMultipleNegativesRankingLoss", "MultipleNegativesSymmetricRankingLoss",
        "CachedMultipleNegativesSymmetricRankingLoss", "GISTEmbedLoss", "CachedGISTEmbedLoss", "MegaBatchMarginLoss",
    ),
    GIVEN: ("TripletLoss", "MarginMSELoss", "DistillKLDivLoss"),
    LABELLED: ("CosineSimilarityLoss", "CoSENTLoss", "AnglELoss", "ContrastiveLoss", "OnlineContrastiveLoss"),
    CLASSES: (
        "BatchAllTripletLoss", "BatchHardTripletLoss", "BatchHardSoftMarginTripletLoss", "BatchSemiHardTripletLoss",
    ),
    None: (
        "MSELoss", "EmbedDistillLoss", "SoftmaxLoss", "DenoisingAutoEncoderLoss", "ContrastiveTensionLoss",
        "ContrastiveTensionLossInBatchNegatives", "GlobalOrthogonalRegularizationLoss",
    ),
}  # fmt: skip
_KINDS = {name: kind for kind, names in _LOSSES.items() for name in names}
_POSITIVE_FROM = 0.5  # label above which a labelled pair is a positive one, as a share of the highest label
_ROWS = 1_024  # anchors at a time against all documents


def innermost(loss: "nn.Module") -> "nn.Module":
    """The loss that compares embeddings, below wrappers such as MatryoshkaLoss."""
    from torch import nn

    seen = loss
    while isinstance(inner := getattr(seen, "loss", None), nn.Module):
        seen = inner
    return seen


def kind_of(loss: "nn.Module", columns: int, labels: "Tensor | None") -> str | None:
    """What the negatives of a loss are, by its class, else by its inputs; None where it has no pairs.

    "in batch": every other anchor's documents in the batch, and the given negatives of all. "given": an anchor's own
    ones. "labelled pairs": pairs whose label is at most half of the highest (at least 0.5). "classes": texts of
    another class.
    """
    for ancestor in type(innermost(loss)).__mro__:
        if ancestor.__name__ in _KINDS:
            kind = _KINDS[ancestor.__name__]
            needed = {GIVEN: 3, CLASSES: 1, None: 0}.get(kind, 2)
            return kind if columns >= needed else None
    if labels is None:
        return IN_BATCH if columns > 1 else None
    if columns == 1:
        return None if labels.is_floating_point() else CLASSES
    return LABELLED if columns == 2 and labels.is_floating_point() else None


def pair_similarities(embeddings: "Tensor", columns: int, labels: "Tensor | None", *, kind: str | None) -> "Tensor":
    """Mean cosine of positive pairs, of negative pairs, and of each anchor with its closest negative, shape (3,).

    Args:
        embeddings: all texts of a batch, one column after another, shape (columns * b, d).
        columns: anchors, positives, and then negatives, b texts each.
        labels: of b examples, where the kind asks for them.
        kind: see `kind_of`; None gives NaN, as does what a batch has none of.
    """
    import torch

    vectors = torch.nn.functional.normalize(embeddings.detach().float(), dim=1)
    with torch.no_grad(), torch.autocast(vectors.device.type, enabled=False):
        if kind == IN_BATCH:
            return _in_batch(vectors, len(vectors) // columns)
        if kind == GIVEN:
            return _given(vectors.view(columns, -1, vectors.shape[1]))
        if kind == LABELLED and labels is not None:
            return _labelled(vectors[: len(vectors) // columns], vectors[len(vectors) // columns :], labels)
        if kind == CLASSES and labels is not None:
            return _classes(vectors, labels)
        return torch.full((3,), torch.nan, device=vectors.device)


def _in_batch(vectors: "Tensor", b: int) -> "Tensor":
    import torch

    anchors, documents = vectors[:b], vectors[b:]
    own = (anchors * documents[:b]).sum(dim=1)
    negatives = b * (len(documents) - 1)
    if not negatives:
        return torch.stack([own.mean(), *own.new_full((2,), torch.nan)])
    mean = (anchors.sum(dim=0) @ documents.sum(dim=0) - own.sum()) / negatives
    hardest = own.new_empty(b)
    for start in range(0, b, _ROWS):
        found = anchors[start : start + _ROWS] @ documents.T
        found.diagonal(offset=start).fill_(-torch.inf)
        hardest[start : start + _ROWS] = found.amax(dim=1)
    return torch.stack([own.mean(), mean, hardest.mean()])


def _given(columns: "Tensor") -> "Tensor":
    import torch

    found = (columns[:1] * columns[1:]).sum(dim=2)
    return torch.stack([found[0].mean(), found[1:].mean(), found[1:].amax(dim=0).mean()])


def _labelled(left: "Tensor", right: "Tensor", labels: "Tensor") -> "Tensor":
    import torch

    found, label = (left * right).sum(dim=1), labels.detach().float().view(-1)
    positive = (label > _POSITIVE_FROM * label.amax().clamp(min=1.0)).float()
    means = [(found * chosen).sum() / chosen.sum() for chosen in (positive, 1 - positive)]  # 0 / 0 is NaN
    return torch.stack([*means, found.new_tensor(torch.nan)])


def _classes(vectors: "Tensor", labels: "Tensor") -> "Tensor":
    import torch

    found, label = vectors @ vectors.T, labels.detach().view(-1)
    same = label[:, None] == label[None, :]
    other = ~same
    same = same & ~torch.eye(len(label), dtype=torch.bool, device=label.device)
    means = [(found * chosen).sum() / chosen.sum() for chosen in (same, other)]
    closest = found.masked_fill(same | torch.eye(len(label), dtype=torch.bool, device=label.device), -torch.inf)
    closest = closest.amax(dim=1)
    real = torch.isfinite(closest)
    return torch.stack([*means, closest.masked_fill(~real, 0.0).sum() / real.sum()])
