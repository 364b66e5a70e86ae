"""One query without one feature: which document passes the relevant one, and how much of the lead the feature was."""

import streamlit as st

from lib.charts import faithfulness_why as charts
from lib.numerals import minus
from lib.sae.faithfulness import Moved
from lib.ui import downloads
from lib.ui.faithfulness import cached
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.links import why_button
from lib.ui.faithfulness.pair import Shown, beside, sum_of
from lib.ui.messages import count, counted
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace


def show_query(space: SaeQuerySpace, settings: Settings, *, query: int, feature: int) -> None:
    """Draw where its relevant document goes without the feature, beside the one that changes places with it."""
    found = cached.without(space, settings, query=query, feature=feature)
    relevant = int(found.documents[found.place])
    st.markdown(_said(found, feature))
    if found.rival is not None:
        _pair(space, settings, found, query=query, pair=(relevant, found.rival))
    why_button(space.space.queries.query_ids[query], space.space.queries.queries[query], key="faithfulness_why")


def _said(found: Moved, feature: int) -> str:
    before, after = int(found.before[found.place]), int(found.after[found.place])
    if before == after:
        return f"Without {feature} its relevant documents stay where they are: the first at rank {count(before)}."
    way = "falls" if after > before else "rises"
    one = found.passed == 1
    passing = ("passes" if one else "pass") if after > before else ("falls behind" if one else "fall behind")
    return (
        f"Without {feature} **a relevant document {way} from rank {count(before)} to {count(after)}**: "
        f"{counted(found.passed, 'document')} {passing} it."
    )


def _pair(
    space: SaeQuerySpace, settings: Settings, found: Moved, *, query: int, pair: tuple[int, int]
) -> None:  # the relevant document and its rival
    before, after = int(found.before[found.place]), int(found.after[found.place])
    falls = after > before
    shown = [
        Shown(pair[0], f"◆ relevant · rank {before} → {after}"),
        Shown(
            pair[1], f"{'passes it' if falls else 'was ahead of it'} · rank {found.rival_before} → {found.rival_after}"
        ),
    ]
    beside(space, shown)
    if settings.measure == "l2":
        st.caption("A score by l2 is no sum over features: choose cosine or dot to take the two apart.")
        return
    ahead = pair if falls else pair[::-1]
    made = cached.explained(space, query, ahead, settings.measure)
    lead = made.lead(0, 1)
    names = [feature_name(space.database, one) for one in lead.features.tolist()]
    downloads.picture(
        charts.score_parts(
            lead, names, title=f"what put the {'relevant one' if falls else 'other'} ahead, by {settings.measure}",
            shown=12, chosen=found.feature,
        ),
        key="faithfulness_lost",
        quiet=True,
        about="What each feature gives to the lead of one document over the other.",
    )  # fmt: skip
    own = float(lead.parts[0][lead.features == found.feature].sum())
    st.caption(
        f"{sum_of(made)} All bars sum to that lead. {found.feature} (▸) gives {minus(f'{own:+.4f}')} of it: without it "
        f"{'the other' if falls else 'the relevant one'} leads. Amber put the first ahead, violet spoke against it; ⇄ "
        "marks each feature without which the two would change places."
    )
