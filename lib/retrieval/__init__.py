"""How well an encoder retrieves, and why: search, metrics, hard negatives, reranking, late interaction, sizes."""

from lib.retrieval.bm25 import Bm25Index, bm25_search
from lib.retrieval.bootstrap import PairedTest, Summary, paired_test, summarise
from lib.retrieval.comparison import Comparison, System, compare
from lib.retrieval.evaluation import Evaluation, evaluate
from lib.retrieval.exports import query_table, run_from_scores, trec_qrels, trec_run
from lib.retrieval.metrics import Gain, QueryMetrics, query_metrics
from lib.retrieval.negatives import HardNegatives, hard_negatives
from lib.retrieval.pairs import judged_scores
from lib.retrieval.ranks import FirstRanks, first_ranks
from lib.retrieval.run import JudgedRanks, Run, judged_ranks
from lib.retrieval.search import Measure, exact_ranks, search
from lib.retrieval.triplets import Triplets, triplets

__all__ = [
    "Bm25Index",
    "Comparison",
    "Evaluation",
    "FirstRanks",
    "Gain",
    "HardNegatives",
    "JudgedRanks",
    "Measure",
    "PairedTest",
    "QueryMetrics",
    "Run",
    "Summary",
    "System",
    "Triplets",
    "bm25_search",
    "compare",
    "evaluate",
    "exact_ranks",
    "first_ranks",
    "hard_negatives",
    "judged_ranks",
    "judged_scores",
    "paired_test",
    "query_metrics",
    "query_table",
    "run_from_scores",
    "search",
    "summarise",
    "trec_qrels",
    "trec_run",
    "triplets",
]
