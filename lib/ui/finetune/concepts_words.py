"""What the Concepts view says of its numbers."""

from lib.finetune.concepts import OFF_RULE, RULE, ConceptDiff, FeatureChange
from lib.ui.messages import count, counted, share

_FEW = 0.5
_MOST_FVU = 10.0

KINDS_MEAN = {
    "gained": "Fires on at least twice as many texts as with the base.",
    "lost": "Fires on half as many texts as with the base, or fewer.",
    "strengthened": "Its mean activation rose; it fires on less than twice as many texts.",
    "weakened": "Its mean activation fell; it fires on more than half as many texts.",
}


def headline(found: ConceptDiff) -> str:
    """How many features changed, beside what chance tells."""
    changed = len(found.changed)
    if not found.move:
        return "Both checkpoints give every text the same vector: no concept changed."
    if not changed:
        return f"None of the {counted(found.tested, 'feature')} that could be tested changed beyond chance."
    many = found.counts
    parts = [f"{count(many[kind])} {kind}" for kind in ("gained", "strengthened", "weakened", "lost") if many[kind]]
    return (
        f"{count(changed)} of {counted(found.tested, 'feature')} that could be tested changed beyond chance: "
        f"{', '.join(parts)}."
    )


def chance(found: ConceptDiff) -> str:
    """What by_chance means."""
    return (
        f"Features that would be told to have changed had every text moved as another one did, with a tossed sign: the "
        f"mean over {found.shuffles} such shuffles of {count(found.chance_texts)} texts."
    )


def rule(found: ConceptDiff) -> str:
    """By which rule a feature changed."""
    halves = (
        f" Changes agree between two random halves of the texts with a correlation of {found.replicated:.2f}."
        if found.replicated == found.replicated
        else ""
    )
    return f"{RULE}{halves}"


def fvu(value: float) -> str:
    """A fraction of variance unexplained; beyond 10 it says no more than that."""
    if value != value:
        return "—"
    return f"> {_MOST_FVU:.0f}" if value > _MOST_FVU else f"{value:.2f}"


def fit(found: ConceptDiff) -> str:
    """What FVU means here."""
    return (
        "Fraction of variance that the dictionary leaves unexplained, base → tuned: 0 is best, 1 as good as the mean "
        f"alone. {OFF_RULE}"
    )


def warning(found: ConceptDiff) -> str | None:
    """Where the features are to be read with care."""
    if found.off_ground:
        return (
            f"Read with care: the tuned vectors lie off the ground that this dictionary was trained on. It leaves "
            f"{fvu(found.fvu_tuned).replace('>', 'more than')} of their variance unexplained, "
            f"{fvu(found.fvu_base)} of the base's (0: none, 1: all). What it tells "
            "as lost may live on along directions that it has no feature for."
        )
    return None


def seen(found: ConceptDiff) -> str:
    """What share of the common move the features show."""
    return (
        "Share of the corpus's common move, the mean over texts, that the changes of features make up. What is left "
        "went along directions that the dictionary has no feature for."
    )


def notices(found: ConceptDiff) -> list[str]:
    """What was sampled, or is weak."""
    told = []
    if found.chance_texts < found.texts:
        told.append(
            f"Chance was drawn on a random {count(found.chance_texts)} of {count(found.texts)} texts; all else is "
            "exact."
        )
    if found.seen < _FEW:
        told.append(
            f"Features make up {share(max(found.seen, 0), 0)} of the common move: most of what the tuning did lies "
            "outside this dictionary."
        )
    return told


STRONGEST_READ = (
    "Amber: the texts express the feature more than with the base, violet: less; hatched: gained or lost. Lines: the "
    "95 % interval over texts. A feature is named by what fired it with the base; tuning may have given its direction "
    "another meaning, so read the texts below. A change says what the vectors hold, not whether retrieval needs it."
)
FREQUENCIES_READ = (
    "Each point is a feature: to the right it fired often with the base, further up it fires often now; on the dashed "
    "line nothing changed. Both axes are logarithmic. Stars gained, triangles strengthened or weakened, crosses lost; "
    "grey points did not change beyond chance. Near the lower left a feature fires on a handful of texts, where small "
    "steps look large."
)
TOPICS_READ = (
    "Change of the mean activation over the texts of each topic, amber more, violet less, on one scale. The test is "
    "over all texts: a cell by itself was not tested."
)


def of_feature(found: FeatureChange) -> str:
    """Texts on which it rose and fell."""
    return (
        f"Between the two checkpoints it rose on {counted(len(found.rose), 'text')} and fell on "
        f"{counted(len(found.fell), 'text')}."
    )
