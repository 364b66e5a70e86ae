"""Which texts do not belong? Out-of-distribution scores, flags, and new inputs checked against the corpus."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import outliers as charts
from lib.geometry import Detection, Flagged, OodScores, Rule, flag, recommend
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.geometry import cached
from lib.ui.geometry.new_inputs import check_new
from lib.ui.geometry.settings import choose_rule, score_name
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, counted, plain, share, tell
from lib.ui.workspace import Space

_NONE = "(none)"
_MOST_LISTED = 500


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("Which texts do not belong?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = choose_rule()
        marked_by, out = _truth(space)
        quantile, value = _threshold(space, rule)
    advice = recommend(len(space.corpus), reference_labels=space.labels)
    if advice.rule != rule:
        st.caption(f":material/lightbulb: Recommended here: **{score_name(advice.rule)}**. {plain(advice.reason)}")
    result = cached.ood(space.key, space.vectors, space.labels, rule=rule, k=None)
    flagged = flag(result, quantile=quantile) if value is None else flag(result, value=value)
    tell(result.notices)
    numbers, picture = numbers_over_picture()
    with numbers:
        number(
            "Flagged",
            f"{count(len(flagged.rows))} ({share(flagged.share)})",
            "Texts that score above the threshold.",
            wide=True,
        )
        number(
            "Threshold", f"{flagged.threshold:.3f}", "In units of the score: cosine distance, or Mahalanobis distance."
        )
        found = _detection(space, result, rule, marked_by, out)
    with picture:
        downloads.picture(
            charts.score_histogram(result.scores, flagged.threshold, name=score_name(rule), out=out),
            key="scores",
            name="outlier_scores",
            about="How far texts lie from the rest, with the threshold from which one is flagged.",
        )
        st.caption(_reading(result, flagged))
    if found is not None:
        with st.expander("Every threshold: caught against flagged by mistake"):
            downloads.picture(
                charts.roc_curve(found),
                key="roc",
                name="outlier_roc",
                about="For every threshold, the share of true outliers caught against the share of "
                "others flagged by mistake.",
            )
    _listing(space, result, flagged, out)
    check_new(space, result, flagged)


def _threshold(space: Space, rule: Rule) -> tuple[float, float | None]:
    by = one_of(
        "Threshold by",
        ["quantile", "value"],
        key="threshold",
        help="Where texts begin to be flagged: at a share of the corpus's own scores, or at a score.",
    )
    if by == "value":
        scores = cached.ood(space.key, space.vectors, space.labels, rule=rule, k=None).scores
        return 0.95, float(
            st.number_input(
                "Flag scores above", value=round(float(np.quantile(scores, 0.95)), 3), step=0.01, format="%.3f",
                key="above", bind="query-params", persist_state="session",
                help="Texts that score above this are flagged, in units of the score.",
            )
        )  # fmt: skip
    quantile = st.slider(
        "Quantile of the corpus's own scores",
        0.50,
        0.999,
        0.95,
        0.005,
        key="quantile",
        bind="query-params",
        persist_state="session",
        width=260,
        help="Texts that score above this share of the corpus are flagged; .95 flags the furthest 5 %.",
    )
    return float(quantile), None


def _truth(space: Space) -> tuple[str, NDArray[np.bool_] | None]:
    """The column that says which texts are out, if the corpus has one of true and false."""
    columns = [str(name) for name in space.corpus.columns.columns if space.corpus.columns[name].dtype.kind == "b"]
    if not columns:
        return _NONE, None
    chosen = st.selectbox(
        "Column that says which are out",
        [_NONE, *columns],
        index=1,
        key="truth",
        bind="query-params",
        persist_state="session",
        help="Used to judge the scores, never to make them.",
    )
    if chosen == _NONE:
        return _NONE, None
    column = space.corpus.columns[chosen]
    unmarked = int(column.isna().sum())
    if unmarked:
        tell([f"{counted(unmarked, 'text')} without a mark in {chosen} count as in."])
    return str(chosen), column.fillna(value=False).to_numpy(dtype=bool)


def _detection(
    space: Space, result: OodScores, rule: Rule, marked_by: str, out: NDArray[np.bool_] | None
) -> Detection | None:
    if out is None:
        return None
    if out.all() or not out.any():
        st.caption(f"Column {plain(marked_by)} marks {'all' if out.all() else 'no'} texts as out: nothing to compare.")
        return None
    found = cached.detection(f"{space.key}/{rule}/{marked_by}", result.scores, out)
    number(
        "AUROC",
        f"{found.auroc:.3f}",
        f"Chance that a text marked out scores higher than one marked in; 0.5 = guessing. 95 % interval "
        f"{found.auroc_low:.3f} to {found.auroc_high:.3f}.",
    )
    number(
        "FPR at 95 % recall",
        share(found.fpr_at_95_recall),
        "Share of in texts flagged by the threshold that catches 95 % of the out texts. The other convention, "
        f"out texts that pass when 95 % of the in texts are kept, gives {share(found.missed_at_95_kept)}.",
    )
    return found


def _reading(result: OodScores, flagged: Flagged) -> str:
    alone = "Each text is left out of what judges it."
    apart = "Scores of different rules, encoders or corpora cannot be compared."
    if flagged.quantile is None:
        return f"{alone} {apart} A fixed threshold belongs to this one."
    whose = "corpus's own" if result.reference_items == result.reference_total else "reference texts'"
    return (
        f"{alone} The threshold is the {flagged.quantile:g} quantile of the {whose} scores, so about "
        f"{share(1 - flagged.quantile)} of them are flagged whether or not anything is wrong with them: read the list. "
        f"{apart}"
    )


def _listing(space: Space, result: OodScores, flagged: Flagged, out: NDArray[np.bool_] | None) -> None:
    st.subheader(f"For review ({count(len(flagged.rows))})")
    if not len(flagged.rows):
        st.caption("No text scores above the threshold.")
        return
    table = pd.DataFrame(
        {
            "score": result.scores[flagged.rows],
            "id": [space.corpus.ids[row] for row in flagged.rows],
            "label": [space.labels[row] if space.labels else None for row in flagged.rows],
            "text": [space.corpus.texts[row] for row in flagged.rows],
        }
    )
    if out is not None:
        table.insert(1, "marked out", out[flagged.rows])
    _frame(table.head(_MOST_LISTED), result)
    if len(table) > _MOST_LISTED:
        tell([f"The first {count(_MOST_LISTED)} are listed; the downloads hold all {count(len(table))}."])
    downloads.offer_table(table, name="flagged")


def _frame(table: pd.DataFrame, result: OodScores) -> None:
    low, high = float(result.scores.min()), float(result.scores.max())
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "score": st.column_config.ProgressColumn(min_value=min(0.0, low), max_value=max(high, 1e-9), format="%.3f"),
            "text": st.column_config.TextColumn(width="large"),
        },
    )
