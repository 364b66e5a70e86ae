"""The flat names of a report's numbers, as assertions use them, and what each needs to be had."""

import re
from dataclasses import dataclass
from typing import Literal

Needs = Literal["corpus", "layers", "queries", "against"]

NAMES: dict[str, tuple[Needs, str]] = {
    "anisotropy": ("corpus", "mean cosine of all pairs of texts; 0 spread evenly, 1 collapsed"),
    "anisotropy.centred": ("corpus", "the same once the mean vector is subtracted"),
    "anisotropy.deviation": ("corpus", "standard deviation of the cosines of pairs"),
    "top_direction_share": ("corpus", "share of the second moment in the strongest direction"),
    "uniformity": ("corpus", "log mean exp(-2 |u - v|^2) over pairs; lower is more even"),
    "alignment": ("corpus", "mean squared distance of two texts with the same label; lower is closer"),
    "components_90": ("corpus", "principal components for 90 % of the variance"),
    "components_95": ("corpus", "principal components for 95 % of the variance"),
    "components_99": ("corpus", "principal components for 99 % of the variance"),
    "participation_ratio": ("corpus", "equally strong components that would spread the variance as evenly"),
    "dimensions": ("corpus", "dimensions of an embedding"),
    "two_nn": ("corpus", "intrinsic dimension by nearest neighbours"),
    "silhouette": ("corpus", "of the labels, by cosine; -1 to 1"),
    "purity": ("corpus", "share of a text's 10 nearest neighbours with its label"),
    "purity.chance": ("corpus", "the same with random neighbours"),
    "trustworthiness": ("corpus", "of the map; 1 every neighbour true, about .5 random"),
    "clusters": ("corpus", "clusters found without labels"),
    "clusters.far_share": ("corpus", "share of the texts far from every cluster"),
    "hub_skewness": ("corpus", "of how often a text is a neighbour; 0 even, above 1 marked hubs"),
    "antihub_share": ("corpus", "share of the texts that are nobody's neighbour"),
    "outliers": ("corpus", "texts unusually far out"),
    "outliers.share": ("corpus", "the same as a share of the texts"),
    "outliers.threshold": ("corpus", "score above which a text counts as far out"),
    "outliers.farthest": ("corpus", "the highest score"),
    "settled": ("layers", "first depth from which states agree with the output"),
    "collapse": ("layers", "first depth from which mean cosine is .9 or above"),
    "cka.last_layer": ("layers", "linear CKA of the last layer with the output"),
    "mean_cosine.output": ("layers", "mean cosine of the output; likewise .embedding, .layer_1, ..."),
    "head_entropy": ("layers", "mean entropy of the attention heads; 0 one token, 1 all alike"),
    "heads.flagged": ("layers", "heads with any flag"),
    "heads.collapsed": ("layers", "heads that look at one token only"),
    "heads.uniform": ("layers", "heads that look at all tokens alike"),
    "heads.silent": ("layers", "heads that add next to nothing"),
    "ndcg@10": ("queries", "NDCG of the first 10; any k from 1 on"),
    "recall@10": ("queries", "share of the relevant documents among the first 10; any k"),
    "hit@10": ("queries", "share of the queries with a relevant document among the first 10; any k"),
    "precision@10": ("queries", "share of the first 10 that are relevant; any k"),
    "mrr@10": ("queries", "1 / rank of the first relevant document, 0 beyond 10; any k"),
    "mrr": ("queries", "the same over the whole ranking"),
    "map": ("queries", "mean average precision"),
    "median_rank": ("queries", "of each query's closest true document; 1 is best"),
    "rank.first": ("queries", "share of the queries whose closest true document comes first"),
    "rank.within_10": ("queries", "share of the queries that have one within 10"),
    "hard_negative_gap": ("queries", "best true document's score less the hardest negative's, mean"),
    "hard_negatives.below": ("queries", "share of the queries where a negative leads"),
    "suspicious_negatives": ("queries", "negatives in the lead that nobody judged"),
    "bm25.ndcg@10": ("queries", "BM25's NDCG of the first 10; likewise its other metrics"),
    "bm25.difference": ("queries", "NDCG@10 less BM25's, over the same queries"),
    "bm25.p": ("queries", "p-value of that difference"),
    "against.ndcg@10": ("against", "NDCG@10 less the second encoder's; likewise recall@1, recall@10, mrr"),
    "against.p": ("against", "p-value of the difference in NDCG@10"),
    "against.anisotropy": ("against", "mean cosine less the second encoder's; likewise other numbers of the space"),
}
"""What each name needs, and what it is. Ends of a 95 % interval are NAME.low and NAME.high; a topic's metric is
ndcg@10[TOPIC], with the same ends."""

_METRIC = re.compile(r"(?:bm25\.|against\.)?(?:ndcg|recall|hit|precision|mrr)@([1-9]\d{0,5})(?:\[(.+)\])?", re.DOTALL)
_WHOLE = re.compile(r"(?:bm25\.|against\.)?(?:mrr|map)(?:\[(.+)\])?", re.DOTALL)
_LAYER = re.compile(r"mean_cosine\.(embedding|output|layer_[1-9]\d{0,3})")
_ENDS = (".low", ".high")


@dataclass(frozen=True)
class Parsed:
    """What a name asks for."""

    needs: Needs
    """The part of the report that holds it."""
    cutoff: int | None = None
    """The cut-off k of its metric."""
    topic: str | None = None
    """The topic of its metric."""


def parsed(name: str) -> Parsed | None:
    """What a flat name asks for; None where there is no such name."""
    for end in _ENDS:
        name = name.removesuffix(end)
    if name in NAMES:
        metric = _METRIC.fullmatch(name)
        return Parsed(NAMES[name][0], int(metric[1]) if metric else None)
    if _LAYER.fullmatch(name):
        return Parsed("layers")
    if name.startswith("against.") and name.removeprefix("against.") in NAMES:
        return Parsed("against")
    found = _METRIC.fullmatch(name)
    if found:
        return Parsed("against" if name.startswith("against.") else "queries", int(found[1]), found[2])
    found = _WHOLE.fullmatch(name)
    if found:
        return Parsed("against" if name.startswith("against.") else "queries", None, found[1])
    return None


def listing() -> str:
    """All names and what they are, one a line, in columns."""
    width = max(map(len, NAMES))
    lines = [f"{name:<{width}}  {about}" for name, (_, about) in NAMES.items()]
    ends = "Ends of a 95 % interval: NAME.low and NAME.high. A topic alone: ndcg@10[TOPIC]."
    return "\n".join([*lines, "", ends]) + "\n"
