"""Which features carry retrieval? Each taken out of the queries, all of them in turn, and one score taken apart."""

import streamlit as st

from lib.errors import InputError
from lib.retrieval import Gain
from lib.sae.faithfulness import LINEAR
from lib.ui.controls import one_of
from lib.ui.faithfulness import cached, curves, features, headline, why
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.links import FEATURES, FEW, PART, PARTS
from lib.ui.messages import tell
from lib.ui.retrieval import measure
from lib.ui.sae_space import SaeQuerySpace

_CUTOFFS = ("10", "5", "20", "100")
_GAINS: tuple[Gain, ...] = ("linear", "exponential")


def show(space: SaeQuerySpace) -> None:
    """Draw the view: what was found in a few sentences, then the part of it that is looked at."""
    st.subheader("Which features carry retrieval?")
    settings = _choose(space)
    found = cached.effects(space, settings)
    if found is None:
        return
    several = found.texts > 1  # the order of the features is measured on another half of the queries
    together = cached.curves_kept(space, settings) if several else None
    head, work = st.empty(), st.container()
    with head.container():
        headline.show(space, found, together)
    part = one_of(
        "Look at",
        PARTS,
        key=PART,
        help="What is asked of the features: each by itself, few against many, or why one query finds what it finds.",
    )
    if part == FEATURES:
        features.show(space, settings, found)
    elif part != FEW:
        why.show(space, settings, found)
    if several and together is None:
        with st.container() if part == FEW else work:
            together = cached.curves(space, settings, offer=part == FEW)
        if together is not None:
            with head.container():
                headline.show(space, found, together)
    if part == FEW:
        curves.show(together, several=several)


def _choose(space: SaeQuerySpace) -> Settings:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = one_of(
            "NDCG at", _CUTOFFS, key="faithfulness_k",
            help="How many documents of each ranking count. NDCG is 1 where the relevant ones come first.",
        )  # fmt: skip
        gain: Gain = "linear"
        if space.space.queries.graded:
            chosen = one_of(
                "Gain", _GAINS, key="faithfulness_gain",
                help="What a grade is worth. linear: the grade itself; exponential: 2^grade − 1.",
            )  # fmt: skip
            gain = "exponential" if chosen == "exponential" else "linear"
    by = measure.chosen()
    if by not in LINEAR:
        raise InputError(
            f"By {by} a feature taken out of a query moves no score by one product: choose {', '.join(LINEAR[:-1])} or "
            f"{LINEAR[-1]} as the similarity."
        )
    if by != "cosine":
        tell([f"By {by}, as it is chosen on the Retrieval page."])
    return Settings(int(k), gain, by)
