"""Why this document? What put one document above another for a query, and what each feature adds to a score."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import faithfulness_why as charts
from lib.errors import InputError
from lib.retrieval.ranking import Ranking, query_ranking
from lib.sae.faithfulness import Faithfulness, Why
from lib.ui import downloads
from lib.ui.faithfulness import cached
from lib.ui.faithfulness.cached import Settings
from lib.ui.faithfulness.links import QUERY, asked_for, follow_search, named
from lib.ui.faithfulness.pair import Shown, beside, sum_of
from lib.ui.messages import count, counted, share
from lib.ui.retrieval import cached as searched
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace

_DOCUMENT, _OTHER, _OF = "faithfulness_document", "faithfulness_other", "_faithfulness_documents_of"
_MOST_OFFERED, _RANKS = 2_000, 20


def show(space: SaeQuerySpace, settings: Settings, found: Faithfulness) -> None:
    """Draw the choice, what put the one document above the other, and the parts of the first one's score."""
    st.subheader("Why this document?")
    if settings.measure == "l2":
        raise InputError("A score by l2 is no sum over features: choose cosine or dot as the similarity.")
    if not searched.ready(space.space, settings.measure):
        return
    query = _query(space, found)
    ranking = query_ranking(
        space.space.queries, searched.run(space.space, settings.measure), searched.ranks(space.space, settings.measure),
        row=query, query_vectors=space.space.query_vectors, document_vectors=space.space.document_vectors,
        measure=settings.measure,
    )  # fmt: skip
    first, second = _documents(space, ranking)
    above, below = min(first, second), max(first, second)  # places in the ranking
    made = cached.explained(space, query, tuple(ranking.documents[[above, below]].tolist()), settings.measure)
    names = [feature_name(space.database, feature) for feature in made.features.tolist()]
    beside(space, [_shown(ranking, at) for at in dict.fromkeys((above, below))])
    if above != below:
        _lead(space, made, names, relevant=bool(ranking.grade[below] > 0 and ranking.grade[above] <= 0))
    _score(made, names, 0 if first == above else 1, settings.measure)
    downloads.offer_result(made, name="why")


def _query(space: SaeQuerySpace, found: Faithfulness) -> int:
    """A query with a relevant document: those that do worst first."""
    ids, texts = space.space.queries.query_ids, space.space.queries.queries
    worst, asked = found.query[np.argsort(found.ndcg, kind="stable")].tolist(), asked_for()
    order = [*worst[:_MOST_OFFERED], *(row for row in worst[_MOST_OFFERED:] if named(ids[row], texts[row]) in asked)]
    options = [named(ids[row], texts[row]) for row in order]
    followed = follow_search(options, first=named(ids[0], texts[0]))
    chosen = st.selectbox(
        "Query", options, key=QUERY, bind="query-params", persist_state="session",
        help=f"Those with the lowest NDCG@{found.k} first.",
    )  # fmt: skip
    if followed:
        st.caption("The query that was chosen under Search.")
    return int(order[options.index(chosen)] if chosen in options else order[0])


def _documents(space: SaeQuerySpace, ranking: Ranking) -> tuple[int, int]:
    """Places in the ranking of a document and the one beside it: at first the best, and the best relevant one."""
    ids, texts = space.space.queries.document_ids, space.space.queries.documents
    offered = np.flatnonzero((ranking.rank <= _RANKS) | (ranking.grade > 0)).tolist()
    options = [
        f"{_place(ranking, at)} · {named(ids[ranking.documents[at]], texts[ranking.documents[at]])}" for at in offered
    ]
    relevant = offered.index(int(np.flatnonzero(ranking.grade > 0)[0]))
    starts = 0, relevant or min(1, len(options) - 1)
    _begin_anew(ranking, {_DOCUMENT: options[starts[0]], _OTHER: options[starts[1]]})
    places = []
    for column, label, key, start in zip(
        st.columns(2), ("Document", "Beside it"), (_DOCUMENT, _OTHER), starts, strict=True
    ):
        chosen = column.selectbox(
            label, options, index=start, key=key, bind="query-params", persist_state="session",
            help=f"The first {_RANKS}, and the relevant ones further down.",
        )  # fmt: skip
        places.append(offered[options.index(chosen) if chosen in options else start])
    return places[0], places[1]


def _begin_anew(ranking: Ranking, options: dict[str, str]) -> None:
    """Where another query than before is looked at, look at its first documents; an address's are left as they are."""
    before, st.session_state[_OF] = st.session_state.get(_OF), ranking.row
    if before is not None and before != ranking.row:
        for key, option in options.items():
            st.session_state[key] = option
            st.query_params.pop(key, None)


def _place(ranking: Ranking, at: int) -> str:
    return f"rank {ranking.rank[at]}{' ◆ relevant' if ranking.grade[at] > 0 else ''}"


def _shown(ranking: Ranking, at: int) -> Shown:
    return Shown(int(ranking.documents[at]), f"{_place(ranking, at)} · score {ranking.scores[at]:.4f}")


def _lead(space: SaeQuerySpace, made: Why, names: list[str], *, relevant: bool) -> None:
    """Why the first is above the second; `relevant` where it should not be."""
    lead = made.lead(0, 1)
    st.markdown(f"**Which features put the first above {'the relevant one' if relevant else 'the second'}?**")
    fig = charts.score_parts(lead, names, title=f"contribution to the lead of {lead.scores[0]:.4f}")
    downloads.picture(
        fig,
        key="faithfulness_lead",
        quiet=True,
        about="What each feature gives to the lead of the first document over the second.",
    )
    turns = lead.turns()
    told = (
        f"Without any one of the {count(int(turns.sum()))} marked ⇄ the second would be ahead."
        if turns.any()
        else "No feature taken out by itself would put the second ahead."
    )
    st.caption(
        f"{sum_of(made)} All bars sum to that: amber is what put the first ahead, violet spoke for the second. {told} "
        "That holds for this pair alone: other documents move too."
    )
    with st.expander("All features of the query, by what each adds to the lead"):
        downloads.table(
            _table(space, lead, turns), name="faithfulness_lead", hide_index=True, height=300,
            column_config={
                "label": st.column_config.TextColumn(width="large"),
                "lead": st.column_config.NumberColumn(format="%+.4f"),
                "activation": st.column_config.NumberColumn(format="%.3f"),
            },
        )  # fmt: skip


def _score(made: Why, names: list[str], row: int, measure: str) -> None:
    score = float(made.scores[row])
    st.markdown("**What does the document's own score consist of?**")
    downloads.picture(
        charts.score_parts(made, names, row=row, title=f"contribution to the {measure} of {score:.4f}"),
        key="faithfulness_score",
        quiet=True,
        about="What each feature of the query adds to the document's score.",
    )  # fmt: skip
    error = share(made.error[row] / score) if abs(score) > 1e-9 else "—"
    st.caption(
        f"What each of the query's {counted(len(names), 'feature')} adds to the score: its activation times the "
        "product of its direction with the document. Amber draws them together, violet apart; hatched is no feature. "
        f"All bars sum to {score:.4f} exactly; the error, which no feature explains, is {error} of it. The document is "
        "taken whole: a part is large where the document points the feature's way, whether or not it fires there."
    )


def _table(space: SaeQuerySpace, lead: Why, turns: NDArray[np.bool_]) -> pd.DataFrame:
    order = lead.order()
    features = lead.features[order].tolist()
    return pd.DataFrame(
        {
            "feature": features,
            "label": [space.database.label(one) if space.database else None for one in features],
            "lead": lead.parts[0][order],
            "activation": lead.activations[order],
            "": ["⇄ decides" if one else "" for one in turns[order]],
        }
    )
