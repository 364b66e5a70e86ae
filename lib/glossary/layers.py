"""Terms of the Layers page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "linear-cka", "Linear CKA", "Whether two depths, or two checkpoints, lay the same texts out alike but for "
        "rotation and scale.",
        "layers", "Build-up",
        formula=r"\frac{\lVert X^\top Y \rVert_F^2}{\lVert X^\top X \rVert_F\, \lVert Y^\top Y \rVert_F}",
        range="0 (nothing in common) to 1 (alike).",
        baseline="Its mean over all ways of pairing the texts, far above 0 with few texts; drawn beside it.",
        source="Kornblith et al. 2019, arXiv:1905.00414; without bias: Nguyen et al. 2021, arXiv:2010.15327.",
        beware="The unbiased CKA of Fine-tune Diff, which is 0 on average for unrelated layouts.",
        labels=("Output", "Same layout (CKA)"),
    ),
    Term(
        "settles", "Settles", "First depth from which on the states lay the texts out as the output does: CKA and "
        "shared neighbours stay above two thresholds that you set.",
        "layers", "Build-up", range="A depth, from embedding to the last layer; nowhere, if none does.",
    ),
    Term(
        "most-changes", "Most changes", "The step from one layer to the next whose states agree least.",
        "layers", "Build-up", formula=r"\max_\ell\; 1 - \mathrm{CKA}(X_{\ell-1}, X_\ell)", range="0 to 1.",
    ),
    Term(
        "collapse", "Collapse", "First depth of the last run of depths whose mean cosine is at or above a threshold: "
        "from there on all texts point much the same way.",
        "layers", "Build-up", range="A depth, or none.",
        beware="A narrow cone on the way: layers that recover from one do no harm by it.",
    ),
    Term(
        "attention-entropy", "Entropy of attention", "How narrowly a head looks: the mean over tokens of the entropy "
        "of their attention, over the largest it could have.",
        "layers", "Heads", formula=r"\frac{-\sum_j p_{ij} \ln p_{ij}}{\ln n_i}",
        range="0 (one token takes all) to 1 (every token gets the same).",
        beware="A head's importance: one that looks at one token only may do so for good reason.",
        labels=("Mean entropy", "Entropy"),
    ),
    Term(
        "flagged-heads", "Flagged heads", "Heads whose entropy is very low (collapsed: one token takes all) or very "
        "high (near uniform: no token is told from another). A flag is a question, not a verdict.",
        "layers", "Heads", range="0 to all heads; thresholds .10 and .95 at the start.",
        labels=("Collapsed", "Near uniform", "Heads flagged"),
    ),
    Term(
        "share-of-output", "Share of output", "Length of what a head adds to a token, over the length of what all "
        "heads of its layer add together. Heads below 5 % add little.",
        "layers", "Heads", range="0 and up; heads that point apart add up to more than 100 %.",
        baseline="The layer's median.", labels=("Add little",),
    ),
    Term(
        "attention-target", "Where a head looks", "Mean attention to one kind of place: first token, separator, the "
        "token itself, the one before, the one after.",
        "layers", "Heads", range="0 to 100 %.", baseline="1 / n for a text of n tokens.", labels=("To *",),
    ),
)  # fmt: skip
