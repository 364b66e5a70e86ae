"""Splitting: which queries are held out, so that nothing trained on answers them.

Queries of one text (but for case and white space) stay on one side, and so do queries that share a relevant document,
and whatever hangs together by them. A document that answers a query held out is neither a positive nor a negative in
training. Where nearly all queries hang together, so that no such split exists, they are told apart by their text
alone, and the notices say how many documents both sides share.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.data.building import as_queries, from_queries
from lib.finetune.data.examples import Examples, TrainingData, folded
from lib.numerals import count

NEGATIVES_OF_VALIDATION = "negatives that answer a query held out, or are one"
"""Why a negative is left out."""
NEGATIVES_RELEVANT = "negatives that are a positive of their own query, or stand twice"
"""Why a negative is left out."""
PAIRS_REVERSED = "pairs of a query held out and its answer, the other way round"
"""Why a pair is left out."""
PAIRS_OF_VALIDATION = "pairs that do not belong together, whose document answers a query held out"
"""Why a pair is left out."""
_LEAST_OF_TARGET = 0.5  # share of the queries wished for below which a split is no split


@dataclass(frozen=True)
class _Held:
    """Which queries are held out."""

    rows: NDArray[np.int64]
    """Their rows, ascending."""
    shared: bool
    """Whether both sides may share relevant documents."""
    notices: tuple[str, ...]
    """What there is to say of it."""


def split(source: QuerySet | Examples, *, share: float = 0.1, seed: int = 0) -> TrainingData:
    """Hold out `share` of the queries that have a relevant document, 0 to 0.5; 0 holds none out.

    Of the groups of queries that hang together, random ones are held out as long as they fit. The queries held out
    are asked over all documents, those of the training too.

    Raises:
        InputError: no relevant document, one query alone with a share above 0, or a share out of range.
    """
    if not 0 <= share <= 0.5:
        raise InputError(f"The share of the queries held out is from 0 to 0.5, got {share:g}.")
    examples = from_queries(source) if isinstance(source, QuerySet) else source
    queries = source if isinstance(source, QuerySet) else as_queries(source)
    if not len(examples) or not (queries.relevant > 0).any():
        raise InputError(f"{source.name}: there is no pair of texts that belong together, so nothing to train on.")
    held = _hold_out(queries, share, seed) if share else _Held(np.empty(0, dtype=np.int64), False, ())
    validation = None
    if len(held.rows):
        validation = replace(queries.select(held.rows), name=f"{queries.name}, held out")
    return _divide(examples, queries, validation, held, share, seed)


def _hold_out(queries: QuerySet, share: float, seed: int) -> _Held:
    eligible = np.flatnonzero(queries.relevant > 0)
    texts = [folded(queries.queries[row]) for row in eligible]
    _, by_text = np.unique(texts, return_inverse=True)
    together = _together(queries, eligible, texts)
    target = max(1, round(share * len(eligible)))
    rng = np.random.default_rng(seed)
    chosen = _fill(together, target, rng)
    sizes, text_sizes = np.bincount(together), np.bincount(by_text)
    if len(text_sizes) < 2:
        raise InputError(
            f"{queries.name}: all pairs are of one query, so none can be held out: give more queries, or hold out none."
        )
    if len(sizes) > 1 and chosen.sum() >= max(1, _LEAST_OF_TARGET * target):
        tied = int(sizes[sizes > 1].sum())
        said = (
            f"{count(tied)} of {count(len(eligible))} queries share a text or a relevant document with another: such "
            "queries stay on one side."
        )
        few = f"{count(int(chosen.sum()))} queries are held out rather than {count(target)}, as they hang together."
        notices = ((said,) if tied else ()) + ((few,) if chosen.sum() < target else ())
        return _Held(eligible[chosen], False, notices)
    chosen = _fill(by_text, target, rng)
    if not chosen.any():
        chosen = by_text == np.argmin(text_sizes)
    said = (
        f"{count(int(sizes.max()))} of {count(len(eligible))} queries hang together by relevant documents that they "
        "share, so queries are held out by their text alone."
    )
    return _Held(eligible[chosen], True, (said,))


def _together(queries: QuerySet, eligible: NDArray[np.int64], texts: list[str]) -> NDArray[np.int64]:
    """Number of the group of each eligible query: those that share a text, of a query or of a relevant document."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[str, int] = {}
    nodes = np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
    place = np.full(len(queries.queries), -1, dtype=np.int64)
    place[eligible] = nodes
    relevant = queries.relevance > 0
    names = {row: folded(queries.documents[row]) for row in np.unique(queries.judged_document[relevant]).tolist()}
    answers = np.array(
        [numbers.setdefault(names[row], len(numbers)) for row in queries.judged_document[relevant].tolist()],
        dtype=np.int64,
    )
    asked = place[queries.judged_query[relevant]]
    n = len(numbers)
    _, label = connected_components(coo_array((np.ones(len(asked)), (asked, answers)), shape=(n, n)), directed=False)
    _, groups = np.unique(label[nodes], return_inverse=True)
    return groups.astype(np.int64)


def _fill(groups: NDArray[np.int64], target: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which members are taken: groups in random order, each where it fits whole into what is left of `target`."""
    sizes = np.bincount(groups)
    taken, left = np.zeros(len(sizes), dtype=bool), target
    for group in rng.permutation(len(sizes)):
        if sizes[group] <= left:
            taken[group] = True
            left -= int(sizes[group])
        if not left:
            break
    return taken[groups]


def _divide(
    examples: Examples, queries: QuerySet, validation: QuerySet | None, held: _Held, share: float, seed: int
) -> TrainingData:
    asked = {folded(text) for text in validation.queries} if validation else set()
    barred = asked | (_answers(validation) if validation else set())
    anchors = [folded(text) for text in examples.anchors]
    own = np.array([text not in asked for text in anchors], dtype=bool)
    documents = [folded(text) for text in examples.positives]
    answer = np.array([text in barred for text in documents], dtype=bool)
    unrelated = own & answer & ~examples.related
    held_pairs = _pairs(validation) if validation else set()
    reversed_ = np.array([pair in held_pairs for pair in zip(documents, anchors, strict=True)], dtype=bool)
    kept = np.flatnonzero(own & ~unrelated & ~reversed_)
    if not len(kept) or not examples.related[kept].any():
        raise InputError(f"{examples.name}: no pair is left to train on beside the queries held out: give more pairs.")
    train, removed = _cleaned(examples.select(kept), barred)
    notices = [*examples.notices, *(note for note in queries.notices if note not in examples.notices), *held.notices]
    if held.shared:
        both = len({documents[row] for row in kept[answer[kept]].tolist()})
        notices.append(
            f"{count(both)} documents that answer queries held out are positives of training queries too: the "
            "validation is easier than new documents would be."
        )
    turned = int((own & reversed_ & ~unrelated).sum())
    left_out = {PAIRS_OF_VALIDATION: int(unrelated.sum()), PAIRS_REVERSED: turned, **removed}
    pool = _pool(queries.documents, barred)
    return TrainingData(
        name=examples.name,
        train=replace(train, notices=()),
        validation=validation,
        pool=pool,
        counts={
            "examples": len(train),
            "queries": train.queries,
            "validation_queries": len(held.rows),
            "documents": len(queries.documents),
            "pool": len(pool),
        },
        left_out={reason: number for reason, number in left_out.items() if number},
        share=share,
        seed=seed,
        notices=tuple(notices),
    )


def _answers(queries: QuerySet) -> set[str]:
    """The relevant documents, folded."""
    return {folded(queries.documents[row]) for row in np.unique(queries.judged_document[queries.relevance > 0])}


def _pairs(queries: QuerySet) -> set[tuple[str, str]]:
    """The queries with their relevant documents, folded."""
    rows = np.flatnonzero(queries.relevance > 0)
    asked, answers = queries.judged_query[rows].tolist(), queries.judged_document[rows].tolist()
    return {(folded(queries.queries[q]), folded(queries.documents[d])) for q, d in zip(asked, answers, strict=True)}


def _pool(documents: Iterable[str], barred: set[str]) -> tuple[str, ...]:
    """Documents that are not barred, the first of each text, blank ones left out."""
    first: dict[str, str] = {}
    for text in documents:
        first.setdefault(folded(text), text)
    return tuple(text for name, text in first.items() if name and name not in barred)


def _cleaned(examples: Examples, barred: set[str]) -> tuple[Examples, dict[str, int]]:
    """The examples without negatives that are barred, or relevant to their query; and how many those were."""
    positives = relevant_of(examples)
    cleaned, held_out, relevant = [], 0, 0
    for row, group in enumerate(examples.groups.tolist()):
        seen = positives.get(group, set()) | {folded(examples.anchors[row])}
        kept = []
        for text in examples.negatives[row]:
            name = folded(text)
            held_out += name in barred
            relevant += name not in barred and name in seen
            if name and name not in barred and name not in seen:
                kept.append(text)
            seen = seen | {name}
        cleaned.append(tuple(kept))
    return replace(examples, negatives=tuple(cleaned)), {
        NEGATIVES_OF_VALIDATION: held_out,
        NEGATIVES_RELEVANT: relevant,
    }


def relevant_of(examples: Examples) -> dict[int, set[str]]:
    """The positives of each group that belong to it, folded."""
    return paired_of(examples.select(np.flatnonzero(examples.related)))


def paired_of(examples: Examples) -> dict[int, set[str]]:
    """The documents that each group is paired with, folded: those with a low score, too."""
    found: dict[int, set[str]] = {}
    for group, positive in zip(examples.groups.tolist(), examples.positives, strict=True):
        found.setdefault(group, set()).add(folded(positive))
    return found
