"""How is this corpus laid out? The map, what is selected on it, and where a new sentence lands."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import maps
from lib.geometry import Clusters, Projection
from lib.ui import downloads
from lib.ui.geometry import cached
from lib.ui.geometry.probe import Probe, ask, show_neighbours
from lib.ui.geometry.selection import clear_selection, selected_on, selection, take_selection
from lib.ui.geometry.settings import MapSettings, map_settings, scores
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share, tell
from lib.ui.workspace import Space

_BY_LABEL, _BY_CLUSTER, _BY_SCORE = "label", "cluster", "distance from the corpus"
_MOST_LISTED = 500
_CHART = "map_2d"


def show(space: Space) -> None:
    """Draw the view."""
    st.subheader("How is this corpus laid out?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        settings, colour, flags = _controls(space)
    layout = cached.projection(space.vectors_key, space.vectors, settings.layout)
    groups = cached.clusters(space.vectors_key, space.vectors, settings.grouping)
    numbers, picture = numbers_over_picture()
    probe = ask(space, layout)
    with picture:
        selected = _picture(space, layout, groups, colour, groups.far if flags else None, probe, settings)
    with numbers:
        _numbers(space, layout, groups)
    tell((*_drawn(layout), *layout.notices, *groups.notices))
    if probe is not None:
        show_neighbours(space, probe)
    _listing(space, selected, groups)


def _controls(space: Space) -> tuple[MapSettings, str, bool]:
    settings = map_settings(len(space.corpus))
    options = [_BY_LABEL] if space.label_names else []
    options += [_BY_CLUSTER, _BY_SCORE, *_columns(space)]
    colour = st.selectbox(
        "Colour by",
        options,
        key="colour",
        bind="query-params",
        persist_state="session",
        width=220,
        help="What the colours of the map stand for.",
    )
    flags = st.toggle(
        "Flag texts far from any cluster",
        value=True,
        key="flags",
        bind="query-params",
        persist_state="session",
        help="Texts unusually far from the centroid of every cluster: the encoder has no settled place for them.",
    )
    return settings, str(colour), flags


def _picture(
    space: Space,
    layout: Projection,
    groups: Clusters,
    colour: str,
    flagged: NDArray[np.bool_] | None,
    probe: Probe | None,
    settings: MapSettings,
) -> list[int]:
    landing = maps.Landing(probe.landing, [probe.text]) if probe else None
    fig = maps.corpus_map(
        layout, space.corpus.texts, _colouring(space, groups, colour, settings), flagged=flagged, landing=landing
    )
    if layout.coordinates.shape[1] == 3:
        downloads.picture(
            fig,
            key="map_3d",
            about="A map of the texts in three dimensions: a point a text, close where the map found them alike.",
        )
        st.caption(f"{_reading(layout)} Turn it with the mouse; texts are selected on the 2D map.")
        return []
    rows = selection(space.corpus)
    if rows and not selected_on(_CHART):  # by the address: the chart does not know of it
        maps.mark_selected(fig, rows)
    downloads.picture(
        fig,
        key=_CHART,
        name="map",
        on_select=partial(take_selection, _CHART, space.corpus),
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False},
        about="A map of the texts: a point a text, close where the map found them alike, coloured "
        "as chosen. The table lists what is selected.",
    )
    st.caption(f"{_reading(layout)} Draw around points, or click one, to list them below.")
    return rows


def _reading(layout: Projection) -> str:
    if layout.method == "pca":
        share_shown = float(layout.explained_variance.sum()) if layout.explained_variance is not None else 0.0
        return (
            f"Linear: the directions of most variance, {share(share_shown)} of it. What overlaps here may lie apart in "
            "the other dimensions."
        )
    return "Close points are alike; distances between groups, their sizes and the axes mean nothing."


def _drawn(layout: Projection) -> tuple[str, ...]:
    drawn = len(maps.shown_rows(layout.items))
    if drawn == layout.items:
        return ()
    flat = layout.coordinates.shape[1] == 2
    rest = ", over the density of all; a selection takes from those drawn." if flat else "."
    return (f"A uniform sample of {count(drawn)} of {count(layout.items)} texts is drawn as points{rest}",)


def _columns(space: Space) -> dict[str, str]:
    """Other columns by the name under which they are offered: one called like a built-in colour is told from it."""
    names = [str(column) for column in space.corpus.columns.columns]
    return {f"{name} (column)" if name in (_BY_LABEL, _BY_CLUSTER, _BY_SCORE) else name: name for name in names}


def _colouring(space: Space, groups: Clusters, colour: str, settings: MapSettings) -> maps.Colouring:
    if colour == _BY_LABEL and space.labels is not None:
        return maps.Colouring("label", groups=space.labels)
    if colour == _BY_CLUSTER:
        return maps.Colouring("cluster", groups=[None if c < 0 else f"cluster {c + 1}" for c in groups.labels])
    if colour == _BY_SCORE:
        return maps.Colouring(settings.score_name, numbers=scores(space, settings).scores)
    column = space.corpus.columns[_columns(space)[colour]]
    if column.dtype.kind in "iuf":
        return maps.Colouring(colour, numbers=column.to_numpy(dtype=np.float64))
    return maps.Colouring(colour, groups=[None if pd.isna(value) else str(value) for value in column])


def _numbers(space: Space, layout: Projection, groups: Clusters) -> None:
    trust = layout.trustworthiness
    number(
        "Trustworthiness",
        "—" if trust is None else f"{trust:.3f}",
        f"Of the map: 1 = every neighbour on it is a neighbour by cosine, about 0.5 = a random map. Over "
        f"{count(layout.trust_items)} texts and their {layout.trust_neighbours} neighbours.",
    )
    if len(space.label_names) > 1:
        fit = cached.label_fit(space.key, space.vectors_key, space.vectors, space.labels or (), k=10, seed=0)
        number("Label silhouette", f"{fit.silhouette:.3f}", "In the full space, by cosine, in [−1, 1].")
        number(
            "Label purity",
            share(fit.purity),
            f"Share of a text's {fit.k} nearest neighbours with its label, in the full space.",
        )
    outside = f" {count(groups.unclustered)} texts are in none." if groups.unclustered else ""
    number("Clusters", count(groups.count), f"Found without labels.{outside}")
    far = int(groups.far.sum())
    number(
        "Far from any cluster",
        f"{count(far)} ({share(far / groups.items)})",
        f"Texts whose cosine distance to the nearest cluster's centroid is above {groups.fence:.2f}: the median of the "
        "clustered texts plus two standard deviations, these from the median absolute deviation. Without any cluster "
        "the centroid is that of all texts.",
        wide=True,
    )


@dataclass(frozen=True)
class _Listed:
    title: str
    rows: Sequence[int]
    name: str


def _farthest_first(groups: Clusters) -> list[int]:
    far = np.flatnonzero(groups.far)
    return [int(row) for row in far[np.argsort(-groups.distance[far], kind="stable")]]


def _listing(space: Space, selected: list[int], groups: Clusters) -> None:
    listed = (
        _Listed(f"Selected ({count(len(selected))})", selected, "selection")
        if selected
        else _Listed(f"Far from any cluster ({count(int(groups.far.sum()))})", _farthest_first(groups), "far_texts")
    )
    st.subheader(listed.title)
    if selected and not selected_on(_CHART):
        st.button("Clear the selection", key="map_clear", on_click=clear_selection, args=(space.corpus,))
    if not listed.rows:
        st.caption("Nothing is selected on the map, and no text is far from every cluster.")
        return
    table = pd.DataFrame(
        {
            "id": [space.corpus.ids[row] for row in listed.rows],
            "label": [space.labels[row] if space.labels else None for row in listed.rows],
            "cluster": [str(groups.labels[row] + 1) if groups.labels[row] >= 0 else "none" for row in listed.rows],
            "text": [space.corpus.texts[row] for row in listed.rows],
        }
    )
    st.dataframe(
        table.head(_MOST_LISTED), hide_index=True, column_config={"text": st.column_config.TextColumn(width="large")}
    )
    if len(table) > _MOST_LISTED:
        tell([f"The first {count(_MOST_LISTED)} are listed; the downloads hold all {count(len(table))}."])
    downloads.offer_table(table, name=listed.name)
