"""Words that every page uses."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "embedding", "Embedding", "The list of numbers (vector) that an encoder gives a text. Texts that mean alike "
        "should get vectors that point alike; nothing else is promised of them.",
        "overview", range="d numbers; often scaled to length 1, so that only the direction counts.",
        beware="Vectors of two encoders share no axes: a cosine across encoders means nothing.",
    ),
    Term(
        "counts", "Texts, queries", "How many stand behind the numbers beside it. Few of them make every number "
        "unsure: look at its interval.",
        "overview", range="0 and up.", labels=("Texts", "Queries"),
    ),
    Term(
        "encoder", "Encoder", "The model that turns a text into a vector. Here: a checkpoint with its pooling, its "
        "prompts and its precision; change any of them and it is another encoder.",
        "overview", beware="A checkpoint's name: its fingerprint, a hash of its files, tells encoders apart.",
    ),
    Term(
        "cosine-similarity", "Cosine similarity", "How much two vectors point the same way, whatever their lengths.",
        "overview", formula=r"\cos(x, y) = \frac{x \cdot y}{\lVert x\rVert\,\lVert y\rVert}",
        range="−1 (opposite) to 1 (the same direction); 0 is a right angle.",
        baseline="The mean cosine of two texts of the corpus, which is often far above 0: see anisotropy.",
        beware="Cosines of other encoders: each has its own scale.", labels=("Cosine", "cosine"),
    ),
    Term(
        "confidence-interval", "95 % interval", "How far a number could have moved had other texts or queries of the "
        "same kind been drawn. Intervals over queries are bootstrapped (bias-corrected and accelerated).",
        "overview", baseline="A difference counts as told where its whole interval lies on one side of 0.",
        source="Efron 1987 (BCa); Wilson 1927 for shares.",
        beware="It covers the choice of texts or queries alone, not that of judgements, topics or encoders.",
    ),
    Term(
        "p-value", "p-value", "Share of random swaps of the two systems' results, query by query, that give a "
        "difference at least as large as the one seen. Where several pairs are compared it is corrected after Holm.",
        "retrieval", "Comparison", formula=r"p = P\left(|\bar d^{\,\pm}| \ge |\bar d|\right)",
        range="0 to 1; below .05 luck is an unlikely reason.",
        source="Paired randomisation test: Smucker, Allan and Carterette 2007; Holm 1979.",
        beware="The size of a difference: with many queries a tiny one has a small p.",
    ),
    Term(
        "false-discovery-rate", "False discovery rate", "Among all that is told to be more than chance, the share that "
        "is chance after all. Here it is held at 5 %.",
        "diagnostics", formula=r"q_{(i)} = \min_{j \ge i} \frac{m\,p_{(j)}}{j}",
        range="0 to 1.", source="Benjamini and Hochberg 1995.",
    ),
    Term(
        "auroc", "AUROC", "The chance that a case of one kind scores higher than one of the other; ties count half.",
        "geometry", "Outliers",
        formula=r"\mathrm{AUROC} = P(s^+ > s^-) + \tfrac{1}{2} P(s^+ = s^-)",
        range="0 to 1; 1 tells them apart without a fault, 0 has every pair the wrong way round.",
        baseline=".5 is guessing.", source="Interval: DeLong 1988; Hanley and McNeil 1982.",
        beware="AUROCs of other texts: what is easy to tell apart depends on what the two kinds are.",
    ),
    Term(
        "seed", "Seed", "The number that random draws start from. The same seed, texts and encoder give the same "
        "picture; try another one to see what of a picture is luck.",
        "overview", range="0 and up.",
    ),
)  # fmt: skip
