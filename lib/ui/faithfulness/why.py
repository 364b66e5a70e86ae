"""Why this document? The features that carry a score, and those that lost a place to another document."""

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
from lib.ui.messages import count, counted, plain, share
from lib.ui.retrieval import cached as searched
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeQuerySpace

_QUERY, _DOCUMENT = "faithfulness_query", "faithfulness_document"
_MOST_OFFERED, _RANKS = 2_000, 20


def show(space: SaeQuerySpace, settings: Settings, found: Faithfulness) -> None:
    """Draw the choice, the parts of the score, and why the relevant document lost where it did."""
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
    at = _document(space, ranking)
    document = int(ranking.documents[at])
    st.info(plain(f"“{' '.join(space.space.queries.documents[document][:600].split())}”"))
    first = int(np.flatnonzero(ranking.grade > 0)[0])
    beside = int(ranking.documents[first])
    made = cached.explained(space, query, (document, beside), settings.measure)
    names = [feature_name(space.database, feature) for feature in made.features.tolist()]
    _score(made, names, settings.measure)
    if ranking.grade[at] <= 0 and ranking.rank[at] < ranking.rank[first]:
        _lost(space, made.lead(0, 1), names, ranking, first)
    downloads.offer_result(made, name="why")


def _query(space: SaeQuerySpace, found: Faithfulness) -> int:
    """A query with a relevant document: those that do worst first."""
    order = found.query[np.argsort(found.ndcg, kind="stable")][:_MOST_OFFERED].tolist()
    ids, texts = space.space.queries.query_ids, space.space.queries.queries
    options = [_option(ids[row], texts[row]) for row in order]
    chosen = st.selectbox(
        "Query", options, key=_QUERY, bind="query-params", persist_state="session",
        help=f"Those with the lowest NDCG@{found.k} first.",
    )  # fmt: skip
    return int(order[options.index(chosen)] if chosen in options else order[0])


def _document(space: SaeQuerySpace, ranking: Ranking) -> int:
    """Place in the ranking of one of the first documents, or of a relevant one further down."""
    ids, texts = space.space.queries.document_ids, space.space.queries.documents
    offered = np.flatnonzero((ranking.rank <= _RANKS) | (ranking.grade > 0)).tolist()
    options = [
        f"rank {ranking.rank[at]}{' ◆ relevant' if ranking.grade[at] > 0 else ''} · "
        f"{_option(ids[ranking.documents[at]], texts[ranking.documents[at]])}"
        for at in offered
    ]
    chosen = st.selectbox(
        "Document", options, key=_DOCUMENT, bind="query-params", persist_state="session",
        help=f"The first {_RANKS}, and the relevant ones further down.",
    )  # fmt: skip
    return int(offered[options.index(chosen)] if chosen in options else offered[0])


def _option(one_id: str, text: str) -> str:
    line = " ".join(text[:400].split())
    return f"{one_id} · {line if len(line) <= 90 else line[:89] + '…'}"


def _score(made: Why, names: list[str], measure: str) -> None:
    st.plotly_chart(
        charts.score_parts(made, names, title=f"contribution to the {measure} of {made.scores[0]:.3f}"),
        key="faithfulness_score", config={"displayModeBar": False},
    )  # fmt: skip
    score = made.scores[0]
    error = share(made.error[0] / score) if abs(score) > 1e-9 else "—"
    st.caption(
        f"What each of the query's {counted(len(names), 'feature')} adds to the score: its activation times the "
        "product of its direction with the document. Amber draws them together, violet apart; hatched is no feature. "
        f"All bars sum to {score:.3f} exactly; the error, which no feature explains, is {error} of it. The document is "
        "taken whole: a part is large where the document points the feature's way, whether or not it fires there."
    )


def _lost(space: SaeQuerySpace, lead: Why, names: list[str], ranking: Ranking, first: int) -> None:
    relevant = int(ranking.documents[first])
    st.markdown("**Which features put it above the relevant document?**")
    text = " ".join(space.space.queries.documents[relevant][:300].split())
    st.caption(plain(f"Relevant, at rank {count(int(ranking.rank[first]))}: “{text}”"))
    fig = charts.score_parts(lead, names, title=f"contribution to the lead of {lead.scores[0]:.3f}")
    st.plotly_chart(fig, key="faithfulness_lead", config={"displayModeBar": False})
    turns = lead.turns()
    told = (
        f"Without any one of the {count(int(turns.sum()))} marked ◆ the relevant document would be ahead."
        if turns.any()
        else "No feature taken out by itself would put the relevant document ahead."
    )
    st.caption(
        "The difference of the two scores, feature by feature: amber is what put this document ahead, violet spoke for "
        f"the relevant one. All bars sum to the lead. {told} That holds for this pair alone: other documents move too."
    )
    st.dataframe(
        _table(space, lead, turns), hide_index=True, height=240,
        column_config={
            "label": st.column_config.TextColumn(width="large"),
            "lead": st.column_config.NumberColumn(format="%+.4f"),
            "activation": st.column_config.NumberColumn(format="%.3f"),
        },
    )  # fmt: skip


def _table(space: SaeQuerySpace, lead: Why, turns: NDArray[np.bool_]) -> pd.DataFrame:
    order = lead.order()
    features = lead.features[order].tolist()
    return pd.DataFrame(
        {
            "feature": features,
            "label": [space.database.label(one) if space.database else None for one in features],
            "lead": lead.parts[0][order],
            "activation": lead.activations[order],
            "": ["◆ decides" if one else "" for one in turns[order]],
        }
    )
