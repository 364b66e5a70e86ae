"""Terms of the Diagnostics page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "absorption", "Absorption", "A pair of features of which one (the absorber) hardly ever fires without the "
        "other (the absorbed): on its texts the other tells nothing new.",
        "diagnostics", "Absorption",
        formula=r"P(\text{absorbed} \mid \text{absorber}) = \frac{n_{\text{both}}}{n_{\text{absorber}}}",
        range="0 to 1; pairs are flagged from a threshold that you set.",
        baseline="How often the absorbed feature fires anyway.",
        beware="Absorption as Chanin et al. 2024, arXiv:2409.14507, mean it: see its rate, by labels.",
        labels=("Pairs flagged", "One concept twice", "Chance could be", "Features compared", "Set apart"),
    ),
    Term(
        "absorption-rate", "Absorption rate", "Of a label's texts that a probe knows: those on which the label's own "
        "features stay silent and another feature has taken their place.",
        "diagnostics", "Absorption", range="0 to 1; 0 is best.",
        source="Chanin et al. 2024, arXiv:2409.14507; Karvonen et al. 2025, arXiv:2503.09532.",
    ),
    Term(
        "semantic-variance", "Semantic variance", "How far a feature's strongest examples lie apart: mean cosine "
        "distance of two of them.",
        "diagnostics", "Polysemy",
        formula=r"1 - \frac{\lVert \sum_i u_i \rVert^2 - k}{k (k - 1)}",
        range="0 = one text over and over; up to about 1.",
        baseline="Random texts of the same corpus: the random variance.",
        beware="Other corpora or encoders; percentiles compare, with care.",
        labels=("Random variance", "No tighter than chance"),
    ),
    Term(
        "senses", "Several senses", "Features whose examples fall into two or more groups that lie as far apart as "
        "random texts.",
        "diagnostics", "Polysemy", range="0 to 100 %.",
        baseline="Share of random draws of as many texts that show several senses.",
        source="Average linkage; a silhouette above .25 (Kaufman and Rousseeuw 1990).",
        labels=("Several, by chance", "Measured"),
    ),
    Term(
        "always-on", "Always on", "Features that fire on more than half of the texts: they tell texts apart no better "
        "than a constant.",
        "diagnostics", "Health", range="0 to the size of the dictionary.",
    ),
    Term(
        "duplicates", "Duplicates", "Pairs of features whose directions have a cosine of .95 or more: one concept "
        "stored twice.",
        "diagnostics", "Health", range="0 and up; 0 is best.", baseline="0: random directions come nowhere near.",
    ),
    Term(
        "encoder-decoder-alignment", "Alignment of a feature", "Cosine of what a feature reads (its encoder direction) "
        "with what it writes (its decoder direction).",
        "diagnostics", "Health", range="−1 to 1; 1 = it writes what it reads.",
    ),
)  # fmt: skip
