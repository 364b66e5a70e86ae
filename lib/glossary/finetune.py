"""Terms of the Fine-tune Diff page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "drift", "Drift", "How far a fine-tune has moved the space: weighted mean of centroid shift, changed ranks and "
        "change of anisotropy, each scaled to 0 to 1. It tells how much, not whether for better.",
        "finetune_diff", "Drift", formula=r"\textstyle\sum_p w_p\, s_p, \quad \sum_p w_p = 1",
        range="0 (identical) to 1 (collapsed).", baseline="A scale of known cases, drawn beneath it.",
        source="A rule of this app, calibrated on known cases.",
        beware="Whether it was good: that is the verdict's, from tests on queries and topics.",
    ),
    Term(
        "centroid-shift", "Centroid shift", "Angle by which a topic's mean direction turned; mean over topics. 45° "
        "counts as 1.",
        "finetune_diff", "Drift", formula=r"\arccos \cos(\mu_t^{\text{base}}, \mu_t^{\text{tuned}})",
        range="0° to 180°; 90° shares nothing with the old direction.",
    ),
    Term(
        "separation", "Separation of topics", "Distance between topics over their width. Stretching the whole space "
        "does not change it.",
        "finetune_diff", "Space",
        formula=r"\frac{\mathrm{rms}_{s<t} \lVert \mu_s - \mu_t \rVert}{\sqrt{\operatorname{mean}_t (1 - \lVert "
        r"\mu_t \rVert^2)}}",
        range="0 and up; 1 = topics stand as far apart as their texts scatter.", labels=("Silhouette *",),
    ),
    Term(
        "neighbours-kept", "Neighbours kept", "Of the k texts nearest to a text before, how many are among its k "
        "nearest after: what a search can see of a fine-tune.",
        "finetune_diff", "Texts", formula=r"\frac{|N_k^{\text{base}} \cap N_k^{\text{tuned}}|}{k}",
        range="0 to 100 %; a rotation of the whole space keeps all.", baseline="k / (n − 1) by chance.",
        labels=("Kept them all", "Lost them all"),
    ),
    Term(
        "cosine-with-itself", "Cosine with itself", "Cosine of a text's vector before with its vector after.",
        "finetune_diff", "Texts", range="−1 to 1; 1 = it did not move.",
        beware="Quality: turning the whole space lowers it and changes no search.",
    ),
    Term(
        "rank-changes", "Changed ranks", "Queries whose closest true document stands further up (improved), further "
        "down (worse), or where it was.",
        "finetune_diff", "Ranks", range="0 to all queries.",
        baseline="As many up as down by luck; the metrics' paired tests weigh the steps.",
        beware="NDCG: a step from 80 to 79 counts here for as much as one from 2 to 1.",
        labels=("▲ Improved", "▼ Worse", "● Same rank", "Changed", "New in the first 10"),
    ),
    Term(
        "concept-change", "Gained, strengthened, weakened, lost", "What became of a feature of the base's dictionary. "
        "It changed where its mean activation did, by a tenth or more and beyond chance; gained: it fires on twice as "
        "many texts, lost: on half as many.",
        "finetune_diff", "Concepts", baseline="Shuffled moves of the same lengths.",
        source="Benjamini and Hochberg 1995, 5 % false discoveries.",
        beware="Concepts for which the dictionary has no feature.",
        labels=("▲ Gained", "▲ Strengthened", "▼ Weakened", "▼ Lost", "* Gained", "* Strengthened", "* Weakened",
                "* Lost", "By chance", "Became", "▲ More often", "▼ Less often"),
    ),
    Term(
        "move-shown", "Move shown", "How much of the move that all texts share the mean changes of the features make "
        "up.",
        "finetune_diff", "Concepts", formula=r"1 - \frac{\lVert c - \overline{\Delta a}\, W_{dec} \rVert^2}{\lVert c "
        r"\rVert^2}, \quad c = \overline{\Delta x}",
        range="0 (none of it) to 100 % (all).",
    ),
    Term(
        "known-concepts", "In both, only in one", "Features of two dictionaries, one for each checkpoint, that have a "
        "counterpart in the other, or none.",
        "finetune_diff", "Concepts", beware="Two trainings of one model share about half of their features.",
        labels=("In both", "Only in base", "Only in tuned", "Still known"),
    ),
    Term(
        "loss", "Loss", "What training makes smaller: here the surprise at the true partner of each text among the "
        "batch (InfoNCE and its kin).",
        "finetune_diff", "Monitor",
        formula=r"-\log \frac{e^{c(a_i, p_i) / \tau}}{\sum_j e^{c(a_i, p_j) / \tau}}",
        range="0 and up; ln(batch) for guessing.", source="van den Oord et al. 2018, arXiv:1807.03748.",
        beware="Losses of other kinds, batches, temperatures or negatives.",
    ),
    Term(
        "pair-gap", "Gap of pairs", "Mean cosine of texts that belong together less that of texts that do not.",
        "finetune_diff", "Monitor", range="−2 to 2; widening is healthy.",
        baseline="Where it began.", labels=("Positive pairs", "Negative pairs", "Gap"),
    ),
    Term(
        "step-time", "A step takes", "Seconds for one step of training, and the share of it that watching costs.",
        "finetune_diff", "Monitor", labels=("Monitor's share",), beware="Other machines.",
    ),
)  # fmt: skip
