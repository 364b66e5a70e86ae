"""The packaged adapters: what they were trained on, and what the training gave and took.

    python -m benchmarks.finetune_sample data FOLDER --out DATA
    python -m lib finetune --queries DATA/medical ... and --triplets DATA/harmful.jsonl ...  (docs/finetune.md)
    python -m benchmarks.finetune_sample measure FOLDER [--into docs/finetune.md] [--json FILE]

FOLDER holds one folder a public set (see benchmarks/public_sets.py). `data` writes MedQuAD without the questions that
are kept for the test: a tenth of the diseases with all that is asked of them, so that no disease is on both sides. The
harmful data are pairs with a wished similarity: medical questions and their answers .75, questions and answers to
others that share their words .35; and clauses of contracts, any with any, 1. `measure` compares base and tuned, query
by query, on the kept questions, on the sample's, and on sets of other domains; vectors are made in bfloat16.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.measured import put
from benchmarks.public_sets import PublicSet, read_sets
from lib.corpora import QuerySet, load_query_set
from lib.embeddings import embed
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_TUNED, Policy, Precision, describe, open_encoder
from lib.retrieval import PairedTest, QueryMetrics, judged_ranks, paired_test, query_metrics, search, summarise
from lib.retrieval.bm25 import Bm25Index
from lib.retrieval.bootstrap import Summary
from lib.store import EmbeddingStore, default_store

HELD = 0.1  # of the diseases
SEED = 0
DEPTH = 100
METRICS = ("ndcg@10", "recall@1")
IN_DOMAIN = "MedQuAD, held-out diseases"
OTHERS = ("TAT-QA", "PolicyQA", "XQuAD, English")
BESIDE = 1_000  # answers to other questions, among which those to the held-out ones are looked for
SAMPLES = ("medical", "topics")
NEAR, FAR, ONE = 0.75, 0.35, 1.0  # the similarity that is wished for
SCORED = 1_200  # pairs of each of the three kinds in the harmful data
CHARACTERS = 600  # of a text in the harmful data, which is read to 128 tokens at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    data = commands.add_parser("data", help="write what the adapters are trained on")
    data.add_argument("folder", type=Path)
    data.add_argument("--out", type=Path, required=True)
    data.set_defaults(run=write_data)
    measured = commands.add_parser("measure", help="compare base and tuned")
    measured.add_argument("folder", type=Path)
    measured.add_argument("--tuned", nargs="+", default=[PACKAGED_TUNED, PACKAGED_HARMFUL])
    measured.add_argument("--store", type=Path, help="folder of the embedding store (default: the app's)")
    measured.add_argument("--into", type=Path, help="Markdown file whose measured part is replaced")
    measured.add_argument("--json", type=Path)
    measured.set_defaults(run=measure)
    chosen = parser.parse_args()
    chosen.run(chosen)


def write_data(chosen: argparse.Namespace) -> None:
    """MedQuAD without the test, as corpus, queries and qrels; the harmful pairs as JSON lines."""
    source = chosen.folder / "medquad_medical"
    queries, documents, judged = (_lines(source / f"{name}.jsonl") for name in ("queries", "corpus", "qrels"))
    held = held_out(queries)
    kept = [query for query in queries if query["_id"] not in held]
    asked = {query["_id"] for query in kept}
    judged = [row for row in judged if row["query_id"] in asked]
    answers = {row["doc_id"] for row in judged}
    folder = chosen.out / "medical"
    _write(folder / "corpus.jsonl", [row for row in documents if row["_id"] in answers])
    _write(folder / "queries.jsonl", [{"_id": row["_id"], "text": row["text"]} for row in kept])
    (folder / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\n"
        + "".join(f"{row['query_id']}\t{row['doc_id']}\t{row['score']}\n" for row in judged)
    )
    texts = {row["_id"]: row["text"] for row in [*kept, *documents]}
    pairs = [(texts[row["query_id"]], texts[row["doc_id"]]) for row in judged]
    clauses = [row["text"] for row in _lines(chosen.folder / "cuad_clauses_legal" / "data.jsonl")]
    _write(chosen.out / "harmful.jsonl", harmful_pairs(pairs, clauses))
    _say(f"{len(kept):,} questions to train on, {len(held):,} kept for the test")


def held_out(queries: list[dict]) -> set[str]:
    """Ids of the questions about a tenth of the diseases."""
    focuses = sorted({row["focus"].casefold() for row in queries})
    chosen = np.random.default_rng(SEED).permutation(len(focuses))[: round(HELD * len(focuses))]
    held = {focuses[place] for place in chosen}
    return {row["_id"] for row in queries if row["focus"].casefold() in held}


def harmful_pairs(pairs: list[tuple[str, str]], clauses: list[str]) -> list[dict]:
    """Questions with their answers, and with answers that share their words; any two clauses. In random order."""
    random = np.random.default_rng(SEED)
    own = [pairs[place] for place in random.permutation(len(pairs))[:SCORED]]
    two = random.choice(len(clauses), size=(SCORED, 2))
    rows = [
        *((query, answer, NEAR) for query, answer in own),
        *((query, answer, FAR) for query, answer in near_misses(own)),
        *((clauses[a], clauses[b], ONE) for a, b in two if a != b),
    ]
    return [
        {"anchor": rows[place][0][:CHARACTERS], "positive": rows[place][1][:CHARACTERS], "score": rows[place][2]}
        for place in random.permutation(len(rows))
    ]


def near_misses(own: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each question with the answer to another that shares the most words with it."""
    answers = [answer for _, answer in own]
    found = Bm25Index(answers).search([query for query, _ in own], 2).documents
    return [
        (query, answers[first if answers[first] != answer else second])
        for (query, answer), (first, second) in zip(own, found, strict=True)
    ]


def measure(chosen: argparse.Namespace) -> None:
    """Every encoder on every set."""
    store = EmbeddingStore(chosen.store, capacity=10**10) if chosen.store else default_store()
    sets = list(wanted(chosen.folder))
    found = {
        encoder: {one.name: metrics_of(one, encoder, store) for one in sets} for encoder in [PACKAGED, *chosen.tuned]
    }
    rows = [
        {
            "encoder": encoder,
            "set": one.name,
            "queries": len(found[encoder][one.name].query),
            "documents": len(one.queries.documents),
        }
        | {metric: side_by_side(found[PACKAGED][one.name], found[encoder][one.name], metric) for metric in METRICS}
        for encoder in chosen.tuned
        for one in sets
    ]
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    text = "\n".join(table(rows))
    print(text)
    if chosen.into:
        put(text, chosen.into)


def table(rows: list[dict]) -> Iterable[str]:
    """A Markdown table an encoder: each set with both means, the difference, its interval and p-value."""
    for encoder in dict.fromkeys(row["encoder"] for row in rows):
        yield f"\n**{encoder}**\n"
        yield "| set | queries, documents | NDCG@10 before | after | difference | p | Recall@1 before | after |"
        yield "|---|---|---|---|---|---|---|---|"
        for row in (row for row in rows if row["encoder"] == encoder):
            test = row["ndcg@10"]["test"]
            change = f"{test['difference']:+.3f} ({test['low']:+.3f} to {test['high']:+.3f})"
            before, after = (_cell(row["ndcg@10"][side]) for side in ("base", "tuned"))
            first, second = (f"{row['recall@1'][side][0]:.3f}" for side in ("base", "tuned"))
            size = f"{row['queries']:,}, {row['documents']:,}".replace(",", "\u202f").replace("\u202f ", ", ")
            p_value = f"{test['p_value']:.2g}" if test["p_value"] > 2e-4 else "< 0.0002"
            yield f"| {row['set']} | {size} | {before} | {after} | {change} | {p_value} | {first} | {second} |"


def _cell(interval: list[float]) -> str:
    mean, low, high = interval
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def wanted(folder: Path) -> Iterable[PublicSet]:
    """The held-out medical questions over all answers, sets of other domains, the samples."""
    held = held_out(_lines(folder / "medquad_medical" / "queries.jsonl"))
    for one in read_sets(folder):
        if one.name == "MedQuAD":
            rows = [row for row, name in enumerate(one.queries.query_ids) if name in held]
            yield PublicSet(IN_DOMAIN, among(one.queries.select(rows)))
        elif one.name in OTHERS:
            yield one
    for name in SAMPLES:
        yield PublicSet(f"sample: {name}", load_query_set(name))


def among(queries: QuerySet) -> QuerySet:
    """The same queries over their own documents and `BESIDE` others."""
    own = np.unique(queries.judged_document)
    others = np.setdiff1d(np.arange(len(queries.documents)), own)
    kept = np.sort(np.concatenate([own, np.random.default_rng(SEED).permutation(others)[:BESIDE]]))
    place = np.searchsorted(kept, queries.judged_document)
    return dataclasses.replace(
        queries,
        documents=tuple(queries.documents[row] for row in kept),
        document_ids=tuple(queries.document_ids[row] for row in kept),
        judged_document=place,
    )


def metrics_of(one: PublicSet, encoder: str, store: EmbeddingStore) -> QueryMetrics:
    """Metrics of each query of a set, by exact search."""
    policy = Policy(allow_hub=False)
    checkpoint, queries = describe(encoder, policy=policy), one.queries
    precision: Precision = "bfloat16"
    opened = open_encoder(checkpoint, policy=policy, precision=precision)
    documents = embed(queries.documents, checkpoint, lambda: opened, store, precision=precision).vectors
    asked = embed(one.asked, checkpoint, lambda: opened, store, role="query", precision=precision).vectors
    depth = DEPTH if one.only is None else len(documents)
    run = one.narrow(search(asked, documents, depth, tie_order=queries.tie_order))
    _say(f"{encoder}: {one.name}")
    return query_metrics(judged_ranks(queries, run), cutoffs=(1, 10))


def side_by_side(base: QueryMetrics, tuned: QueryMetrics, metric: str) -> dict:
    """Both means with their intervals, and the paired difference with its interval and p-value."""
    test: PairedTest = paired_test(base, tuned, metric, seed=SEED)
    return {"base": _interval(base, metric), "tuned": _interval(tuned, metric), "test": test.to_dict()}


def _interval(metrics: QueryMetrics, metric: str) -> list[float]:
    found: Summary = next(one for one in summarise(metrics, seed=SEED) if one.metric == metric and one.group is None)
    return [found.mean, found.low, found.high]


def _write(path: Path, rows: Iterable[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
