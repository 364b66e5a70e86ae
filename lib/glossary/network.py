"""Terms of the Network page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "co-activation-network", "Network: features and edges", "Features as nodes; an edge joins two that fire on the "
        "same texts, where its weight reaches the threshold.",
        "network", range="0 to all pairs.", baseline="Edges by chance.",
        labels=("Features", "Edges", "Neighbours"),
    ),
    Term(
        "edge-weight", "Weight of an edge", "What an edge measures: share of texts with both (frequency), with "
        "either (Jaccard), times as often as independent features (lift), the same normalised (NPMI), or the "
        "correlation of activations.",
        "network",
        formula=r"J = \frac{n_{ab}}{n_a + n_b - n_{ab}}, \quad \mathrm{lift} = \frac{n\, n_{ab}}{n_a n_b}, \quad "
        r"\mathrm{NPMI} = \frac{\ln \mathrm{lift}}{-\ln (n_{ab} / n)}",
        range="Frequency and Jaccard 0 to 1; lift 0 and up; NPMI and correlation −1 to 1.",
        baseline="Chance: lift 1, NPMI 0, correlation 0.",
    ),
    Term(
        "edges-by-chance", "Edges by chance", "Pairs that reach the threshold where each feature's activations are "
        "shuffled over the texts: hold the number of edges against it.",
        "network", range="0 and up.", source="Mean over shuffled networks.",
    ),
    Term(
        "beyond-chance", "Beyond chance", "Edges drawn that are heavier than chance gives, with 5 % false discoveries "
        "over all pairs shown. The others are dashed.",
        "network", range="0 to 100 % of the edges.",
        source="Hypergeometric law; Mielke and Berry 2007 for correlations; Benjamini and Hochberg 1995.",
    ),
    Term(
        "communities", "Clusters of features", "Groups of features with more edges among them than at random.",
        "network", formula=r"Q = \frac{1}{2m} \sum_{ij} \left(w_{ij} - \frac{k_i k_j}{2m}\right) [c_i = c_j]",
        range="Modularity Q: at most 1; 0 is no more than at random.", baseline="Above about .3 is marked.",
        source="Louvain: Blondel et al. 2008.", labels=("Clusters", "Cluster"),
    ),
    Term(
        "bridging", "Bridging", "Participation coefficient: whether a feature's edges stay within one cluster or reach "
        "into many.",
        "network", formula=r"1 - \sum_c (k_c / k)^2", range="0 (one cluster) to near 1 (evenly into many).",
        source="Guimerà and Amaral 2005.",
    ),
)  # fmt: skip
