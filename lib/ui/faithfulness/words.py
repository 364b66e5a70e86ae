"""How the faithfulness figures read."""

import numpy as np

from lib.sae.faithfulness import Curves, Faithfulness
from lib.ui.messages import count, counted, share

_AMOUNT = {"few": "few features", "many": "many features", "between": "neither few features nor all of them"}


def said(found: Faithfulness) -> str:
    """What the drops say, in a sentence or two."""
    essential, harmful = found.count("essential"), found.count("harmful")
    if essential:
        told = f"**{counted(essential, 'feature')} {'is' if essential == 1 else 'are'} essential**: retrieval is worse "
        told += "without, and more so than without comparable ones."
    elif found.count("ordinary"):
        told = "**No feature is essential**: some drops are beyond chance, none beyond those of comparable features."
    else:
        told = (
            "**No single feature is shown to be essential**: what one takes away, the query's others make up for, or "
            "these queries are too few to tell."
        )
    if harmful:
        told += f" {counted(harmful, 'feature').capitalize()} harm{'s' if harmful == 1 else ''} retrieval."
    return told


def of_levels(found: Faithfulness) -> str:
    """What the numbers were taken over."""
    left_out = f" ({count(found.skipped)} without a relevant document left out)" if found.skipped else ""
    return (
        f"Over {counted(len(found.query), 'query') if len(found.query) == 1 else f'{count(len(found.query))} queries'}"
        f"{left_out} and {count(found.documents)} documents, by {found.measure}, {found.gain} gain. "
        f"{count(len(found.features))} of {count(found.dictionary)} features fire on these queries; for "
        f"{count(found.tested)} of them enough queries change to be tested, at a false discovery rate of 5 % among "
        "those (Benjamini and Hochberg). Documents stay as they are, and so does what is in no feature."
    )


def of_drops(found: Faithfulness) -> str:
    """How to read the picture of drops."""
    return (
        f"Each mark is what the mean NDCG@{found.k} of all queries loses when the feature's part is taken out of the "
        "queries it fires on, the bar its 95 % interval (bootstrap over queries). The grey band is what as much taken "
        f"out of the same queries along other features that fire there costs, least to most of {found.draws} draws; "
        "the upright stroke is a random direction. A feature is essential only beyond that band, and beyond chance. "
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


def of_curves(found: Curves) -> str:
    """What the curves say, in a sentence."""
    if found.verdict == "none":
        return (
            "**Features add nothing that these queries can show**: bias and error alone retrieve about as well as the "
            f"whole embedding ({found.floor:.3f} against {found.whole:.3f})."
        )
    best = max(found.won_back, found.won_by_activation)
    order = "by drop" if found.won_back >= found.won_by_activation else "by activation"
    return (
        f"**Carried by {_AMOUNT[found.verdict]}**: over all queries the first {count(found.few)} of "
        f"{count(found.features)} ({order}) win back {share(best, 0)} of what all features add to "
        f"bias and error; as many at random {share(found.won_at_random, 0)}."
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
