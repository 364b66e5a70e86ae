"""How the faithfulness figures read."""

import numpy as np

from lib.numerals import minus
from lib.sae.faithfulness import Curves, Faithfulness
from lib.sae.faithfulness.curves import HALF, MOST
from lib.sae.faithfulness.significance import ALPHA, FEWEST_CHANGED
from lib.sae.faithfulness.verdicts import FEWEST_FIRES
from lib.ui.messages import count, counted, share

_AMOUNT = {"few": "few features", "many": "many features", "between": "neither few features nor all of them"}


def together(found: Curves) -> str:
    """What the curves say, in a sentence."""
    if found.verdict == "none":
        return (
            f"**Together: these queries cannot tell.** Without any feature, by bias and error alone, NDCG@{found.k} is "
            f"{found.floor:.3f}, with all of them {found.whole:.3f}: no more apart than other queries could undo."
        )
    by_drop = found.won_back >= found.won_by_activation
    best = max(found.won_back, found.won_by_activation)
    kept = (found.kept if by_drop else found.kept_by_activation)[np.flatnonzero(found.steps == found.few)[0]]
    which = "with the largest drops" if by_drop else f"that fire most ({share(found.few_activation, 0)} of activation)"
    return (
        f"**Together: carried by {_AMOUNT[found.verdict]}.** Queries made of the {count(found.few)} of "
        f"{count(found.features)} {which} reach NDCG@{found.k} {kept:.3f} of {found.whole:.3f}: {share(best, 0)} "
        f"({share(found.won_low, 0)} to {share(found.won_high, 0)}) of what all features add to bias and error. "
        f"As many at random: {share(found.won_at_random, 0)}.{_doubt(found)}"
    )


def _doubt(found: Curves) -> str:
    """Whether other queries could well give another verdict."""
    if _amount(found.won_low) == _amount(found.won_high):
        return ""
    return " Other queries like these could give another verdict: the interval crosses the rule's border."


def _amount(won: float) -> str:
    return "few" if won >= MOST else "many" if won < HALF else "between"


def one_by_one(found: Faithfulness, largest: str) -> str:
    """What the drops say, in a sentence or two; `largest` names the feature of the largest drop."""
    essential, harmful = found.count("essential"), found.count("harmful")
    if essential:
        told = f"**One by one: {counted(essential, 'feature')} {'is' if essential == 1 else 'are'} essential.** "
        told += "Retrieval is worse without, and by more than with as much taken out along others. "
    elif found.count("ordinary"):
        told = "**One by one: no feature is essential.** Some drops are beyond chance, none beyond what as much taken "
        told += "out along other features costs. "
    else:
        told = "**One by one: none is shown to be essential.** "
    told += _largest(found, largest)
    if harmful:
        told += f" {counted(harmful, 'feature').capitalize()} harm{'s' if harmful == 1 else ''} retrieval."
    return told


def _largest(found: Faithfulness, name: str) -> str:
    if not (found.hurt.any() or found.helped.any()):
        return "No feature changes the NDCG of any query."
    if found.drop[0] <= 0:
        return "No feature's removal lowers it."
    span = "" if np.isnan(found.low[0]) else minus(f", {found.low[0]:+.4f} to {found.high[0]:+.4f}")
    if np.isnan(found.q_value[0]):
        sure = f"it changes too few queries to be tested ({FEWEST_CHANGED})"
    else:
        beyond = "beyond chance" if found.q_value[0] <= ALPHA else "not shown to be beyond chance"
        sure = f"{beyond} among {counted(found.tested, 'test')} (q = {found.q_value[0]:.2g})"
    return f"The largest drop, {found.drop[0]:.4f} ({name}{span}): {sure}."


def what_would_tell(found: Faithfulness, curves: Curves | None) -> str:
    """How many queries would say more; empty where most features have a verdict."""
    s, open_ = len(found.query), found.count("uncertain") + found.count("rare")
    if 2 * open_ < len(found.features):
        return ""
    told = f"**What would tell: more queries like these {count(s)}.** "
    if found.q_value[0] > ALPHA and found.needed[0] > s:
        told += f"A drop as large as the largest would be called with about {_about(found.needed[0])} queries. "
    half = float(np.median(found.fires))
    if half < FEWEST_FIRES:
        told += (
            f"Half of the features fire on at most {count(int(half))} of them, and {FEWEST_FIRES} are the least to "
            f"judge one by: with about {_about(s * FEWEST_FIRES / half)} half could be judged. "
        )
    return told + ("" if curves is None or curves.verdict == "none" else "Until then what they do together says more.")


def _about(queries: float) -> str:
    """Two digits: 430, 1 200."""
    digits = max(0, int(np.floor(np.log10(queries))) - 1)
    return count(int(np.ceil(queries / 10**digits)) * 10**digits)


def between(low: float, high: float, digits: str = ".3f") -> str:
    """An interval; words where there is none."""
    if np.isnan(low):
        return "one query: no interval"
    return f"{low:{digits}} to {high:{digits}}, 95 % interval, bootstrap over queries"


def of_levels(found: Faithfulness) -> str:
    """What the numbers were taken over."""
    left_out = f" ({count(found.skipped)} without a relevant document left out)" if found.skipped else ""
    once = (
        f" {count(found.texts)} of them differ in text: means count each query, intervals and tests each text once."
        if found.texts < len(found.query)
        else ""
    )
    return (
        f"Over {counted(len(found.query), 'query') if len(found.query) == 1 else f'{count(len(found.query))} queries'}"
        f"{left_out} and {count(found.documents)} documents, by {found.measure}, {found.gain} gain.{once} "
        f"{count(len(found.features))} of {count(found.dictionary)} features fire on these queries; for "
        f"{count(found.tested)} of them {FEWEST_CHANGED} different queries or more change, and these are tested, at a "
        "false discovery rate of 5 % among them (Benjamini and Hochberg). Documents stay as they are, and so does what "
        "is in no feature."
    )


def of_drops(found: Faithfulness) -> str:
    """How to read the picture of drops."""
    return (
        f"Each mark is what the mean NDCG@{found.k} of all queries loses when the feature's part is taken out of the "
        "queries it fires on, the bar its 95 % interval (bootstrap over queries). The grey band is what as much taken "
        f"out of the same queries along other features that fire there costs, least to most of {found.draws} draws; "
        "the upright stroke is a random direction. The first row is the opposite: every feature kept, and what is in "
        "none taken out. A feature is essential only beyond that band, and beyond chance. "
        "The largest drops of many are large partly by luck: those of other queries will be smaller. A small drop "
        "does not mean that the concept is unused: other features of the query may stand in for it."
    )


def of_scatter(found: Faithfulness) -> str:
    """How to read activation against drop."""
    moved = float(np.abs(found.drop).max(initial=0))
    return (
        "Each mark is a feature. Far right and near 0: it fires much, and retrieval hardly needs it, as the query's "
        f"other features do its work. No feature moves NDCG by more than {moved:.3f}."
    )


def reading_of_curves(found: Curves, topic: str | None) -> str:
    """How to read the curves, of all queries or of one topic."""
    drawn = (
        f"the bands are 95 % intervals over queries, grey is the mean of {len(found.kept_at_random)} random orders. "
        "Where the order by drop does no better than that by activation, drops measured one at a time on so few "
        "queries say little of what features do together. "
        if topic is None
        else "the order is that of all queries, and a topic has fewer of them: its curves are rougher. "
    )
    return (
        f"Solid: NDCG@{found.k} without so many features. Dotted: with so many alone, beginning at what bias and error "
        "retrieve by themselves. The order is measured on one half of the queries and followed on the other, and the "
        f"other way round, so that no query chooses the order that it is judged by; {drawn}"
        f"{found.rule}"
    )
