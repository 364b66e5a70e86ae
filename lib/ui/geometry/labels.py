"""Do the labels show in the space? Similarity within and across labels, silhouette, purity."""

import pandas as pd
import streamlit as st

from lib.charts import geometry as charts
from lib.charts.layout import hover_texts
from lib.geometry import LabelFit
from lib.ui import downloads
from lib.ui.controls import one_of
from lib.ui.geometry import cached
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, plain, share, tell
from lib.ui.workspace import Space

_MOST_TEXTS = 150


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("Which groups does the encoder hold apart?")
    if not space.label_names:
        st.info("This view needs labels: choose a label column in the sidebar.", icon=":material/label:")
        _texts(space)
        return
    by = one_of(
        "Similarity of",
        ["label means", "texts"],
        key="similarity",
        help="Mean cosines of whole labels, or cosines of single texts drawn from them.",
    )
    if by == "texts":
        _texts(space)
    else:
        _labels(space)
    if len(space.label_names) > 1:
        st.subheader("How well does each label keep together?")
        _fit(space)


def _labels(space: Space) -> None:
    result = cached.label_similarity(space.key, space.vectors, space.labels or ())
    downloads.picture(
        charts.label_heatmap(result),
        key="labels_heatmap",
        name="label_similarity",
        about="The mean cosine of the texts of every two labels.",
    )
    parts = []
    if result.mean_within is not None:
        parts.append(f"within labels {result.mean_within:.3f}")
    if result.mean_between is not None:
        parts.append(f"between labels {result.mean_between:.3f}")
    means = f": {', '.join(parts)}" if parts else ""
    st.caption(
        f"Mean cosine of two texts, over every pair{means}. The diagonal is within a label. Groups "
        "are held apart where the diagonal is far above its row."
    )
    if len(result.names) > charts.MOST_HEATMAP_LABELS:
        tell([f"The picture shows the {charts.MOST_HEATMAP_LABELS} largest of {count(len(result.names))} labels."])
    if result.unlabelled:
        tell([f"{count(result.unlabelled)} texts without a label are left out."])
    downloads.offer_result(result, name="label_similarity")


def _texts(space: Space) -> None:
    result = cached.text_similarity(space.key, space.vectors, space.labels, at_most=_MOST_TEXTS, seed=0)
    hovers = hover_texts((space.corpus.texts[row] for row in result.rows), characters=90)
    downloads.picture(
        charts.text_heatmap(result, hovers),
        key="texts_heatmap",
        name="text_similarity",
        about="The cosine of every two texts, in blocks by label.",
    )
    drawn = (
        "all texts" if len(result.rows) == result.items else f"{len(result.rows)} texts drawn evenly from the labels"
    )
    st.caption(f"Cosine of each two of {drawn}, in blocks by label. Point at a cell to read both texts.")


def _fit(space: Space) -> None:
    result = cached.label_fit(space.key, space.vectors_key, space.vectors, space.labels or (), k=10, seed=0)
    numbers, picture = numbers_over_picture()
    with numbers:
        number("Silhouette", f"{result.silhouette:.3f}", "Mean over labelled texts, cosine distance, in [−1, 1].")
        number("Purity", share(result.purity), f"Mean share of the {result.k} nearest neighbours with the same label.")
    with picture:
        downloads.picture(
            charts.label_bars(result),
            key="label_bars",
            name="label_fit",
            about="For each label, how well its texts keep together.",
        )
        st.caption(_reading(result))
        if len(result.names) > charts.MOST_BAR_LABELS:
            tell([f"The picture shows the {charts.MOST_BAR_LABELS} with the lowest silhouette; the table holds all."])
    with st.expander("Table"):
        table = pd.DataFrame(
            {
                "label": result.names,
                "texts": result.counts,
                "silhouette": result.silhouette_by_label,
                "purity": result.purity_by_label,
                "purity by chance": result.chance_by_label,
            }
        )
        st.dataframe(table, hide_index=True)
        downloads.offer_table(table, name="label_fit")


def _reading(result: LabelFit) -> str:
    worst = result.names[int(result.silhouette_by_label.argmin())]
    how = "all labelled texts" if result.asked == result.items else f"a sample of {count(result.asked)} texts"
    return (
        f"Least held together: {plain(worst)}. Purity is over {how}; the tick is what random neighbours would give. "
        "A low silhouette with a high purity means that groups touch but do not mix."
    )
