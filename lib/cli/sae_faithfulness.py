"""`python -m lib sae faithfulness`: which features carry retrieval on a query set, and why one document is found."""

import argparse
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lib import tables
from lib.cli.inputs import Source, add_encoder, add_json, check_seed, progress, write
from lib.cli.retrieval_queries import add_queries, queries_of
from lib.cli.sae_inputs import add_sae, sae_of
from lib.corpora import QuerySet
from lib.corpora.facts import about_queries
from lib.errors import InputError
from lib.results import to_json
from lib.retrieval import Gain
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.facts import about_sae, label_of
from lib.sae.faithfulness import LINEAR, Faithfulness, Why, cumulative_curves, faithfulness, why
from lib.sae.faithfulness.table import feature_table

_TOP = 20


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("faithfulness", help="what NDCG loses without each feature, and without many")
    add_queries(command)
    add_sae(command)
    add_encoder(command)
    command.add_argument("--cutoff", type=int, default=10, metavar="K", help="of NDCG (default: 10)")
    command.add_argument("--gain", choices=get_args(Gain), default="linear", help="of grades (default: linear)")
    command.add_argument("--measure", choices=LINEAR, default="cosine", help="what scores are (default: cosine)")
    command.add_argument(
        "--negligible", type=float, default=0.005, metavar="D", help="a drop that makes no difference (default: .005)"
    )
    command.add_argument("--draws", type=int, default=10, metavar="N", help="of each control (default: 10)")
    command.add_argument("--seed", type=int, default=0, help="of intervals, controls and halves (default: 0)")
    command.add_argument("--no-curves", action="store_true", help="leave the cumulative curves out")
    command.add_argument(
        "--why",
        nargs="+",
        action="append",
        default=[],
        metavar=("QUERY", "DOCUMENT"),
        help="ids of a query and of one document or two: the features that carry the score, and with two documents "
        "those by which the first leads; may be given repeatedly",
    )
    command.add_argument("--csv", metavar="OUT", help="where to write the table of all features")
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write; what can be refused at once is refused before anything is encoded."""
    check_seed(chosen.seed)
    queries = queries_of(chosen)
    pairs = [_rows(asked, queries) for asked in chosen.why]
    source = Source(chosen)
    opened = sae_of(chosen, source.checkpoint)
    database = find_database(opened.folder, opened.sae)
    documents = source.embed(queries.documents, f"documents of {queries.name}").vectors
    asked = source.embed(queries.queries, f"queries of {queries.name}", role="query").vectors
    given = (opened.sae, queries, asked, documents)
    settings: dict[str, Any] = {"k": chosen.cutoff, "gain": chosen.gain, "measure": chosen.measure, "seed": chosen.seed}
    found = faithfulness(
        *given, **settings, negligible=chosen.negligible, draws=chosen.draws,
        progress=progress("features", doing="Taking out"),
    )  # fmt: skip
    curves = None
    if not chosen.no_curves and found.texts > 1:  # else there is no other half
        curves = cumulative_curves(*given, **settings, progress=progress("curves", doing="Following"))
    if chosen.csv:
        _write_table(found, database, Path(chosen.csv))
    explained = []
    for row, rows in pairs:
        made = why(opened.sae, asked[row], np.asarray(documents[rows]), measure=chosen.measure)
        explained.append(_explained(queries, row, rows, made, database))
    write(
        {
            "queries": about_queries(queries),
            "encoder": source.facts(),
            "sae": about_sae(opened),
            "faithfulness": _told(found, database),
            "curves": None if curves is None else curves.to_dict(),
            "why": explained,
        },
        chosen.json,
    )


def _rows(asked: list[str], queries: QuerySet) -> tuple[int, list[int]]:
    """Rows of a query and of its one or two documents, of their ids."""
    if not 2 <= len(asked) <= 3:
        raise InputError(f"--why takes the ids of a query and of one or two documents, got {len(asked)} ids.")
    for what, wanted, known in (("query", asked[:1], queries.query_ids), ("document", asked[1:], queries.document_ids)):
        missing = next((one for one in wanted if one not in known), None)
        if missing is not None:
            raise InputError(f"--why names the {what} {missing!r}, and {queries.name} has none of that id.")
    return queries.query_ids.index(asked[0]), [queries.document_ids.index(one) for one in asked[1:]]


def _told(found: Faithfulness, database: FeatureDatabase | None) -> dict[str, Any]:
    made = found.to_dict()
    made["labels"] = [label_of(database, feature) for feature in found.features.tolist()]
    made["counts"] = {verdict: found.count(verdict) for verdict in sorted(set(found.verdict))}
    return made


def _write_table(found: Faithfulness, database: FeatureDatabase | None, path: Path) -> None:
    table = feature_table(found, [label_of(database, feature) for feature in found.features.tolist()])
    try:
        path.write_bytes(tables.csv(table, mark=False))
    except OSError as fault:
        raise InputError(f"{path.name} cannot be written: {fault.strerror}.") from None


def _explained(
    queries: QuerySet, row: int, rows: list[int], made: Why, database: FeatureDatabase | None
) -> dict[str, Any]:
    def parts(of: Why, at: int) -> dict[str, Any]:
        order = of.order(at)
        order = order if len(order) <= 2 * _TOP else np.concatenate([order[:_TOP], order[-_TOP:]])
        features = [
            {
                "feature": int(of.features[place]),
                "label": label_of(database, int(of.features[place])),
                "activation": of.activations[place],
                "part": of.parts[at, place],
            }
            for place in order
        ]
        whole = {"score": of.scores[at], "bias": of.bias[at], "error": of.error[at], "features": of.parts[at].sum()}
        told: dict[str, Any] = to_json(whole | {"strongest": features})
        return told

    told: dict[str, Any] = {
        "query": queries.query_ids[row],
        "documents": [
            {"document": queries.document_ids[document]} | parts(made, at) for at, document in enumerate(rows)
        ],
    }
    if len(rows) == 2:
        lead = made.lead(0, 1)
        told["lead"] = parts(lead, 0) | {"turns": to_json(lead.features[lead.turns()])}
    return told
