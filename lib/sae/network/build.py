"""Making a network: which features, which pairs, and what chance would have given."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.sae.coactivation import Pairs, Parts
from lib.sae.codes import Codes
from lib.sae.diagnostics.significance import log10_false_discovery
from lib.sae.network.chance import log10_chance
from lib.sae.network.communities import communities, participation
from lib.sae.network.graph import Measure, Network
from lib.sae.network.layout import positions
from lib.sae.network.settings import (
    DEFAULT_FEATURES,
    DEFAULT_MEASURE,
    Settings,
    check_chosen,
    settings_of,
)
from lib.sae.network.shuffled import null_counts
from lib.sae.network.sums import FeatureSums, correlations, feature_sums, measured, narrowed, npmi, pairs_of

_SLACK = 1e-12  # a share that equals the threshold passes, however it was rounded


def network(
    codes: Parts,
    *,
    most: int = DEFAULT_FEATURES,
    threshold: float | None = None,
    measure: Measure = DEFAULT_MEASURE,
    hide_everywhere: bool = True,
    everywhere: float = 0.5,
    chosen: Sequence[int] | None = None,
    most_edges: int = 3_000,
    false_discovery: float = 0.05,
    shuffles: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Network:
    """The features of the largest total activation on a corpus, and which of them fire on the same texts.

    Pairs that share two texts or more, and whose `measure` is `threshold` (the measure's own unless told) or more, are
    edges; with more than `most_edges` of them, the heaviest. Features on the share `everywhere` of the texts or more
    are left out with `hide_everywhere`. `chosen` names the features instead, and none of them is left out.

    An edge is `chance` where activations shuffled over the texts would often weigh as much (`lib.sae.network.chance`),
    over all pairs shown by Benjamini and Hochberg. Beside it `shuffles` networks are made of activations thrown over
    other texts, and the pairs counted that reach the same threshold. All measures are symmetric: an edge has no
    direction, and says nothing of cause. Counts are exact, over all texts.

    Raises:
        InputError: no codes, settings out of range, or fewer than two features to show.
        Stopped: `should_stop` said so.
    """
    asked = settings_of(
        most=most,
        measure=measure,
        threshold=threshold,
        hide_everywhere=hide_everywhere,
        everywhere=everywhere,
        most_edges=most_edges,
        false_discovery=false_discovery,
        shuffles=shuffles,
        seed=seed,
    )
    parts = _parts(codes)
    whole = feature_sums(parts)
    features, hidden = _features(whole, asked, chosen)
    small = [narrowed(part, features) for part in parts]
    sums = feature_sums(small)
    if should_stop is not None and should_stop():
        raise Stopped
    pairs = pairs_of(small)
    weight = measured(asked.measure, small, pairs, sums)
    passing = np.flatnonzero(weight >= asked.threshold - _SLACK)
    order = np.lexsort((pairs.b[passing], pairs.a[passing], -weight[passing]))
    kept = passing[order][: asked.most_edges]
    null = null_counts(
        small,
        sums,
        asked.measure,
        threshold=asked.threshold,
        shuffles=asked.shuffles,
        seed=asked.seed,
        progress=progress,
        should_stop=should_stop,
    )
    return _assembled(small, sums, pairs, (features, kept, weight, null, len(passing)), asked, (whole, hidden))


def _parts(codes: Parts) -> Sequence[Codes]:
    parts = [codes] if isinstance(codes, Codes) else codes
    if not sum(map(len, parts)):
        raise InputError("A network is counted over texts: this corpus has none.")
    widths = sorted({part.width for part in parts})
    if len(widths) > 1:
        raise InputError(f"These codes are of dictionaries of {' and '.join(f'{w:,}' for w in widths)} features.")
    return parts


def _features(
    sums: FeatureSums, asked: Settings, chosen: Sequence[int] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features to show, the largest total activation first, and those left out as they fire everywhere."""
    if chosen is not None:
        features = check_chosen(chosen, len(sums.count))
        return features[np.lexsort((features, -sums.total[features]))], np.empty(0, np.int64)
    fires = sums.count > 0
    often = fires & (sums.count >= asked.everywhere * sums.texts - _SLACK) & asked.hide_everywhere
    left = np.flatnonzero(fires & ~often)
    if len(left) < 2:
        told = (
            f"{int(often.sum()):,} are left out as they fire on {100 * asked.everywhere:g} % of the {sums.texts:,} "
            "texts or more: show them too, or choose a corpus of more texts."
            if often.any()
            else "choose a corpus of more texts."
        )
        raise InputError(f"A network needs two features that fire, and has {len(left)}: {told}")
    return left[np.lexsort((left, -sums.total[left]))][: asked.most], np.flatnonzero(often)


def _assembled(
    parts: Sequence[Codes],
    sums: FeatureSums,
    pairs: Pairs,
    found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], int],
    asked: Settings,
    of: tuple[FeatureSums, NDArray[np.int64]],
) -> Network:
    features, kept, every, null, passed = found
    weight = every[kept]
    whole, hidden = of
    edges, m, n = pairs.select(kept), len(features), sums.texts
    log10_p = log10_chance(asked.measure, pairs, every, sums)
    q_value = 10 ** log10_false_discovery(log10_p, m * (m - 1) // 2)[kept]
    chance = q_value > asked.false_discovery
    clusters, modularity = communities(edges.a, edges.b, weight, nodes=m, seed=asked.seed)
    active = int((whole.count > 0).sum())
    return Network(
        features=features.astype(np.int32),
        frequency=sums.count / n,
        mean_activation=sums.mean,
        everywhere=sums.count >= asked.everywhere * n - _SLACK,
        a=edges.a,
        b=edges.b,
        both=edges.both,
        weight=weight,
        co_frequency=edges.both / n,
        jaccard=edges.jaccard,
        lift=edges.lift,
        npmi=npmi(edges),
        correlation=weight if asked.measure == "correlation" else correlations(parts, edges, sums),
        expected=edges.count_a * edges.count_b / n,
        p_value=10 ** log10_p[kept],
        q_value=q_value,
        chance=chance,
        clusters=clusters,
        bridging=participation(edges.a, edges.b, weight, clusters=clusters),
        modularity=modularity,
        positions=positions(edges.a, edges.b, clusters=clusters, chance=chance, seed=asked.seed),
        measure=asked.measure,
        threshold=asked.threshold,
        passed=passed,
        most_edges=asked.most_edges,
        texts=n,
        active=active,
        hidden=len(hidden),
        everywhere_from=asked.everywhere,
        shown_of=active - len(hidden),
        looked_at=m * (m - 1) // 2,
        false_discovery=asked.false_discovery,
        shuffles=asked.shuffles,
        null_edges=float(null.mean()) if len(null) else float("nan"),
        null_edges_low=float(null.min()) if len(null) else float("nan"),
        null_edges_high=float(null.max()) if len(null) else float("nan"),
        seed=asked.seed,
    )
