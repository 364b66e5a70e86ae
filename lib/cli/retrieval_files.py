"""Files that `python -m lib retrieval` writes beside its JSON: a TREC run, a row per query, triplets for training."""

import argparse
import sys
from math import inf
from typing import Any

from lib.cli.inputs import check_suffix, write_table, write_text
from lib.cli.retrieval_case import Case
from lib.errors import InputError
from lib.retrieval import query_table, trec_run, triplets
from lib.retrieval.triplets import triplet_lines


def add_files(command: argparse.ArgumentParser) -> None:
    """Options that name files."""
    group = command.add_argument_group("files")
    group.add_argument("--trec-run", metavar="OUT", help="write the first documents of each query, as TREC has them")
    group.add_argument("--table", metavar="OUT", help="write a row per query as .csv or .parquet")
    group.add_argument(
        "--triplets", metavar="OUT", help="write triplets to train on (anchor, positive, negative) as .jsonl"
    )
    group.add_argument(
        "--triplet-negatives", type=int, default=1, metavar="N", help="negatives for each pair (default: 1)"
    )
    group.add_argument(
        "--triplet-margin",
        type=float,
        default=0.0,
        metavar="X",
        help="a negative that nobody judged scores so far below its true document, else it is left out (default: 0)",
    )
    group.add_argument("--triplet-marks", action="store_true", help="keep and mark those instead of leaving them out")


def check_files(chosen: argparse.Namespace) -> None:
    """Refuse names and settings of files that make no sense.

    Raises:
        InputError: there is one.
    """
    if chosen.table:
        check_suffix(chosen.table, ".csv", ".parquet")
    if chosen.triplets:
        check_suffix(chosen.triplets, ".jsonl")
    if chosen.triplet_negatives < 1 or not 0 <= chosen.triplet_margin < inf:
        raise InputError(
            "--triplet-negatives should be 1 or more and --triplet-margin 0 or more, "
            f"got {chosen.triplet_negatives} and {chosen.triplet_margin:g}."
        )


def write_files(case: Case) -> dict[str, Any]:
    """Write those that are asked for; what is reported of them."""
    chosen, queries, found = case.chosen, case.queries, case.found
    if chosen.trec_run:
        written = trec_run(queries, found.run)
        for notice in written.notices:
            print(notice, file=sys.stderr)
        write_text(written.text, chosen.trec_run)
    if chosen.table:
        write_table(query_table(queries, found.metrics, found.ranks, run=found.run), chosen.table)
    return {"triplets": _triplets(case)} if chosen.triplets else {}


def _triplets(case: Case) -> dict[str, Any]:
    chosen, queries = case.chosen, case.queries
    made = triplets(
        queries,
        case.negative_run,
        judged_scores=case.judged_scores,
        source=chosen.negatives,
        negatives=chosen.triplet_negatives,
        margin=chosen.triplet_margin,
        keep_suspicious=chosen.triplet_marks,
    )
    write_text(triplet_lines(queries, made, marks=chosen.triplet_marks), chosen.triplets)
    return {
        "triplets": len(made.query),
        "judged": int(made.explicit.sum()),
        "suspicious": int(made.suspicious.sum()),
        "left_out": made.left_out,
        "without": made.without,
        "margin": made.margin,
    }
