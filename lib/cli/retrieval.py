"""`python -m lib retrieval`: how well an encoder retrieves on a query set, and all that the page tells of why."""

import argparse
from dataclasses import replace
from typing import Any, get_args

from lib.cli import retrieval_parts as parts
from lib.cli.inputs import Source, add_encoder, add_json, check_seed, write
from lib.cli.retrieval_case import Case
from lib.cli.retrieval_files import add_files, check_files, write_files
from lib.cli.retrieval_queries import add_queries, queries_of
from lib.cli.retrieval_systems import add_systems, bm25, comparison, rivals_of
from lib.corpora.facts import about_queries
from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.retrieval import Gain, Measure, evaluate, hard_negatives
from lib.retrieval.negatives import Source as NegativeSource


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("retrieval", help="how well an encoder retrieves on a query set")
    add_queries(command)
    group = command.add_argument_group("the measurement")
    add_encoder(group)
    group.add_argument("--measure", choices=get_args(Measure), default="cosine", help="(default: cosine)")
    group.add_argument("--gain", choices=get_args(Gain), default="linear", help="of NDCG; trec_eval's is linear")
    group.add_argument("--cutoffs", nargs="+", type=int, default=[1, 5, 10], metavar="K", help="(default: 1 5 10)")
    group.add_argument(
        "--negatives",
        choices=get_args(NegativeSource),
        default="mined",
        help="hard negatives: mined, the encoder's first that are not relevant (default); explicit, those judged 0 "
        "where there are some; BM25, BM25's first",
    )
    group.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    add_systems(command)
    parts.add_parts(command)
    add_files(command)
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write; all that can be refused at once is refused before anything is encoded."""
    check_seed(chosen.seed)
    check_files(chosen)
    judge = parts.check_parts(chosen)
    queries, source = queries_of(chosen), Source(chosen)
    rivals = rivals_of(chosen, source)
    documents = source.embed(queries.documents, "documents")
    asked = source.embed(queries.queries, "queries", role="query")
    found = evaluate(
        queries,
        asked.vectors,
        documents.vectors,
        measure=chosen.measure,
        gain=chosen.gain,
        cutoffs=chosen.cutoffs,
        system=source.checkpoint.source,
        seed=chosen.seed,
    )
    case = _with_negatives(Case(chosen, queries, source, asked, documents, found))
    counts = {"truncated_queries": asked.truncated, "truncated_documents": documents.truncated}
    result = {"queries": about_queries(queries), "encoder": source.facts() | counts, **case.found.report()}
    result |= _sections(case, judge)
    if chosen.bm25:
        result["bm25"] = bm25(case)
    if rivals or chosen.cuts:
        result["comparison"] = comparison(case, rivals)
    write(result | write_files(case), chosen.json)


def _with_negatives(case: Case) -> Case:
    """With the hard negatives that are asked for; the evaluation has mined ones."""
    source = case.chosen.negatives
    if source == "mined" or case.found.negatives is None:
        return case
    made = hard_negatives(
        case.queries, case.negative_run, judged_scores=case.judged_scores, source=source, seed=case.chosen.seed
    )
    return replace(case, found=replace(case.found, negatives=made))


def _sections(case: Case, judge: CrossCheckpoint | None) -> dict[str, Any]:
    """Those that are asked for, by name."""
    chosen = case.chosen
    made: dict[str, Any] = {}
    if chosen.sizes is not None:
        made["sizes"] = parts.sizes(case)
    if judge is not None:
        made["reranking"], negatives = parts.reranking(case, judge)
        made["hard_negatives"] = None if negatives is None else negatives.to_dict()
    if chosen.late is not None:
        made["late"] = parts.late(case)
    if chosen.prompts is not None:
        made["prompts"] = parts.prompts(case)
    if chosen.chunks is not None:
        made["chunks"] = parts.chunks(case)
    return made
