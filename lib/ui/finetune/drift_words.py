"""What the Drift tab says of its numbers and pictures."""

import numpy as np

from lib.charts.finetune_drift import MOST_TOPICS
from lib.charts.layout import safe
from lib.corpora import Corpus, QuerySet
from lib.finetune.diff.centroids import CentroidShift
from lib.finetune.diff.drift import Drift
from lib.finetune.diff.projection import JointProjection
from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.finetune.diff.verdict import Verdict
from lib.ui.messages import count, counted, share

_MARKS = {"good": ":orange[▲]", "bad": ":violet[▼]", "neutral": ":gray[◆]"}
_DIRECTIONS = {
    "good": "Good drift: what changed is for the better.",
    "bad": "Bad drift: what changed is for the worse.",
    "neutral": "Neither good nor bad drift, as far as these texts and queries tell.",
}
LEGEND = (
    ":orange[▲] speaks for the change, :violet[▼] against it, :gray[◆] neither. Behind each question mark stands when "
    "it counts as a change."
)
"""The signs of the reasons."""


PLANES = ("shows the shift", "shows the topics")
"""Which of the two pictures is drawn, the first at the start."""
PLANE = (
    "No plane shows all of a space of hundreds of dimensions. shows the shift: one axis is the direction in which "
    "topics moved most, the other what else parts them. shows the topics: where topics stand apart best, which may "
    "show little of a small shift."
)
"""What the two pictures are."""
_AXES = {
    "shift": "one along the direction in which topics moved most, one along what else parts them",
    "topics": "those along which the texts and topics of both differ most",
}


def direction(verdict: Verdict) -> str:
    """What the direction of a verdict means."""
    if verdict.code.startswith("two spaces"):
        return "No drift in the strict sense: the two do not share the space in which something could have moved."
    return _DIRECTIONS[verdict.direction]


def mark(direction: str) -> str:
    """The sign of a direction in Markdown: a shape as well as a colour."""
    return _MARKS[direction]


def judged_by(corpus: Corpus, queries: QuerySet | None) -> str:
    """Which texts and queries stand behind the verdict."""
    texts = f"Judged on the {counted(len(corpus), 'text')} of {corpus.name}"
    if queries is None:
        return f"{texts}, without queries."
    asked = count(len(queries.queries))
    return f"{texts} and the {asked} queries of {queries.name}; other queries may say otherwise: choose them below."


def topic_names(shift: CentroidShift) -> list[str]:
    """Each topic as the picture names it: with the angle by which it moved."""
    return [
        f"{name} {angle:.0f}°" if angle >= 10 else f"{name} {angle:.1f}°" if np.isfinite(angle) else name
        for name, angle in zip(shift.names, shift.angle, strict=True)
    ]


def topic_hovers(space: SpaceDiff, picture: JointProjection) -> list[str]:
    """What a hover over a topic's centre tells, in safe HTML."""
    shift, spread = space.centroids, space.spread
    if shift is None:
        return []
    told = []
    for at, name in enumerate(shift.names):
        lines = [f"<b>{safe(name)}</b>, {counted(int(shift.counts[at]), 'text')}"]
        lines.append(f"moved by {angle(shift, at)}; distance {shift.distance[at]:.3f}")
        if spread is not None:
            lines.append(f"spread {spread.base[at]:.3f} to {spread.tuned[at]:.3f}")
        if np.isfinite(picture.shown[at]):
            lines.append(f"the picture shows {share(picture.shown[at], 0)} of its shift")
        told.append("<br>".join(lines))
    return told


def angle(shift: CentroidShift, at: int) -> str:
    """How far a topic's mean direction turned, with its interval."""
    if not np.isfinite(shift.angle[at]):
        return "–"
    low, high = shift.angle_interval[at]
    interval = f" ({low:.1f} to {high:.1f})" if np.isfinite(low) else ""
    return f"{shift.angle[at]:.1f}°{interval}"


def of_picture(picture: JointProjection, shift: CentroidShift) -> str:
    """How to read the picture of the shift."""
    told = (
        "Dashed circle: where a topic's texts stood with the base; solid: where they stand now; the arrow leads from "
        "centre to centre. A circle reaches as far as its texts scatter in the picture (root mean square). Both sides "
        f"lie on one pair of axes, {_AXES[picture.aim]}; their unit is the distance of unit vectors. "
    )
    if picture.shown_overall is None:
        return told + "No topic moved."
    told += (
        f"The picture shows {share(picture.shown_overall, 0)} of how far topics moved (squared lengths); the rest "
        "leads out of the plane. The angles beside the names are of the whole space. "
    )
    if len(picture.names) > MOST_TOPICS:
        told += (
            f"The {MOST_TOPICS} of {count(len(picture.names))} topics that moved most in the picture have circles, "
            "the others a grey arrow. "
        )
    turned = shift.whole_angle
    if np.isfinite(turned):
        told += (
            f"The mean of the corpus turned by {turned:.1f}°, which the topics have in common. How much of it all is a "
            "mere rotation, which no search sees, stands under Space."
        )
    return told


def without_picture(space: SpaceDiff) -> str:
    """Why there is no picture of the shift."""
    if not space.sharing.shared:
        return space.sharing.sentence
    return "These texts have no topics, so there is no centroid to follow: choose a label in the sidebar."


def of_scale(found: Drift) -> str:
    """How to read the ruler."""
    return (
        f"{found.reading} Hollow: known cases, measured on the packaged encoder and the sample; solid: this pair. 0 is "
        "no change at all, 1 as far as it goes. Drift says how much has changed, not whether that is good: the shape "
        "does (up better, down worse, a diamond neither)."
    )


def of_parts(found: Drift, ranks: RankDiff | None) -> str:
    """How to read the parts, and the rule of each."""
    rules = " ".join(f"{part.name.capitalize()}: {part.rule}" for part in found.parts)
    how = "A bar is as thick as its weight; behind it stands what was measured, with its 95 % interval."
    of = ""
    if ranks is not None:
        documents = counted(ranks.documents, "document")
        of = f" Ranks are those of {count(ranks.queries)} queries of the query set over its {documents}."
    return f"{found.rule} {how} {rules}{of}"


def of_topics(space: SpaceDiff) -> str:
    """How to read the table of topics."""
    kept = space.neighbours
    return (
        "Verdict: ▲ better, ▼ worse, ◆ neither, by its own rule. Brackets: 95 % intervals over texts. ▲ or ▼ behind a "
        "metric: more than luck (p < .05 in the paired test, after Holm's correction); p-values are in the file. "
        f"Spread: mean cosine distance of a text to its topic's centroid. Neighbours kept: of the {kept.k} texts "
        f"nearest to a text, the share that is still among them ({share(kept.chance)} by chance). A topic that drew "
        "together is no worse for it, as long as its queries find what they found."
    )
