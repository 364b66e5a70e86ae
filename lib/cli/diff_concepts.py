"""`python -m lib diff-concepts`: which concepts a fine-tune gained or lost, and why a query got worse or better."""

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cli.diff import add_sides, check_sides, corpus_of_both
from lib.cli.inputs import Source, add_json, check_seed, progress, write
from lib.cli.retrieval_queries import queries_of
from lib.cli.sae_inputs import add_sae, sae_of
from lib.corpora import QuerySet
from lib.corpora.facts import about, about_queries
from lib.errors import InputError
from lib.results import to_json
from lib.sae.database import FeatureDatabase, find_database
from lib.sae.facts import about_sae
from lib.sae.sources import OpenedSae

if TYPE_CHECKING:
    from lib.finetune.concepts import ConceptDiff, WhyChanged

_TOP = 200


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser(
        "diff-concepts", help="what a fine-tune did to the features of the base's sparse autoencoder"
    )
    add_sides(command, corpus="texts that both embed, with topics as labels", queries="with --why")
    add_sae(command)
    command.add_argument("--why", metavar="ID", help="a query: which features moved its closest true document")
    command.add_argument("--top", type=int, default=_TOP, metavar="N", help=f"changed features (default: {_TOP})")
    command.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write; all that can be refused at once is refused before anything is encoded."""
    check_seed(chosen.seed)
    if chosen.top < 1:
        raise InputError(f"--top is a number of features of at least 1, got {chosen.top}.")
    if not chosen.corpus and not chosen.why:
        raise InputError("Concepts are told on a --corpus, or for one query with --queries and --why: give either.")
    if bool(chosen.why) != bool(chosen.queries):
        raise InputError("--why names a query of --queries: give both or neither.")
    check_sides(chosen)
    base, tuned = Source(chosen, chosen.base), Source(chosen, chosen.tuned)
    opened = sae_of(chosen, base.checkpoint)
    _check_widths(base, tuned)
    database = find_database(opened.folder, opened.sae)
    written: dict[str, Any] = {"base": base.facts(), "tuned": tuned.facts(), "sae": about_sae(opened)}
    if chosen.corpus:
        written |= _concepts(chosen, (base, tuned), opened, database)
    if chosen.why:
        queries = queries_of(chosen)
        written |= {"queries": about_queries(queries)} | _why(chosen.why, queries, (base, tuned), opened, database)
    write(to_json(written), chosen.json)


def _check_widths(base: Source, tuned: Source) -> None:
    if base.checkpoint.dimensions != tuned.checkpoint.dimensions:
        raise InputError(
            f"Features are directions in the base's space of {base.checkpoint.dimensions} dimensions, and "
            f"{tuned.checkpoint.source} makes vectors of {tuned.checkpoint.dimensions}: name a checkpoint that was "
            "tuned from the base, or pair two dictionaries with `sae match`."
        )


def _concepts(
    chosen: argparse.Namespace, sides: tuple[Source, Source], opened: OpenedSae, database: FeatureDatabase | None
) -> dict[str, Any]:
    from lib.finetune.concepts import ConceptSide, diff_concepts

    corpus = corpus_of_both(chosen)
    made = []
    for source in sides:
        vectors = source.embed(corpus.texts, corpus.name).vectors
        made.append(ConceptSide(vectors, opened.sae.encode(vectors)))
    tell = progress("shuffles", doing="Comparing")
    found = diff_concepts(opened.sae, *made, labels=corpus.labels, seed=chosen.seed, progress=tell)
    return {"corpus": about(corpus), "concepts": _written(found, database, chosen.top)}


def _written(found: "ConceptDiff", database: FeatureDatabase | None, top: int) -> dict[str, Any]:
    """The figures without arrays over the dictionary, and the changed features as a list."""
    from lib.finetune.concepts import KINDS, OFF_RULE, RULE

    def one(place: int, feature: int) -> dict[str, Any]:
        return {
            "feature": feature,
            "label": database.label(feature) if database is not None else None,
            "became": KINDS[found.kind[feature]],
            "change": found.change[feature],
            "error": found.error[feature],
            "frequency_base": found.frequency_base[feature],
            "frequency_tuned": found.frequency_tuned[feature],
            "came": found.came[feature],
            "went": found.went[feature],
            "q_value": found.q_value[feature],
            "p_firing": found.p_firing[feature],
            "change_by_topic": dict(zip(found.topics, found.topic_change[place].tolist(), strict=True)),
        }

    figures = ("by_chance", "replicated", "fvu_base", "fvu_tuned", "active_base", "active_tuned", "move", "seen")
    effective = ("texts", "features", "tested", "shuffles", "chance_texts", "seed")
    return {
        "counts": found.counts,
        "rule": RULE,
        "off_ground": found.off_ground,
        "off_rule": OFF_RULE,
        **{name: getattr(found, name) for name in (*figures, *effective)},
        "changed": [one(place, feature) for place, feature in enumerate(found.changed[:top].tolist())],
    }


def _why(
    asked: str,
    queries: QuerySet,
    sides: tuple[Source, Source],
    opened: OpenedSae,
    database: FeatureDatabase | None,
) -> dict[str, Any]:
    from lib.finetune.concepts import QuerySides, passed, why_changed
    from lib.finetune.concepts.why import closest_relevant

    if asked not in queries.query_ids:
        raise InputError(f"No query has the id {asked[:60]!r}: the first is {queries.query_ids[0]!r}.")
    row = queries.query_ids.index(asked)
    relevant = queries.judged_document[(queries.judged_query == row) & (queries.relevance > 0)]
    if not len(relevant):
        raise InputError(f"No document is relevant to the query {asked[:60]!r}, so it has no rank: name another one.")
    vectors = [
        (
            source.embed([queries.queries[row]], "the query", role="query").vectors[0],
            source.embed(queries.documents, "documents").vectors,
        )
        for source in sides
    ]
    both = QuerySides(*vectors[0], *vectors[1])
    document = closest_relevant(both, relevant, tie_order=queries.tie_order)
    duel = passed(both, relevant, relevant_document=document, tie_order=queries.tie_order)
    told: dict[str, Any] = {"query": asked, "text": queries.queries[row], "places": duel, "lead": None}
    if duel.rival is not None:
        found = why_changed(opened.sae, both, (document, duel.rival))
        told["relevant_id"], told["rival_id"] = queries.document_ids[document], queries.document_ids[duel.rival]
        told["lead"] = _lead(found, database)
    return {"why": told}


def _lead(found: "WhyChanged", database: FeatureDatabase | None) -> dict[str, Any]:
    order = np.argsort(-np.abs(found.parts), kind="stable")
    return {
        "before": found.lead_before,
        "after": found.lead_after,
        "measure": found.measure,
        "bias": found.bias_after - found.bias_before,
        "error": found.error_after - found.error_before,
        "error_share": found.error_share,
        "features": [
            {
                "feature": int(found.features[at]),
                "label": database.label(int(found.features[at])) if database is not None else None,
                "change": found.parts[at],
                "before": found.before[at],
                "after": found.after[at],
                "activation_base": found.activation_base[at],
                "activation_tuned": found.activation_tuned[at],
                "decides": bool(found.decides[at]),
            }
            for at in order.tolist()
        ],
    }
