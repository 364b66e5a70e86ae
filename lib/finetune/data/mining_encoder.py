"""The encoder as a miner, through sentence-transformers' own (`util.mine_hard_negatives`). Imports torch."""

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers.util import mine_hard_negatives

from lib.finetune.data.embedding import Embed
from lib.finetune.data.examples import Examples, folded
from lib.geometry.vectors import blocks, unit

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SCORES = 20_000_000  # cosines held at once
_DEEPEST = 200  # documents of each query that are looked at


def mine_encoder(
    train: Examples, pool: Sequence[str], groups: Sequence[int], embed: Embed, *, each: int, margin: float
) -> tuple[dict[int, list[str]], dict[int, int]]:
    """For each of `groups` up to `each` documents of `pool`, nearest first, and how many are suspicious.

    Suspicious is a document whose cosine with the query is above that of its lowest positive less `margin` times its
    size, which is the miner's `relative_margin`; none of these is taken. Where they are all of the first 200, nothing
    is found.
    """
    rows = np.flatnonzero(np.isin(train.groups, groups) & train.related)
    if not len(rows) or not pool:
        return {}, {}
    pairs = _pairs(train, rows)
    texts = list(dict.fromkeys([*pool, *(positive for _, positives in pairs.values() for positive in positives)]))
    asked = [anchor for anchor, _ in pairs.values()]
    known = _Embedded(embed, texts, asked)
    columns = [(anchor, positive) for anchor, positives in pairs.values() for positive in positives]
    with contextlib.redirect_stderr(io.StringIO()):  # it draws a progress bar, whatever it is told
        mined = mine_hard_negatives(
            Dataset.from_dict({"anchor": [a for a, _ in columns], "positive": [p for _, p in columns]}),
            cast("SentenceTransformer", known),
            corpus=list(pool),
            relative_margin=margin,
            range_max=max(_DEEPEST, 10 * each),
            num_negatives=each + 1,  # the anchor itself may be among the documents
            output_format="labeled-list",
            faiss_batch_size=max(1, _SCORES // len(texts)),
            verbose=False,
        )
    best = dict(zip(mined["anchor"], mined["positive"], strict=True))  # a query's are the same for each positive
    found = {group: list(best[anchor][1:]) for group, (anchor, _) in pairs.items() if anchor in best}
    judged: dict[int, set[str]] = {}
    for row in rows.tolist():
        judged.setdefault(int(train.groups[row]), set()).update(map(folded, train.negatives[row]))
    return found, _suspicious(known, pairs, pool, judged, margin=margin)


def _pairs(train: Examples, rows: NDArray[np.int64]) -> dict[int, tuple[str, list[str]]]:
    """Of each group its first anchor, which stands for it, and its positives."""
    pairs: dict[int, tuple[str, list[str]]] = {}
    for row in rows.tolist():
        _, positives = pairs.setdefault(int(train.groups[row]), (train.anchors[row], []))
        if train.positives[row] not in positives:
            positives.append(train.positives[row])
    return pairs


class _Embedded:
    """What the miner asks of a model, answered from vectors of length 1 that are there already."""

    device = torch.device("cpu")

    def __init__(self, embed: Embed, documents: Sequence[str], queries: Sequence[str]) -> None:
        self.documents = unit(embed(documents, "document"))
        self.queries = unit(embed(queries, "query"))
        self._document = {text: row for row, text in enumerate(documents)}
        self._query = {text: row for row, text in enumerate(queries)}

    def encode_document(self, texts: Sequence[str], **_: Any) -> NDArray[np.float32]:
        return self.documents[self.document_rows(texts)]

    def encode_query(self, texts: Sequence[str], **_: Any) -> NDArray[np.float32]:
        return self.queries[self.query_rows(texts)]

    def document_rows(self, texts: Sequence[str]) -> list[int]:
        """Rows of `documents`."""
        return [self._document[text] for text in texts]

    def query_rows(self, texts: Sequence[str]) -> list[int]:
        """Rows of `queries`."""
        return [self._query[text] for text in texts]

    def similarity(self, a: Any, b: Any) -> torch.Tensor:
        return torch.as_tensor(a) @ torch.as_tensor(b).T

    def similarity_pairwise(self, a: Any, b: Any) -> torch.Tensor:
        return (torch.as_tensor(a) * torch.as_tensor(b)).sum(dim=-1)


def _suspicious(
    known: _Embedded,
    pairs: dict[int, tuple[str, list[str]]],
    pool: Sequence[str],
    judged: dict[int, set[str]],
    *,
    margin: float,
) -> dict[int, int]:
    """How many documents of `pool` that nobody judged score above each group's limit."""
    documents = known.documents[known.document_rows(pool)]
    names: dict[str, int] = {folded(text): row for row, text in enumerate(pool)}
    groups = list(pairs)
    counts: dict[int, int] = {}
    for part in blocks(len(groups), max(1, _SCORES // len(pool))):
        asked = groups[part]
        queries = known.queries[known.query_rows([pairs[group][0] for group in asked])]
        scores = queries @ documents.T
        for group, query, row in zip(asked, queries, scores, strict=True):
            anchor, positives = pairs[group]
            lowest = (known.documents[known.document_rows(positives)] @ query).min()
            own = [names[name] for name in {*map(folded, [anchor, *positives]), *judged[group]} if name in names]
            row[own] = -np.inf
            counts[group] = int((row > lowest - margin * abs(lowest)).sum())
    return counts
