"""Which features carry retrieval: each taken out of the queries, all of them in turn, and one score taken apart."""

from lib.sae.faithfulness.case import LINEAR, case_of
from lib.sae.faithfulness.curves import cumulative_curves
from lib.sae.faithfulness.effects import faithfulness
from lib.sae.faithfulness.moved import Moved, moved
from lib.sae.faithfulness.ranks import ranks_of
from lib.sae.faithfulness.result import Curves, Faithfulness
from lib.sae.faithfulness.variants import Variants, without_each
from lib.sae.faithfulness.verdicts import MEANINGS, VERDICTS
from lib.sae.faithfulness.why import Why, why

__all__ = [
    "LINEAR",
    "MEANINGS",
    "VERDICTS",
    "Curves",
    "Faithfulness",
    "Moved",
    "Variants",
    "Why",
    "case_of",
    "cumulative_curves",
    "faithfulness",
    "moved",
    "ranks_of",
    "why",
    "without_each",
]
