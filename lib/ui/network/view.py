"""Which features fire together? The co-activation network of the corpus, and what stands behind its nodes and edges."""

from functools import partial
from typing import Any

import streamlit as st

from lib.sae.network import Network
from lib.ui.layout import number, numbers_over_picture
from lib.ui.messages import count, share, tell
from lib.ui.network.cached import clusters_of, network_of, picture_of
from lib.ui.network.choices import FEWEST, Choices, choose
from lib.ui.network.component import network_component
from lib.ui.network.edges import show_edges, show_files
from lib.ui.network.groups import show_bridges, show_clusters
from lib.ui.network.node import chosen_node, chosen_other, open_node, show_node
from lib.ui.sae.names import feature_name
from lib.ui.sae_space import SaeSpace

PICTURE = "network_picture"
_FEW_TEXTS = 20  # below, hardly a pair shares two texts
_Marked = tuple[int | None, int | None]


def show(space: SaeSpace) -> None:
    """Draw the view."""
    st.subheader("Which features fire together?")
    choices = choose()
    found = network_of(space, choices)
    names = {feature: feature_name(space.database, feature) for feature in found.features.tolist()}
    clusters = clusters_of(space, choices, found)
    numbers, picture = numbers_over_picture()
    with numbers:
        _numbers(found)
    below = st.container()
    with below:
        feature = chosen_node(found, names, space.sae.features)
        other = chosen_other(found, names, feature)
        if feature is not None:
            show_node(space, found, names, clusters, feature=feature, other=other)
    with picture:
        _notes(found, choices, space)
        drawn = picture_of(space, choices, found, names=tuple(names.values()), clusters=clusters)
        _picture(found, drawn, names=names, marked=(feature, other))
        st.caption(_reading(found, choices))
    groups, joining, edges, files = st.tabs(
        ["Clusters", "Bridges", "Every edge", "Downloads"], key="network_tab", on_change="rerun", bind="query-params"
    )
    with groups:
        show_clusters(found, names, clusters, coloured=choices.colour_by == "cluster")
    with joining:
        show_bridges(found, names, clusters)
    with edges:
        show_edges(found, names)
    with files:
        show_files(found, names, clusters, colour_by=choices.colour_by)


def _numbers(found: Network) -> None:
    number(
        "Features", f"{count(len(found))} of {count(found.shown_of)}",
        f"Those of the largest total activation, of all that fire on these texts; {count(found.hidden)} more are left "
        "out as they fire everywhere.",
        wide=True,
    )  # fmt: skip
    number(
        "Edges", count(found.passed),
        f"Pairs at or above the threshold, of {count(found.looked_at)} pairs; {count(found.edges)} are drawn.",
    )  # fmt: skip
    number(
        "Edges by chance", f"{found.null_edges:.1f}" if found.null_edges < 10 else count(round(found.null_edges)),
        f"Pairs that reach the threshold where each feature's activations are shuffled over the texts: mean of "
        f"{found.shuffles} shuffled networks, {found.null_edges_low:.0f} to {found.null_edges_high:.0f}. Hold the "
        "number of edges against it.",
    )  # fmt: skip
    beyond = int((~found.chance).sum())
    number(
        "Beyond chance", share(beyond / found.edges, 0) if found.edges else "–",
        f"{count(beyond)} of {count(found.edges)} edges drawn are heavier than chance gives, with a false discovery "
        f"rate of {100 * found.false_discovery:g} % over all pairs shown. The others are dashed.",
    )  # fmt: skip
    number(
        "Clusters", count(found.groups),
        "Groups of two features or more with more edges among them than at random (Louvain). Modularity "
        f"{found.modularity:.2f}: 0 is no more than at random, above about 0.3 is marked." if found.edges
        else "Without edges there are none.",
    )  # fmt: skip


def _notes(found: Network, choices: Choices, space: SaeSpace) -> None:
    if len(found) < min(choices.most, FEWEST):
        tell([f"Only {count(len(found))} features fire on these texts and are not left out."])
    if found.passed > found.edges:
        tell([f"The {count(found.edges)} heaviest of {count(found.passed)} edges are drawn: raise the threshold."])
    if not found.edges:
        few = found.texts < _FEW_TEXTS
        st.info(
            f"No pair reaches this threshold. An edge needs two texts on which both fire, and there are {found.texts} "
            "texts: choose a corpus of more."
            if few
            else "No pair reaches this threshold: lower it, show more features, or measure something else."
        )
    if space.database is None:
        tell(["Nothing is known of these features' labels: they go by their numbers."])


def _picture(found: Network, picture: dict[str, Any], *, names: dict[int, str], marked: _Marked) -> None:
    feature, other = (None if one is None or found.place(one) is None else one for one in marked)
    network_component(
        {**picture, "chosen": feature, "other": other},
        key=PICTURE,
        clicked=partial(open_node, names),
    )


def _reading(found: Network, choices: Choices) -> str:
    colour = (
        "the colour how often it fires, from violet (rare) to amber (frequent) on a logarithmic scale"
        if choices.colour_by == "frequency"
        else "the colour its cluster"
    )
    return (
        f"Each node is a feature: the larger, the stronger it fires where it fires; {colour}. A line joins two that "
        "fire on the same texts, the thicker the higher the chosen measure; dashed, chance alone would give it. Where "
        f"nodes lie is laid out for reading (seed {found.seed}): nearness says less than a line. That two features "
        "fire together does not say that one brings about the other, nor that they mean the same."
    )
