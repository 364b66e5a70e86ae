"""What a dose-response says of a feature, by rules that stand beside it."""

import numpy as np
from numpy.typing import NDArray

from lib.sae.labels.scores import is_weak
from lib.sae.steering.steer import BAND

FEWEST = 5
"""Texts on which the feature fires, and silent ones, below which there is no verdict."""
PULLS, WEAK, NOT, FEW = "pulls in its texts", "no clearer than others", "does not pull in its texts", "too few texts"
RULE = (
    "It pulls in its texts where the whole 95 % interval of the AUROC lies above .5 and above the 95th percentile of "
    "the other features; it does not where the AUROC is no higher than the other features' median or than .5; in "
    f"between it is no clearer than others. With fewer than {FEWEST} texts of either kind there is no verdict."
)
LABEL_RULE = (
    "Two links: the label's words predict on which texts the feature fires (AUROC on texts held out, its 95 % interval "
    "above .5), and a push along the feature pulls those texts in. Both hold: yes. One is refuted: no. Else it is open."
)


def verdict(rise: tuple[float, float, float] | None, others: NDArray[np.floating]) -> str:
    """Whether a push pulls in the feature's texts, by `RULE`: its AUROC and interval, and the AUROCs of `others`."""
    if rise is None:
        return FEW
    value, lowest, _ = rise
    median, high = np.percentile(others, [50, BAND[1]]).tolist() if len(others) else (0.5, 0.5)
    if lowest > max(high, 0.5):
        return PULLS
    return NOT if value <= max(median, 0.5) else WEAK


def label_verdict(pulling: str, score: float, error: float) -> str:
    """Whether the feature encodes what its label says, by `LABEL_RULE`.

    `pulling` is the verdict of a dose-response, `score` the AUROC with which the label's words predict where the
    feature fires, on texts held out (NaN where nobody measured it), `error` its standard error.
    """
    if pulling == NOT:
        return "no: pushing it does not pull in the texts it fires on"
    if score == score and is_weak(score, error):
        return "no: its label does not predict where it fires"
    if pulling != PULLS:
        return f"open: {pulling}"
    return "yes, as far as both links go" if score == score else "open: its label has no score"
