"""Terms of the Steering page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "cosine-shift", "Cosine shift", "How far a push turns a vector.",
        "steering", "Steer", formula=r"1 - \cos(x, x'), \quad x' \propto x + \textstyle\sum_f \delta_f\, d_f",
        range="0 = nothing moved, 1 = at right angles, 2 = turned round.",
        baseline="A push of the same length in a random direction.",
        beware="Meaning: far is not the same as right.", labels=("Mean cosine shift",),
    ),
    Term(
        "side-effects", "Side effects", "Features besides the recipe's whose activation changed by a tenth or more of "
        "the largest change of a target.",
        "steering", "Steer", range="0 and up.", baseline="What a random push of the same length changes.",
    ),
    Term(
        "kept-of-the-first", "Kept of the first", "Texts among the first of both lists, before and after the push.",
        "steering", "Steer", range="0 to the length of the list.", labels=("Kept of the first *",),
    ),
    Term(
        "mean-rank", "Mean rank of its texts", "Where the texts on which the feature fires stand in the search, on "
        "average.",
        "steering", "Dose-response", formula=r"\frac{m + 1}{2} + (n - m)(1 - \mathrm{AUROC})",
        range="(m + 1) / 2, all of them on top, to n − (m − 1) / 2; lower is better.",
        baseline="(n + 1) / 2 by chance.",
        labels=("Mean rank of its *",),
    ),
    Term(
        "rise", "AUROC of its texts", "The chance that a text on which the feature fires rises by more ranks than a "
        "silent one when the feature is pushed.",
        "steering", "Dose-response", range="0 to 1.",
        baseline=".5 is chance; pushes of the same length along other features stand beside it.",
        source="Interval: DeLong et al. 1988.",
    ),
)  # fmt: skip
