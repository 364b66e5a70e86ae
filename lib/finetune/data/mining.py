"""Negatives of the training examples: those given first, then mined ones, then documents drawn at random.

A mined negative is a document that the query's words (BM25) or the encoder put near the query, and that is neither
relevant to it nor answers a query held out. Judgements are rarely complete: a document that nobody judged may be
relevant all the same. The encoder's miner therefore passes over those whose cosine lies within a margin of the
positive's, and tells how many; BM25 has no scale on which such a margin could be stated.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from lib.errors import InputError
from lib.finetune.data.embedding import Embed
from lib.finetune.data.examples import Examples, Mined, TrainingData, folded
from lib.finetune.data.splitting import paired_of
from lib.finetune.training.settings import TrainingSettings
from lib.numerals import count, counted, short_share
from lib.progress import Progress, Told

WITHOUT_NEGATIVE = "pairs for which no document is left as a negative"
"""Why a pair is left out."""
Ranked = dict[int, list[str]]
"""Documents found for each group, the hardest first; relevant ones may be among them."""


def add_negatives(
    data: TrainingData,
    settings: TrainingSettings,
    *,
    embed: Embed | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingData:
    """Give every training example equally many negatives, by `settings.negatives`.

    - none: none at all, given ones too.
    - given: those of the file, or up to `negatives_each` of the documents judged 0; nothing where none are given.
    - bm25, encoder: those given first, then the hardest documents, up to as many as the file's pairs bring along, else
      up to `negatives_each`. An example whose negatives are complete is left as it is.

    Where too few are found, the rest is drawn at random among the documents, which says what another pair of the
    batch would; an example for which no document is left is left out. Both are counted and told.

    Args:
        data: what `split` made.
        settings: negatives, negatives_each, false_negative_margin and seed are used.
        embed: how the encoder embeds; needed where it mines.
        progress: told queries done, and of how many, while BM25 mines.
        should_stop: asked while mining.

    Raises:
        InputError: no document can be a negative of any pair.
        Stopped: `should_stop` said so.
        ValueError: the encoder is to mine and `embed` is None.
    """
    train, method = data.train, settings.negatives
    width = _width(train, settings)
    incomplete = [width > 0 and len(row) != width for row in train.negatives]
    groups = np.unique(train.groups[incomplete]).tolist()
    found: Ranked = {}
    suspicious: dict[int, int] = {}
    if method == "bm25" and groups:
        from lib.finetune.data.mining_bm25 import mine_bm25

        found = mine_bm25(train, data.pool, groups, each=width, told=Told(progress, should_stop))
    elif method == "encoder" and groups:
        from lib.finetune.data.mining_encoder import mine_encoder

        if embed is None:
            raise ValueError("The encoder mines with its embeddings: give embed")
        margin = settings.false_negative_margin
        found, counted = mine_encoder(train, data.pool, groups, embed, each=width, margin=margin)
        needy = set(train.groups[[len(row) < width for row in train.negatives]].tolist())
        suspicious = {group: number for group, number in counted.items() if group in needy}
    return _filled(data, settings, width, found, suspicious)


def _width(train: Examples, settings: TrainingSettings) -> int:
    """Negatives of every example."""
    if settings.negatives == "none":
        return 0
    if settings.negatives == "given":
        return train.given or min(settings.negatives_each, train.width)
    return train.given or settings.negatives_each


def _filled(
    data: TrainingData, settings: TrainingSettings, width: int, found: Ranked, suspicious: dict[int, int]
) -> TrainingData:
    train, rng = data.train, np.random.default_rng(settings.seed)
    paired = paired_of(train)
    rows: list[tuple[str, ...]] = []
    numbers = {"given": 0, "mined": 0, "drawn": 0}
    for row, group in enumerate(train.groups.tolist()):
        ranked = found.get(group, [])
        given = _hardest_first(train.negatives[row], ranked)[:width]
        barred = {folded(train.anchors[row])} | paired.get(group, set())
        mined = _others(ranked, barred | {folded(text) for text in given})[: width - len(given)]
        own = [*given, *mined]
        drawn = _draw(data.pool, barred | {folded(text) for text in own}, width - len(own), rng)
        for what, texts in (("given", given), ("mined", mined), ("drawn", drawn)):
            numbers[what] += len(texts)
        rows.append((*own, *drawn))
    kept = np.array([place for place, row in enumerate(rows) if len(row) == width], dtype=np.int64)
    if len(train) and not len(kept):
        raise InputError(
            f"{data.name}: no document is left that could be a negative ({width} a pair), since all of them are "
            "positives of the same query or answer queries held out: give more documents, or train without negatives."
        )
    made = replace(train, negatives=tuple(rows)).select(kept)
    margin = settings.false_negative_margin if settings.negatives == "encoder" else None
    mined_how = Mined(
        method=settings.negatives,
        each=width,
        margin=margin,
        **numbers,
        suspicious=sum(suspicious.values()),
        suspicious_queries=sum(number > 0 for number in suspicious.values()),
        left_out=len(train) - len(kept),
    )
    left_out = {**data.left_out, WITHOUT_NEGATIVE: mined_how.left_out}
    return replace(
        data,
        train=made,
        mined=mined_how,
        counts={**data.counts, "examples": len(made), "queries": made.queries},
        left_out={reason: number for reason, number in left_out.items() if number},
        notices=(*data.notices, *_notices(mined_how)),
    )


def _hardest_first(given: tuple[str, ...], ranked: list[str]) -> list[str]:
    """`given` with those that were found first, in the order in which they were."""
    if not ranked:
        return list(given)
    place = {folded(text): at for at, text in enumerate(ranked)}
    return sorted(given, key=lambda text: place.get(folded(text), len(place)))


def _others(texts: Iterable[str], barred: set[str]) -> list[str]:
    return [text for text in texts if folded(text) not in barred]


def _draw(pool: tuple[str, ...], barred: set[str], wanted: int, rng: np.random.Generator) -> list[str]:
    """Up to `wanted` documents of `pool`, none of them barred, each equally likely."""
    if wanted < 1:
        return []
    at_most = min(len(pool), wanted + len(barred))  # no more than len(barred) of them are barred: pool has none twice
    drawn = (pool[at] for at in rng.choice(len(pool), at_most, replace=False)) if at_most else ()
    return _others(drawn, barred)[:wanted]


def _notices(mined: Mined) -> list[str]:
    said = []
    if mined.left_out:
        said.append(f"{counted(mined.left_out, 'pair')} left out, as no document is left to be their negative.")
    if mined.drawn:
        said.append(
            f"{count(mined.drawn)} of {count(mined.given + mined.mined + mined.drawn)} negatives are documents drawn "
            "at random, as too few were given or found."
        )
    if mined.suspicious:
        said.append(
            f"{count(mined.suspicious)} documents of {count(mined.suspicious_queries)} queries were not taken as "
            f"negatives: they may be relevant, since the encoder scores them above the positive less "
            f"{short_share(mined.margin or 0)} of its score."
        )
    return said
