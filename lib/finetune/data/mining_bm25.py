"""BM25 as a miner: the documents that share the most with a query's words."""

from collections.abc import Sequence

from lib.finetune.data.examples import Examples
from lib.finetune.data.splitting import paired_of
from lib.progress import Progress, Told
from lib.retrieval.bm25 import Bm25Index

_SPARE = 2  # documents beyond those that are paired with a query: its own text, and one more
_BLOCK = 256  # queries between two questions whether to stop


def mine_bm25(
    train: Examples, pool: Sequence[str], groups: Sequence[int], *, each: int, told: Told | None = None
) -> dict[int, list[str]]:
    """For each of `groups` documents of `pool`, best first, relevant ones too; fewer where fewer share a word.

    They are deep enough to hold `each` that are neither paired with the query nor its own text.
    """
    if not pool:
        return {}
    paired = paired_of(train)
    asked = _first_anchors(train, groups)
    indexed: Progress | None = None if told is None else lambda _done, _of: told(0, len(asked))
    index = Bm25Index(pool, progress=indexed)
    deepest = max((len(paired.get(group, ())) for group in asked), default=0)
    found: dict[int, list[str]] = {}
    numbers, texts = list(asked), list(asked.values())
    for start in range(0, len(texts), _BLOCK):
        run = index.search(texts[start : start + _BLOCK], each + deepest + _SPARE)
        for group, rows in zip(numbers[start : start + _BLOCK], run.documents, strict=True):
            found[group] = [pool[row] for row in rows.tolist() if row >= 0]
        if told is not None:
            told(min(start + _BLOCK, len(texts)), len(texts))
    return found


def _first_anchors(train: Examples, groups: Sequence[int]) -> dict[int, str]:
    """The first anchor of each of `groups`."""
    wanted = set(groups)
    first: dict[int, str] = {}
    for group, anchor in zip(train.groups.tolist(), train.anchors, strict=True):
        if group in wanted:
            first.setdefault(group, anchor)
    return first
