"""What was found, before any picture: levels, verdicts, and what they say together."""

import streamlit as st

from lib.sae.faithfulness import Curves, Faithfulness
from lib.ui.faithfulness.words import between, of_levels, one_by_one, together, what_would_tell
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace


def show(space: SaeQuerySpace, found: Faithfulness, curves: Curves | None) -> None:
    """Draw the numbers, the answers and what they were taken over."""
    with st.container(horizontal=True, gap="small"):
        _levels(found, curves)
        _verdicts(found)
    largest = plain(feature_name(space.database, int(found.features[0])))
    answers = [one_by_one(found, largest), what_would_tell(found, curves)]
    if curves is not None:
        answers.insert(0, together(curves))
    st.markdown("\n".join(f"- {answer}" for answer in answers if answer))
    st.caption(of_levels(found))


def _levels(found: Faithfulness, curves: Curves | None) -> None:
    number(
        f"NDCG@{found.k}", f"{found.whole:.3f}",
        f"Of the embeddings as they are ({between(found.whole_low, found.whole_high)}).",
    )  # fmt: skip
    number(
        "Of reconstructions", f"{found.reconstructed:.3f}",
        "Queries replaced by what their features add up to, documents as they are: what the dictionary's error "
        f"changes by itself. Lost: {found.reconstruction_loss:+.3f} "
        f"({between(found.reconstruction_low, found.reconstruction_high, '+.3f')}).",
    )  # fmt: skip
    if curves is not None and curves.verdict != "none":
        best = max(curves.won_back, curves.won_by_activation)
        number(
            "First 10 % keep", share(best, 0),
            f"Of what all features add to bias and error, by {counted(curves.few, 'feature')} alone: "
            f"{share(curves.won_low, 0)} to {share(curves.won_high, 0)} (95 % interval). {curves.rule}",
        )  # fmt: skip


def _verdicts(found: Faithfulness) -> None:
    for verdict in ("essential", "ordinary", "harmful", "redundant"):
        if verdict != "ordinary" or found.count(verdict):
            number(verdict.capitalize(), count(found.count(verdict)), found.rule)
    number(
        "Cannot be told", count(found.count("uncertain") + found.count("rare")),
        f"{counted(found.count('uncertain'), 'feature')} whose interval is too wide, {count(found.count('rare'))} that "
        "fire on too few of these queries. More queries would tell.",
    )  # fmt: skip
