"""Terms of the Retrieval page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "ndcg", "NDCG@k", "How early the relevant documents stand among the first k: gains discounted by rank, against "
        "the best order there is.",
        "retrieval", "Quality",
        formula=r"\mathrm{NDCG@}k = \frac{\sum_{i \le k} g_i / \log_2 (i + 1)}"
        r"{\sum_{i \le k} g_i^{\ast} / \log_2 (i + 1)}",
        range="0 (none found) to 1 (the best order).", baseline="BM25 on the same queries; near 0 for a random order.",
        source="Järvelin and Kekäläinen 2002; equals trec_eval's.",
        beware="Other query sets, cut-offs k, or gains (linear g, or 2^g − 1).",
        labels=("NDCG@*", "NDCG@10 *", "NDCG@10, *", "Best mean", "Mean NDCG@*"),
    ),
    Term(
        "recall", "Recall@k", "Share of a query's relevant documents that are among the first k; mean over queries.",
        "retrieval", "Quality", formula=r"\frac{|\text{relevant} \cap \text{first } k|}{|\text{relevant}|}",
        range="0 to 1; 1 = all of them are found.", baseline="k / n for a random order of n documents.",
        beware="Hit rate@k, which many also call recall: the same only with one relevant document a query.",
        labels=("Recall@*",),
    ),
    Term(
        "hit-rate", "Hit rate@k", "Share of queries with any relevant document among the first k (success@k in "
        "trec_eval).",
        "retrieval", "Quality", range="0 to 1.", labels=("Hit rate@*",), beware="Recall@k.",
    ),
    Term(
        "precision", "Precision@k", "Share of the first k that is relevant; mean over queries.",
        "retrieval", "Quality", formula=r"\frac{|\text{relevant} \cap \text{first } k|}{k}",
        range="0 to 1; at most |relevant| / k.", labels=("Precision@*",),
    ),
    Term(
        "mrr", "MRR", "Mean over queries of 1 / rank of the first relevant document. MRR@k is 0 where it comes after "
        "k; MRR alone looks at the whole ranking.",
        "retrieval", "Quality", formula=r"\frac{1}{|Q|} \sum_q \frac{1}{\mathrm{rank}_q}",
        range="0 to 1; 1 = always first, .5 = typically second.", source="Voorhees 1999; MS MARCO reports MRR@10.",
        labels=("MRR@*",),
    ),
    Term(
        "map", "MAP", "Mean of the precision at the rank of each relevant document, over the whole ranking, then over "
        "queries.",
        "retrieval", "Quality",
        formula=r"\mathrm{AP} = \frac{1}{|R|} \sum_{d \in R} \mathrm{Precision@}\mathrm{rank}(d)",
        range="0 to 1.", source="Equals trec_eval's.", labels=("MAP@*",),
    ),
    Term(
        "rank-of-first", "Rank of the closest true document", "Where the first relevant document of a query stands; 1 "
        "means that the search begins with it.",
        "retrieval", "Quality", range="1 to n; lower is better.", baseline="(n + 1) / 2 on average for one at random.",
        labels=("Median rank", "At rank 1", "Within 10", "Beyond 100", "First relevant", "Rank", "Relevant in *"),
    ),
    Term(
        "hard-negative-gap", "Hard-negative gap", "Score of a query's best relevant document less that of the best one "
        "that is not. Below 0 the search puts a document first that is not relevant.",
        "retrieval", "Hard negatives",
        formula=r"\max_{d \in R} s(q, d) - \max_{d \notin R} s(q, d)",
        range="In units of the score; above 0 true documents lead.", baseline="0.",
        beware="Gaps under another similarity or encoder: scores have other scales.",
        labels=("Below 0", "Hard negative leads"),
    ),
    Term(
        "maybe-unlabelled", "Maybe unlabelled", "Negatives that nobody judged and that score above the true document: "
        "they may be true documents without a label.",
        "retrieval", "Hard negatives", range="0 to the number of queries.",
        baseline="Look at them before you call them failures; a cross-encoder gives a second opinion.",
        labels=("Cross-encoder agrees",),
    ),
    Term(
        "triplets", "Triplets", "Query, true document and negative, for training. A negative that scores nearly as "
        "high as the true document is marked as suspicious, and passed over if you ask for it.",
        "retrieval", "Hard negatives", range="0 and up.", labels=("Marked", "Pairs without", "Passed over", "Cleared"),
    ),
    Term(
        "bm25", "BM25", "Ranking by shared words, rare ones counting more: the line that an encoder has to beat.",
        "retrieval", "Comparison",
        formula=r"\sum_{t \in q} \mathrm{idf}(t)\, \frac{tf}{tf + k_1 (1 - b + b\, |d| / \overline{|d|})}",
        range="0 and up.", source="Robertson et al. 1994; variants after Kamphuis et al. 2020.",
    ),
    Term(
        "difference", "Ahead by", "Difference of the means of two systems on the same queries, compared query by "
        "query.",
        "retrieval", "Comparison", baseline="0; told where the whole 95 % interval lies on one side of it.",
    ),
    Term(
        "reranking-ceiling", "Ceiling", "NDCG@10 if the candidates stood in the best order: what lies beyond them no "
        "reranker can bring up.",
        "retrieval", "Reranking", range="0 to 1.",
    ),
    Term(
        "reranking-time", "Seconds a query", "Time to score one query's candidates on this machine, from the pairs "
        "scored so far.",
        "retrieval", "Reranking", range="0 and up.", beware="Other machines.",
    ),
    Term(
        "vector-size", "Bytes a document", "What one document's vectors take: dimensions times bytes a number, times "
        "tokens where every token keeps its vector.",
        "retrieval", "Sizes", formula=r"m \cdot b \;\; (b = 4,\, 2,\, 1,\, \tfrac{1}{8})",
        baseline="The whole vector in float32.",
        labels=("Whole vectors", "Smallest that keeps it"),
    ),
    Term(
        "matryoshka", "Dimensions (Matryoshka)", "Whether the first m dimensions are better than any m: the prefix of "
        "the vector against random subsets of as many.",
        "retrieval", "Sizes", source="Kusupati et al. 2022, arXiv:2205.13147.",
        baseline="Random subsets of as many dimensions.",
        beware="Training: vectors that a PCA ordered look the same.", labels=("Order of dimensions",),
    ),
    Term(
        "maxsim", "MaxSim", "Late interaction: each token of the query takes its best token of the document, and these "
        "are summed.",
        "retrieval", "Late interaction", formula=r"\sum_{i \in q} \max_{j \in d}\; q_i \cdot d_j",
        range="0 to the number of the query's tokens, about.", source="Khattab and Zaharia 2020, arXiv:2004.12832.",
        beware="Cosines of single vectors; divided by the tokens it has their scale.",
        labels=("MaxSim margin", "Margin a token", "Cosine margin"),
    ),
    Term(
        "prompt-shift", "Moved by the prompt", "Mean cosine of a text with its prompt to the same text without.",
        "retrieval", "Prompts", range="−1 to 1; 1 = the prompt moves nothing.", baseline="1.", labels=("* moved",),
    ),
    Term(
        "truncated-documents", "Documents cut", "Documents with more tokens than the encoder reads: the rest is "
        "dropped without a word.",
        "retrieval", "Chunks", range="0 to all documents.", labels=("Tokens lost", "Longest"),
    ),
    Term(
        "passages", "Passages (chunks)", "Pieces of a long document that are read one by one; the document then scores "
        "what its best passage scores.",
        "retrieval", "Chunks", source="Dai and Callan 2019, arXiv:1905.09217.", labels=("Cut answers",),
    ),
)  # fmt: skip
