"""Terms of the SAE Features page: one text, two texts, one feature, two dictionaries."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "sparse-autoencoder", "Sparse autoencoder (dictionary)", "A set of directions (features), few of which add up "
        "to an embedding. It belongs to one encoder: feature numbers mean nothing in another dictionary.",
        "sae_features",
        formula=r"a = \mathrm{rule}((x - b_{dec}) W_{enc} + b_{enc}), \quad \hat x = a W_{dec} + b_{dec}",
        source="Gao et al. 2024, arXiv:2406.04093 (TopK); Bussmann et al. 2024, arXiv:2412.06410 (BatchTopK); "
        "Rajamanoharan et al. 2024, arXiv:2407.14435 (JumpReLU).",
    ),
    Term(
        "activation", "Activation", "How strongly a feature fires on a text; 0 where it is silent.",
        "sae_features", "Decompose", formula="a_f", range="0 and up, in units of the embedding's length.",
        beware="Activations of other features: a common weak feature and a rare strong one are both usual.",
        labels=("Max activation", "Mean activation", "Activation of *"),
    ),
    Term(
        "active-features", "Active features", "Features with an activation above 0 on a text. With TopK every text has "
        "nearly the same number.",
        "sae_features", "Decompose", range="0 to the size of the dictionary; with TopK at most k.",
        labels=("Active a text", "Features that fire"),
    ),
    Term(
        "shares-of-a-vector", "Shares of features, bias and error", "How a vector's squared length divides: what its "
        "features' directions account for, what all texts have in common (bias), and what is in no feature (error).",
        "sae_features", "Decompose",
        formula=r"1 = \frac{\sum_f a_f\, d_f \cdot x}{x \cdot x} + \frac{b_{dec} \cdot x}{x \cdot x} + \frac{(x - \hat "
        r"x) \cdot x}{x \cdot x}",
        range="They sum to 100 %; a single part may lie below 0 or above 100 %.",
        labels=("Features' share", "Error's share", "Bias"),
    ),
    Term(
        "fvu", "FVU (fraction of variance unexplained)", "What the reconstructions lose. Read it with the share of "
        "silent features: either alone can be had cheaply.",
        "sae_features", "Train",
        formula=r"\mathrm{FVU} = \frac{\sum \lVert x - \hat x \rVert^2}{\sum \lVert x - \bar x \rVert^2}",
        range="0 = nothing is lost, 1 = no better than the mean; it can exceed 1.", baseline="1, the mean.",
        beware="FVU on other texts; that of one text, which is held against the decoder's bias.",
        labels=("FVU", "FVU of this text", "Held-out FVU", "FVU, training"),
    ),
    Term(
        "contributions-to-cosine", "Contributions to the cosine", "How the cosine of two texts divides: one part a "
        "feature, one of the bias, one of the errors, which add up to it exactly.",
        "sae_features", "Contrast",
        formula=r"\cos(x, y) = \frac{\sum_f a_f\, d_f \cdot y + b_{dec} \cdot y + e \cdot y}"
        r"{\lVert x \rVert\, \lVert y \rVert}",
        range="Parts of a number in −1 to 1.", labels=("By the error",),
    ),
    Term(
        "only-in-one", "Only in A, only in B, in both", "Features that fire on one of two texts, or on both, however "
        "strongly.",
        "sae_features", "Contrast", range="0 to the active features.",
        beware="Meaning: a feature may fire on both and strongly on one; the picture tells.",
        labels=("Only in A", "Only in B", "In both"),
    ),
    Term(
        "frequency", "Frequency", "Share of the texts on which a feature fires.",
        "sae_features", "Browser", range="0 (silent) to 100 % (always on).",
        baseline="k over the number of features, were all alike.",
        beware="Frequencies on other corpora.", labels=("Fires on", "Found"),
    ),
    Term(
        "label-score", "Label score", "How well the likeness of a feature's label to a text predicts whether the "
        "feature fires: AUROC over texts that the label was not made from.",
        "sae_features", "Browser", range="0 to 1.", baseline=".5 is chance; ◇ marks labels no better than chance.",
        source="Hanley and McNeil 1982 (standard error).",
        beware="Scores measured on another corpus, or on other near misses.",
        labels=("Its label's score",),
    ),
    Term(
        "lift", "Lift", "How many times as often a label turns up where the feature fires as in the corpus.",
        "sae_features", "Browser", formula=r"\frac{P(\text{label} \mid \text{fires})}{P(\text{label})}",
        range="0 to texts / texts of the label.", baseline="1 is chance.",
        source="Interval: Wilson 1927; p-value: Fisher's exact test.",
        beware="The lift of a label seen once: labels are ordered by the lower end of its interval.",
    ),
    Term(
        "stability", "Stability", "Cosine of a feature's direction with its match in a second training with another "
        "seed.",
        "sae_features", "Browser", range="−1 to 1; 1 = the same direction came back.",
        baseline="The largest cosine among random directions, far above 0 with many features.",
        source="Paulo and Belrose 2025, arXiv:2501.16615, call features shared above .7.",
    ),
    Term(
        "known-by-the-other", "Known", "Share of one model's activation in features that the other model knows: they "
        "have a counterpart there, or its vectors tell at least half as much of them as their own vectors do.",
        "sae_features", "Match", range="0 to 100 %; from 80 % interchangeable, below 50 % not.",
        baseline="What shuffled texts give; it stands beside it.",
        beware="An index: vectors of two models cannot be exchanged, whatever they both know.",
        labels=("*: known",),
    ),
    Term(
        "paired-features", "Paired features", "Features with a counterpart in the other dictionary, by the cosine of "
        "directions or the correlation of activations; as a share of the activation, or of the features.",
        "sae_features", "Match", range="0 to 100 %.",
        baseline="Two trainings of one dictionary from two seeds share about 30 to 60 %.",
        source="Paulo and Belrose 2025, arXiv:2501.16615; Bricken et al. 2023.",
        labels=("*: paired", "*: features"),
    ),
    Term(
        "alignment-r2", "Alignment R²", "How well one space is mapped onto the other, on texts held out.",
        "sae_features", "Match", formula=r"1 - \frac{\sum \lVert y - f(x) \rVert^2}{\sum \lVert y - \bar y \rVert^2}",
        range="Up to 1; 0 = no better than the mean.", source="Schoenemann 1966 (rotation).",
        beware="Pairs by correlation, which do not depend on it.",
    ),
)  # fmt: skip
