"""Terms of the Faithfulness view: what retrieval loses without a feature."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "drop", "Drop without a feature", "How much NDCG@k falls when a feature is taken out of all queries.",
        "diagnostics", "Faithfulness",
        formula=r"\operatorname*{mean}_q\; \mathrm{NDCG}(x) - \mathrm{NDCG}(x - a_f d_f)",
        range="−1 to 1; above 0 retrieval needs it.",
        baseline="As much taken out along other features, and along random directions.",
    ),
    Term(
        "faithfulness-verdict", "Essential, ordinary, harmful, redundant", "Essential: NDCG drops without it, and by "
        "more than every control. Ordinary: it drops no more than those. Harmful: it rises. Redundant: neither, within "
        "a narrow interval. The rule stands beside the number.",
        "diagnostics", "Faithfulness",
        source="Sign-flip test, 5 % false discoveries (Benjamini and Hochberg 1995).",
        labels=("Essential", "Ordinary", "Harmful", "Redundant", "Cannot be told"),
    ),
    Term(
        "reconstructions", "Of reconstructions", "NDCG@k with queries replaced by what their features add up to: what "
        "the dictionary's error changes by itself.",
        "diagnostics", "Faithfulness", range="0 to 1.", baseline="NDCG@k of the embeddings as they are.",
    ),
    Term(
        "first-tenth", "First 10 % keep", "Of what all features add to bias and error, the part that the first tenth "
        "of them keeps alone. The order is measured on other queries than those that judge it.",
        "diagnostics", "Faithfulness", range="0 to 100 %; from 90 % few features carry retrieval, below 50 % many.",
        baseline="The same by total activation, and in random order.",
    ),
    Term(
        "not-explained", "Not explained", "Fraction of variance that the base's dictionary leaves unexplained of the "
        "base's and of the tuned vectors.",
        "finetune_diff", "Concepts", range="0 is best, 1 = as good as the mean.", baseline="The base's own.",
    ),
)  # fmt: skip
