"""Two models, each with its dictionary, on one corpus: which features do both have, and what does only one know?

Features are paired by the cosine of their directions (within one space, or after an alignment) or by the correlation of
their activations over the corpus; one to one, or each with its best. Beside every similarity stands what chance gives
the best of all candidates: by correlation, the texts of one side shuffled against the other's; by cosine, directions
whose coordinates along the main axes are shuffled among features (one space), or an alignment fitted on shuffled texts
(two).

A feature without a counterpart is not missing for that: one dictionary splits what another holds together, and two
trainings share about half. So it is asked of every feature whether the other model's vectors tell it (`reading`), and
the verdict is on both.

References: Bricken et al. 2023, "Towards Monosemanticity" (correlated activations between two runs); Paulo and Belrose
2025, arXiv:2501.16615 (cosine of 0.7; two seeds share about 30 % of features).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.matching.alignment import Alignment
from lib.sae.matching.assignment import Method
from lib.sae.matching.decoder import SHARED, unit_directions
from lib.sae.matching.judging import by_label, of_both, side_of, tested
from lib.sae.matching.pairing import FEWEST, SHUFFLES, By, Model, PairedFeatures, Pairing, check_models, pair_features
from lib.sae.matching.reading import Reading, read_features
from lib.sae.matching.sides import RULE, LabelCoverage, Side, Verdict, verdict
from lib.sae.matching.similarity import Correlations, Cosines, Standardised

ALIGNED, CORRELATED = 0.5, 0.5
"""Cosine after an alignment, and correlation, from which two features count as the same, unless told: what the map
misses lowers every cosine, so that less is asked than the 0.7 within one space."""


def default_threshold(by: By, alignment: Alignment) -> float:
    """From where two features count as the same, unless told."""
    if by == "correlation":
        return CORRELATED
    return SHARED if alignment.map is None else ALIGNED


@dataclass(frozen=True, eq=False)
class ModelMatch(Result):
    """Two models on one corpus."""

    ours: Side
    """Our features against theirs."""
    theirs: Side
    """Their features against ours."""
    alignment: Alignment
    """How directions were brought into one space."""
    by: By
    """What features were paired by."""
    pairing: Pairing
    """"one-to-one": no feature stands for two, the sum of similarities is largest. "best": each with its nearest."""
    method: Method | None
    """How the one-to-one pairs were found; None with "best"."""
    threshold: float
    """Similarity from which two features count as the same."""
    fewest: int
    """Texts on which a feature fires at least for its correlation to count."""
    texts: int
    """Texts of the corpus."""
    labels: tuple[LabelCoverage, ...]
    """Coverage label by label, the least covered first; () where the corpus has none."""
    verdict: Verdict
    """Of the whole corpus, by `rule`."""
    rule: str
    """The rule, in words."""
    shuffles: int
    """Shuffles behind chance."""
    seed: int
    """Of the shuffles."""


def compare_models(
    ours: Model,
    theirs: Model,
    *,
    alignment: Alignment,
    by: By = "cosine",
    pairing: Pairing = "one-to-one",
    threshold: float | None = None,
    fewest: int = FEWEST,
    labels: Sequence[str | None] | None = None,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ModelMatch:
    """Pair the features of two models on one corpus, and say how much of each the other covers.

    Raises:
        InputError: not the same texts, directions of two widths that were not aligned, or settings out of range.
        Stopped: `should_stop` said so.
    """
    paired = pair_features(
        ours, theirs, alignment=alignment, by=by, pairing=pairing, fewest=fewest, shuffles=shuffles, seed=seed,
        progress=progress, should_stop=should_stop,
    )  # fmt: skip
    readings = [
        read_features(a.codes, (a.vectors, b.vectors), fewest=fewest, seed=seed, should_stop=should_stop)
        for a, b in ((ours, theirs), (theirs, ours))
    ]
    return judge_pairs(
        paired, ours, theirs, readings=(readings[0], readings[1]), alignment=alignment, threshold=threshold,
        labels=labels,
    )  # fmt: skip


def judge_pairs(
    paired: PairedFeatures,
    ours: Model,
    theirs: Model,
    *,
    readings: tuple[Reading, Reading],
    alignment: Alignment,
    threshold: float | None = None,
    labels: Sequence[str | None] | None = None,
) -> ModelMatch:
    """What follows from pairs: which are the same feature, and how much of each model the other covers.

    `readings` are of our features and of theirs, `alignment` is the one that they were paired with, `labels` are those
    of the texts, None where one has none.

    Raises:
        InputError: not the same texts, a threshold that is no similarity, labels that are not as many as the texts.
    """
    threshold = default_threshold(paired.by, alignment) if threshold is None else threshold
    check_models(ours, theirs, alignment)
    if not -1 <= threshold <= 1:
        raise InputError(f"A similarity lies between -1 and 1, got a threshold of {threshold:g}.")
    if labels is not None and len(labels) != len(ours.codes):
        raise InputError(f"Expected a label for each of the {len(ours.codes):,} texts, got {len(labels):,}.")
    cosines = Cosines(*alignment.apply(unit_directions(ours.sae), unit_directions(theirs.sae)))
    standard = [Standardised(side.codes, fewest=paired.fewest) for side in (ours, theirs)]
    correlations = Correlations(*standard)
    a = tested(
        ours, (paired.forward, paired.null), (standard[0], standard[1]), (cosines, correlations), paired.by, threshold
    )  # fmt: skip
    b = tested(
        theirs, (paired.backward, paired.null_back), (standard[1], standard[0]),
        (cosines.turned(), correlations.turned()), paired.by, threshold,
    )  # fmt: skip
    first = side_of(ours, a, of_both(a, b, paired.pairing), readings[0], threshold=threshold)
    second = side_of(theirs, b, of_both(b, a, paired.pairing), readings[1], threshold=threshold)
    return ModelMatch(
        ours=first,
        theirs=second,
        alignment=alignment,
        by=paired.by,
        pairing=paired.pairing,
        method=paired.method,
        threshold=float(threshold),
        fewest=paired.fewest,
        texts=len(ours.codes),
        labels=by_label(((ours, first), (theirs, second)), labels),
        verdict=verdict(first.known, second.known),
        rule=RULE,
        shuffles=len(paired.null),
        seed=paired.seed,
    )
