"""`python -m lib sae network`: which features fire on the same texts, and what chance alone would give."""

import argparse
from typing import TYPE_CHECKING, Any

from lib import tables
from lib.cli.inputs import add_corpus, check_seed, progress, write, write_text
from lib.cli.sae_inputs import add_sae, taken_apart
from lib.corpora.facts import about
from lib.results import to_json
from lib.sae.facts import about_sae
from lib.sae.network.graph import MEASURES
from lib.sae.network.settings import DEFAULT_FEATURES, DEFAULT_MEASURE, DEFAULT_THRESHOLDS, MOST_FEATURES

if TYPE_CHECKING:
    from lib.sae.network import Cluster, Network


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("network", help="which features fire on the same texts, and clusters of them")
    add_sae(command)
    add_corpus(command)
    command.add_argument(
        "--features",
        type=int,
        default=DEFAULT_FEATURES,
        metavar="N",
        help=f"features of the largest total activation, 2 to {MOST_FEATURES:,} (default: {DEFAULT_FEATURES})",
    )
    command.add_argument(
        "--measure",
        choices=MEASURES,
        default=DEFAULT_MEASURE,
        help=f"what the weight of an edge is (default: {DEFAULT_MEASURE})",
    )
    least = ", ".join(f"{name} {value:g}" for name, value in DEFAULT_THRESHOLDS.items())
    command.add_argument("--threshold", type=float, metavar="T", help=f"least weight of an edge (default: {least})")
    command.add_argument(
        "--everywhere",
        type=float,
        default=0.5,
        metavar="S",
        help="leave out features on the share S of the texts or more (default: 0.5)",
    )
    command.add_argument("--show-everywhere", action="store_true", help="leave none of these out")
    command.add_argument(
        "--feature",
        type=int,
        action="append",
        metavar="F",
        help="show this feature, and only those named so; may be given repeatedly",
    )
    command.add_argument("--most-edges", type=int, default=3_000, metavar="N", help="keep the N heaviest edges")
    command.add_argument("--shuffles", type=int, default=20, metavar="N", help="shuffled networks (default: 20)")
    command.add_argument("--seed", type=int, default=0, help="of shuffles, clusters and layout (default: 0)")
    command.add_argument("--html", metavar="OUT", help="write the picture as one HTML file that works offline")
    command.add_argument("--graphml", metavar="OUT", help="write the network as GraphML")
    command.add_argument("--edges", metavar="OUT", help="write the edges as CSV")
    command.add_argument("--nodes", metavar="OUT", help="write the features as CSV")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Count and write."""
    from lib.sae.network import bridges, network
    from lib.sae.network import describe as clusters_of

    check_seed(chosen.seed)
    corpus, opened, database, _, made_by, codes = taken_apart(chosen)
    found = network(
        codes,
        most=chosen.features,
        threshold=chosen.threshold,
        measure=chosen.measure,
        hide_everywhere=not chosen.show_everywhere,
        everywhere=chosen.everywhere,
        chosen=chosen.feature,
        most_edges=chosen.most_edges,
        shuffles=chosen.shuffles,
        seed=chosen.seed,
        progress=progress("networks", doing="Shuffling"),
    )
    labels = [database.label(feature) if database else None for feature in found.features.tolist()]
    clusters = clusters_of(found, labels, corpus.labels, codes)
    _files(found, labels, clusters, chosen)
    write(
        {
            "corpus": about(corpus),
            "encoder": made_by,
            "sae": about_sae(opened),
            **_settings(found),
            "nodes": _nodes(found, labels),
            "edges": _edges(found),
            "clusters": [cluster.to_dict() for cluster in clusters],
            "bridges": [bridge.to_dict() for bridge in bridges(found)],
        },
        chosen.json,
    )


def _settings(network: "Network") -> dict[str, Any]:
    """What was asked, and counts."""
    told = (
        "measure", "threshold", "texts", "active", "hidden", "everywhere_from", "shown_of", "looked_at", "passed",
        "most_edges", "modularity", "false_discovery", "shuffles", "null_edges", "null_edges_low", "null_edges_high",
        "seed",
    )  # fmt: skip
    made: dict[str, Any] = {name: to_json(getattr(network, name)) for name in told}
    return made | {"features": len(network), "edges_kept": network.edges, "chance_edges": int(network.chance.sum())}


def _nodes(network: "Network", labels: list[str | None]) -> list[dict[str, Any]]:
    from lib.sae.network import node_table

    rows = node_table(network).drop(columns="name").to_dict("records")
    return [{"feature": row.pop("feature"), "label": label} | row for row, label in zip(rows, labels, strict=True)]


def _edges(network: "Network") -> list[dict[str, Any]]:
    from lib.sae.network import edge_table

    made: list[dict[str, Any]] = to_json(edge_table(network).drop(columns=["name_a", "name_b"]).to_dict("records"))
    return made


def _files(
    network: "Network", labels: list[str | None], clusters: "tuple[Cluster, ...]", chosen: argparse.Namespace
) -> None:
    """The files that were asked for beside the JSON."""
    from lib.charts.network_html import standalone_html
    from lib.sae.network import edge_table, graphml, node_table

    names = [
        f"{feature} · {label}" if label else f"feature {feature}"
        for feature, label in zip(network.features.tolist(), labels, strict=True)
    ]
    called = [cluster.name for cluster in clusters]
    wanted = (
        (chosen.html, lambda: standalone_html(network, names, clusters=called)),
        (chosen.graphml, lambda: graphml(network, names)),
        (chosen.edges, lambda: tables.csv(edge_table(network, names), mark=False).decode()),
        (chosen.nodes, lambda: tables.csv(node_table(network, names), mark=False).decode()),
    )
    for out, text in wanted:
        if out is not None:
            write_text(text(), out)
