"""What a report tells of hard negatives: are near misses told apart?"""

import numpy as np
from numpy.typing import NDArray

from lib.charts import retrieval_negatives as negative_charts
from lib.numerals import count, share
from lib.reports.material import Options, QuerySide
from lib.reports.report import Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.words import Quoting, decimal, number
from lib.retrieval import (
    Evaluation,
    HardNegatives,
)
from lib.retrieval.bootstrap import interval

_NEAR = "Are near misses told apart?"


def negatives_section(side: QuerySide, found: Evaluation, options: Options) -> Section:
    """By how much true documents lead, and where they do not; says why where no query has both sides."""
    result = found.negatives
    if result is None:
        why = "No query has both a relevant document and another one: add documents or judgements."
        numbers = tuple(
            number(name, label, None, needs=why)
            for name, label in (("hard_negatives.below", "A negative leads"), ("hard_negative_gap", "Mean gap"))
        )
        return Section("hard_negatives", _NEAR, why, numbers, missing=True, **again("hard_negatives", options))
    queries = side.queries
    quoting, drawn = Quoting(texts=options.texts), Quoting(texts=options.texts)
    shown = result.worst[:: -(-len(result.gap) // negative_charts.MOST_POINTS)]
    named = drawn.all("query", queries.queries, queries.query_ids, result.query[shown].tolist())
    texts = [""] * len(result.query)
    for place, text in zip(shown.tolist(), named, strict=True):
        texts[place] = text
    return Section(
        "hard_negatives",
        _NEAR,
        f"For {share(result.share_below)} of {count(len(result.gap))} queries a document that is not relevant scores "
        f"above the best one that is; the gap is {decimal(result.hard_negative_gap)} on average.",
        (
            number(
                "hard_negatives.below",
                "A negative leads",
                result.share_below,
                shown=share(result.share_below),
                interval=interval_of_share(result.gap < 0, options.seed),
                meaning="Share of the queries whose hardest negative scores above their best true document.",
            ),
            number(
                "hard_negative_gap",
                "Mean gap",
                result.hard_negative_gap,
                interval=(result.low, result.high),
                baseline="0 where negatives score as high",
                meaning="Score of the best true document minus that of the hardest negative.",
            ),
            number(
                "suspicious_negatives",
                "Perhaps unlabelled",
                int(result.suspicious.sum()),
                shown=count(int(result.suspicious.sum())),
                meaning="Negatives in the lead that nobody judged: they may be relevant.",
            ),
        ),
        (
            Picture("gaps", "Gap between true document and hardest negative",
                    negative_charts.gap_histogram(result, unit="cosine")),
            Picture("scores", "The two scores of each query",
                    negative_charts.scores_against(result, texts, unit="cosine"),
                    "Below the dashed line a negative leads.", frozenset(drawn.quoted)),
        ),
        (_smallest_gaps(side, result, quoting, options.listed),),
        **again("hard_negatives", options),
    )  # fmt: skip


def _smallest_gaps(side: QuerySide, result: HardNegatives, quoting: Quoting, listed: int) -> Table:
    queries = side.queries
    rows = tuple(
        (
            float(result.gap[i]),
            quoting.one("query", queries.queries, queries.query_ids, int(result.query[i])),
            quoting.one("document", queries.documents, queries.document_ids, int(result.positive[i])),
            quoting.one("document", queries.documents, queries.document_ids, int(result.negative[i])),
            bool(result.explicit[i]),
        )
        for i in result.worst[:listed]
    )
    columns = ("gap", "query", "best true document", "hardest negative", "judged")
    marked = tuple((*row[:4], "yes" if row[4] else "no") for row in rows)
    return Table("hard_negatives", columns, marked, "The smallest gaps first.", frozenset(quoting.quoted))


def interval_of_share(hits: NDArray[np.bool_], seed: int) -> tuple[float, float]:
    """95 % interval of the share of `hits`, shape (s,), over queries."""
    (low,), (high,) = interval(np.asarray(hits, dtype=np.float64)[:, None], seed=seed)
    return float(low), float(high)
