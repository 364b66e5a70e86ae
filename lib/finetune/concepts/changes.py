"""What did the fine-tune do to concepts? Two checkpoints through the base's dictionary, feature by feature.

Both sides are taken apart by one sparse autoencoder, so a feature is one direction in the space that both share. It
says nothing of what the dictionary has no feature for: how much of the moves its features make up, and whether the
tuned vectors still lie where it was trained, stand beside the counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.concepts import sums
from lib.finetune.concepts.chance import SHUFFLES, sampled_rows, shuffled_moves
from lib.finetune.concepts.paired import FEWEST_MOVED, differences, false_discovery, firing_p, sign_flip
from lib.finetune.concepts.results import ALPHA, KINDS, LEAST, TWICE, ConceptDiff, FeatureChange
from lib.progress import Progress, Told
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.evaluation import evaluate_sae

if TYPE_CHECKING:
    from scipy.sparse import csc_array


@dataclass(frozen=True, eq=False)
class ConceptSide:
    """One checkpoint's vectors of the corpus, and what the dictionary makes of them."""

    vectors: NDArray[np.floating]
    """Embeddings, shape (m, d)."""
    codes: Codes
    """Which features fire on each text."""

    def rows(self, rows: NDArray[np.int64]) -> "ConceptSide":
        """The same for the texts at `rows`."""
        return ConceptSide(self.vectors[rows], self.codes.select(rows))


def diff_concepts(
    sae: SparseAutoencoder,
    base: ConceptSide,
    tuned: ConceptSide,
    *,
    labels: Sequence[str | None] | None = None,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ConceptDiff:
    """Tell which features of `sae` were gained, lost, strengthened or weakened between two sides of the same texts.

    Identical sides give no change at all.

    Raises:
        InputError: no text, not the same texts on both sides, another width than the dictionary's, no shuffle, or
            labels that are not as many as the texts.
        Stopped: `should_stop` said so.
    """
    m = _check(sae, base, tuned, labels, shuffles)
    told = Told(progress, should_stop).out_of(shuffles + 2)
    told(0)
    generator = np.random.default_rng(seed)
    rows = sampled_rows(m, generator)
    some = base.rows(rows), tuned.rows(rows)
    drawn = []
    for number in range(shuffles):
        drawn.append(sae.encode(shuffled_moves(some[0].vectors, some[1].vectors, generator)))
        told(1 + number)
    moved = differences(base.codes, tuned.codes)
    counts = np.diff(moved.indptr).astype(np.int64)
    change = sums.means(tuned.codes) - sums.means(base.codes)
    p_value = _p_values(moved, change, some[1].codes, drawn)
    q_value = false_discovery(p_value)
    kind = _kinds(q_value, base.codes, tuned.codes)
    changed = np.flatnonzero(kind)
    changed = changed[np.lexsort((changed, -np.abs(change[changed])))]
    told(shuffles + 1)
    found = ConceptDiff(
        kind=kind,
        change=change,
        error=sums.standard_error(moved, change),
        moved=counts,
        p_value=p_value,
        q_value=q_value,
        changed=changed,
        by_chance=_false_alarms(some[0].codes, drawn),
        replicated=sums.replicated(moved, generator),
        texts=m,
        features=sae.features,
        tested=int(np.isfinite(p_value).sum()),
        shuffles=shuffles,
        chance_texts=len(rows),
        seed=seed,
        **_how_often(base.codes, tuned.codes),
        **_topics(base.codes, tuned.codes, labels, changed),
        **_fit(sae, base, tuned),
    )
    told(shuffles + 2)
    return found


def feature_change(
    base: Codes, tuned: Codes, feature: int, *, labels: Sequence[str | None] | None = None
) -> FeatureChange:
    """One feature text by text, and topic by topic.

    Raises:
        InputError: a feature that the dictionary does not have.
    """
    if not 0 <= feature < base.width:
        raise InputError(f"This dictionary has the features 0 to {base.width - 1:,}, got {feature}.")
    before, after = (np.zeros(len(base), dtype=np.float32) for _ in range(2))
    for codes, held in ((base, before), (tuned, after)):
        found, activations = codes.firing(feature)
        held[found] = activations
    change = after.astype(np.float64) - before
    order = np.argsort(-np.abs(change), kind="stable")
    names, groups = sums.grouped(labels, len(base))
    sizes = np.asarray(groups.sum(axis=0)).ravel()
    mean = change @ groups / np.maximum(sizes, 1)
    spread = np.maximum(change**2 @ groups - sizes * mean**2, 0) / np.maximum(sizes - 1, 1) / np.maximum(sizes, 1)
    return FeatureChange(
        feature=feature,
        base=before,
        tuned=after,
        rose=order[change[order] > 0],
        fell=order[change[order] < 0],
        topics=names,
        topic_texts=sizes.astype(np.int64),
        topic_fires_base=((before > 0) @ groups).astype(np.int64),
        topic_fires_tuned=((after > 0) @ groups).astype(np.int64),
        topic_change=np.asarray(mean),
        topic_error=np.where(sizes > 1, np.sqrt(spread), np.nan),
    )


def _check(
    sae: SparseAutoencoder, base: ConceptSide, tuned: ConceptSide, labels: Sequence[str | None] | None, shuffles: int
) -> int:
    """Number of texts, where everything fits together."""
    sae.check_width(base.vectors)
    if tuned.vectors.shape[1:] != base.vectors.shape[1:]:
        raise InputError(
            f"Concepts are told in one space: the base makes vectors of {base.vectors.shape[1]} dimensions, the tuned "
            f"checkpoint of {tuned.vectors.shape[1]}. Choose a checkpoint that was tuned from the base."
        )
    m = len(base.vectors)
    if not m or len({m, len(tuned.vectors), len(base.codes), len(tuned.codes)}) > 1:
        raise InputError(
            f"Two checkpoints are compared on the same texts, got {m:,} and {len(tuned.vectors):,}: give both one "
            "corpus."
        )
    if labels is not None and len(labels) != m:
        raise InputError(f"Expected a label for each of the {m:,} texts, got {len(labels):,}.")
    if shuffles < 1:
        raise InputError(f"Chance needs one shuffle at least, got {shuffles}.")
    return m


def _p_values(
    moved: "csc_array", change: NDArray[np.float64], tuned: Codes, drawn: Sequence[Codes], *, most: float = 1.0
) -> NDArray[np.float64]:
    """Of each feature's differences `moved`, whose means are `change`: against none, and against chance, the larger.

    Against chance it is twice the median over the shuffles, which holds whatever ties them (Meinshausen et al. 2009).
    Where that against none is above `most` already, the other is not asked for.
    """
    found = np.full(len(change), np.nan)
    tested = np.flatnonzero(np.diff(moved.indptr) >= FEWEST_MOVED)
    found[tested] = sign_flip(moved, tested)
    asked = tested[found[tested] <= most]
    against = []
    for one in drawn:
        beyond = differences(one, tuned)
        same = np.sign(np.asarray(beyond.sum(axis=0)).ravel()[asked]) == np.sign(change[asked])
        against.append(np.where(same, sign_flip(beyond, asked), 1.0))
    found[asked] = np.maximum(found[asked], np.minimum(1.0, 2 * np.median(np.stack(against), axis=0)))
    return found


def _kinds(q_value: NDArray[np.float64], base: Codes, tuned: Codes) -> NDArray[np.int64]:
    """Place in KINDS of every feature, by RULE."""
    mean_base, mean_tuned = sums.means(base), sums.means(tuned)
    change = mean_tuned - mean_base
    told = (np.nan_to_num(q_value, nan=1.0) <= ALPHA) & (np.abs(change) >= LEAST * np.maximum(mean_base, mean_tuned))
    before, after = sums.fires(base), sums.fires(tuned)
    up = np.where(after >= TWICE * before, KINDS.index("gained"), KINDS.index("strengthened"))
    down = np.where(TWICE * after <= before, KINDS.index("lost"), KINDS.index("weakened"))
    return np.where(told & (change > 0), up, np.where(told & (change < 0), down, 0)).astype(np.int64)


def _false_alarms(base: Codes, drawn: Sequence[Codes]) -> float:
    """Features that a shuffle would be told to have changed, the other shuffles being chance, on average."""
    if len(drawn) < 2:
        return float("nan")
    alarms = []
    for at, one in enumerate(drawn):
        moved = differences(base, one)
        others = [other for place, other in enumerate(drawn) if place != at]
        p_value = _p_values(moved, sums.means(one) - sums.means(base), one, others, most=ALPHA)
        alarms.append(np.count_nonzero(_kinds(false_discovery(p_value), base, one)))
    return float(np.mean(alarms))


def _how_often(base: Codes, tuned: Codes) -> dict[str, Any]:
    m, before, after = max(len(base), 1), sums.fires(base), sums.fires(tuned)
    both = sums.both_fire(base, tuned)
    return {
        "frequency_base": before / m,
        "frequency_tuned": after / m,
        "mean_base": sums.means(base),
        "mean_tuned": sums.means(tuned),
        "came": after - both,
        "went": before - both,
        "p_firing": firing_p(after - both, before - both),
    }


def _topics(
    base: Codes, tuned: Codes, labels: Sequence[str | None] | None, changed: NDArray[np.int64]
) -> dict[str, Any]:
    names, groups = sums.grouped(labels, len(base))
    return {
        "topics": names,
        "topic_texts": np.asarray(groups.sum(axis=0)).ravel().astype(np.int64),
        "topic_change": sums.topic_means(tuned, changed, groups) - sums.topic_means(base, changed, groups),
        "topic_base": sums.topic_shares(base, changed, groups),
        "topic_tuned": sums.topic_shares(tuned, changed, groups),
    }


def _fit(sae: SparseAutoencoder, base: ConceptSide, tuned: ConceptSide) -> dict[str, Any]:
    before, after = (evaluate_sae(sae, side.vectors, codes=side.codes) for side in (base, tuned))
    move, seen = sums.moves(sae, (base.vectors, tuned.vectors), sums.means(tuned.codes) - sums.means(base.codes))
    return {
        "fvu_base": before.fvu,
        "fvu_tuned": after.fvu,
        "active_base": before.mean_active,
        "active_tuned": after.mean_active,
        "move": move,
        "seen": seen,
    }
