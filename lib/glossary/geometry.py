"""Terms of the Geometry page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "trustworthiness", "Trustworthiness", "Whether neighbours on the map are neighbours in the full space.",
        "geometry", "Map",
        formula=r"1 - \frac{2}{n k (2n - 3k - 1)} \sum_i \sum_{j \in \hat N_k(i)} \max(0,\, r(i, j) - k)",
        range="0 to 1; 1 = every neighbour on the map is one by cosine.",
        baseline="About .5 for a random map.", source="Venna and Kaski 2001.",
        beware="How far groups lie apart: no map of two dimensions tells that truly.",
    ),
    Term(
        "projection", "Map (UMAP, t-SNE, PCA)", "A picture of the vectors in two or three dimensions. UMAP and t-SNE "
        "keep neighbours together and say nothing about distances between groups; PCA is a flat shadow.",
        "geometry", "Map",
        source="McInnes et al. 2018; van der Maaten and Hinton 2008.",
        beware="Sizes of groups and gaps between them on the map.",
    ),
    Term(
        "clusters", "Clusters", "Texts that lie together, found without labels: by density (HDBSCAN on a UMAP of five "
        "dimensions) or by dividing all texts (k-means).",
        "geometry", "Map", range="0 and up; a cluster is where to look, not a fact.",
        source="Campello et al. 2013; silhouette chooses the number for k-means.",
        beware="The clusters of another seed: where topics run into each other they differ.",
    ),
    Term(
        "far-from-any-cluster", "Far from any cluster", "Texts whose cosine distance to the nearest cluster's centroid "
        "is above a fence: candidates for what does not belong to the corpus.",
        "geometry", "Map",
        formula=r"1 - \max_c \cos(x, \mu_c) > \operatorname{med} + 2 \cdot 1.4826\, \mathrm{MAD}",
        range="0 to 100 % of the texts.", baseline="About 2 % of texts whose distances spread like a bell.",
    ),
    Term(
        "silhouette", "Silhouette", "Whether texts are nearer to their own label than to the next one; the mean over "
        "texts, by cosine distance, in the full space.",
        "geometry", "Labels", formula=r"s(i) = \frac{b_i - a_i}{\max(a_i, b_i)}",
        range="−1 (nearer to another label) to 1 (label far apart from all others); 0 = on the border.",
        baseline="0 where labels say nothing.", source="Rousseeuw 1987.",
        beware="Silhouettes on other labels or texts: many fine labels lower it.", labels=("Label silhouette",),
    ),
    Term(
        "purity", "Purity", "Share of a text's k nearest neighbours that carry its label.",
        "geometry", "Labels", range="0 to 100 %; 100 % = neighbours always share the label.",
        baseline="The share of that label in the corpus, which a random neighbour would give.",
        labels=("Label purity",), beware="Purity with another k, or on a corpus with other shares of labels.",
    ),
    Term(
        "anisotropy", "Anisotropy (mean cosine)", "Whether all vectors point the same way: the mean cosine over every "
        "pair of texts.",
        "geometry", "Anisotropy",
        formula=r"\frac{\lVert \sum_i u_i \rVert^2 - n}{n (n - 1)}, \quad u_i = x_i / \lVert x_i \rVert",
        range="−1 / (n − 1) to 1; 0 = spread over the whole sphere (isotropic), 1 = collapsed to one direction.",
        baseline="0 for directions drawn evenly, give or take 1 / √d for one pair.",
        source="Ethayarajh 2019, arXiv:1909.00512.",
        beware="Other corpora: a narrow topic raises it as surely as a collapsed model. A low one does not by itself "
        "mean good retrieval.",
        labels=("Mean cosine", "Anisotropy"),
    ),
    Term(
        "mean-centering", "After mean-centering", "The mean cosine once the mean vector is subtracted. Near 0 by "
        "construction: what tells is how far the histogram narrows.",
        "geometry", "Anisotropy", formula=r"u_i' = \frac{u_i - \bar u}{\lVert u_i - \bar u \rVert}",
        range="−1 / (n − 1) to 1.", baseline="0.",
    ),
    Term(
        "top-direction", "Top direction", "Share of the second moment in the strongest direction: how much one "
        "direction rules.",
        "geometry", "Anisotropy", formula=r"\lambda_1 / \textstyle\sum_j \lambda_j",
        range="1 / d (all directions alike) to 100 % (one direction holds everything).", baseline="1 / d.",
        source="Timkey and van Schijndel 2021, arXiv:2109.04404.",
    ),
    Term(
        "uniformity", "Uniformity", "How evenly the vectors cover the sphere.",
        "geometry", "Anisotropy", formula=r"\log \operatorname*{mean}_{x \ne y} e^{-2 \lVert u_x - u_y \rVert^2}",
        range="−8 to 0; lower is more even, 0 = all vectors are the same.",
        baseline="Near −4 for even directions in many dimensions; the exact value stands beside the number.",
        source="Wang and Isola 2020, arXiv:2005.10242.",
    ),
    Term(
        "alignment", "Alignment", "How close texts of one label lie together: mean squared distance.",
        "geometry", "Anisotropy", formula=r"\operatorname*{mean}_{\text{same label}} \lVert u_x - u_y \rVert^2",
        range="0 (all the same) to 4; lower is closer.", baseline="The same across labels.",
        source="Wang and Isola 2020, arXiv:2005.10242.",
    ),
    Term(
        "components-for-variance", "Components for 95 %", "How many principal components hold 95 % of the variance: a "
        "linear view of how many dimensions are used.",
        "geometry", "Dimension",
        formula=r"\min\{m : \textstyle\sum_{j \le m} \lambda_j \ge .95 \sum_j \lambda_j\}",
        range="0 (nothing varies) to d.", baseline="About .95 d for directions drawn evenly.",
        beware="Other corpora: it grows with their breadth and their number of texts.",
    ),
    Term(
        "participation-ratio", "Participation ratio", "The number of equally strong components that would spread the "
        "variance as evenly.",
        "geometry", "Dimension", formula=r"\frac{(\sum_j \lambda_j)^2}{\sum_j \lambda_j^2}",
        range="1 (one component) to d (all alike); 0 when nothing varies.",
    ),
    Term(
        "two-nn", "TwoNN", "Intrinsic dimension from the distances to the two nearest neighbours: in how many "
        "directions one can move near a text, however the space bends.",
        "geometry", "Dimension", formula=r"P(\mu > t) = t^{-m}, \quad \mu = r_2 / r_1",
        range="0 and up; needs ten different texts.", baseline="The d of the vectors is its ceiling in practice.",
        source="Facco et al. 2017, doi:10.1038/s41598-017-11873-y.",
        beware="Components for 95 %: a curved sheet has a TwoNN of 2, in however many components it bends.",
        labels=("Intrinsic dimension",),
    ),
    Term(
        "relative-contrast", "Relative contrast", "Whether the nearest text can still be told from the farthest.",
        "geometry", "Dimension", formula=r"\frac{D_{\max} - D_{\min}}{D_{\min}}",
        range="0 (all equally far) and up.", baseline="Gaussian noise of as many points and dimensions.",
        source="Beyer et al. 1999.",
    ),
    Term(
        "hubness", "Skewness (hubness)", "Whether a few texts turn up among everyone's neighbours: the skewness of the "
        "k-occurrence, which counts how many texts have a text among their k nearest.",
        "geometry", "Hubs", formula=r"\frac{\operatorname{mean}\,(N_k - \bar N_k)^3}{\sigma_{N_k}^3}",
        range="0 = even; above 1 = marked hubness.",
        baseline="What neighbours drawn at random would give; it stands beside the number.",
        source="Radovanović et al. 2010, JMLR 11.", beware="Another k.", labels=("Skewness",),
    ),
    Term(
        "antihubs", "Nobody's neighbour", "Share of texts that no other has among its k nearest: a search rarely finds "
        "them.",
        "geometry", "Hubs", range="0 to 100 %.", source="Radovanović et al. 2010, JMLR 11.",
    ),
    Term(
        "out-of-distribution-score", "Out-of-distribution score", "How far a text lies from what was shown to be "
        "normal: by distance to a centroid, to a label's centroid, to the k-th neighbour, or Mahalanobis. A text is "
        "left out of what judges it.",
        "geometry", "Outliers", range="Higher is further out; cosine distances lie in 0 to 2.",
        source="Sun et al. 2022, arXiv:2204.06507 (neighbour); Ledoit and Wolf 2004 (covariance).",
        beware="Scores of other rules, encoders or references; a quantile of the reference's own scores compares.",
        labels=("Threshold",),
    ),
    Term(
        "flagged", "Flagged", "Texts that score above the threshold that you set; on the overview, above the median "
        "plus two standard deviations of the scores.",
        "geometry", "Outliers", range="0 to all texts.",
        baseline="A threshold at the 95 % quantile flags 5 % of any corpus, a clean one too.",
        labels=("Far out",),
    ),
    Term(
        "fpr-at-95-recall", "FPR at 95 % recall", "Share of the texts that belong which are flagged by the threshold "
        "that catches 95 % of those that do not.",
        "geometry", "Outliers", range="0 to 100 %; lower is better.", baseline="95 % by guessing.",
        source="Hendrycks and Gimpel 2017, arXiv:1610.02136, have it the other way round.",
        beware="“FPR95” of most papers, where texts that belong are the positive class.",
    ),
)  # fmt: skip
