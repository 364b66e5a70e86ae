"""The layers of an encoder side by side: lib.layers against a loop that stores the states of all layers of all texts.

    python -m benchmarks.layers [--texts 2500 10000] [--rounds 2] [--corpus FILE.jsonl]

Both answer, for each of the packaged encoder's layers: the mean cosine over all pairs, linear CKA with the last layer,
the components that hold 95 % of the variance, and the overlap of the ten nearest neighbours among 1,000 texts. The
loop is what one would write with transformers and scikit-learn: texts sorted by length, batches of 64, pooled states
of every layer kept, then one layer after the other. lib.layers also takes within- and between-label means, baselines,
participation ratio, TwoNN and the CKA of every two layers.

Each turn is a process of its own. Time is that of the work alone, without imports and without loading the encoder;
memory is the largest growth of anonymous memory meanwhile (Linux).
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.encode import DEFAULT_CORPUS
from benchmarks.geometry import cost

SAMPLE, NEIGHBOURS, BATCH = 1_000, 10, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, nargs="+", default=[2_500, 10_000], help="sizes to measure")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each side (default 2)")
    parser.add_argument("--corpus", type=Path, help='JSONL with "text" (default: made of the sample\'s sentences)')
    parser.add_argument("--turn", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(turn(options.turn, draw(options.corpus, options.texts[0]))))
        return
    print("| texts | lib.layers, s | MB | loop that stores everything, s | MB | time | memory |")
    print("|---|---|---|---|---|---|---|")
    for count in options.texts:
        turns: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        for _ in range(options.rounds):
            for side, found in turns.items():
                found.append(in_own_process(side, count, options.corpus))
        (own, own_mb), (other, other_mb) = (
            (min(one["seconds"] for one in found), max(one["megabytes"] for one in found)) for found in turns.values()
        )
        apart = np.abs(np.array(turns["ours"][0]["cosines"]) - turns["theirs"][0]["cosines"]).max()
        print(
            f"| {count:,} | {own:.1f} | {own_mb:.0f} | {other:.1f} | {other_mb:.0f} | {other / own:.2f} | "
            f"{other_mb / own_mb:.1f} |   (mean cosines differ by {apart:.0e} at most)",
            flush=True,
        )


def in_own_process(side: str, texts: int, corpus: Path | None) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.layers", "--turn", side, "--texts", str(texts)]
    command += ["--corpus", str(corpus)] if corpus else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def draw(corpus: Path | None, count: int) -> list[str]:
    """Distinct texts: lines of a corpus, or eight words of one of the sample's texts and eight of another."""
    rng = random.Random(0)  # noqa: S311
    lines = (corpus or DEFAULT_CORPUS).read_text(encoding="utf-8").splitlines()
    found = list(dict.fromkeys(json.loads(line)["text"] for line in lines if line.strip()))
    if corpus:
        return rng.sample(found, min(count, len(found)))
    made: dict[str, None] = {}
    while len(made) < count:
        one, other = (rng.choice(found).split() for _ in range(2))
        made[" ".join(one[:8] + other[-8:])] = None
    return list(made)


def turn(side: str, texts: list[str]) -> dict[str, object]:
    """One side's seconds, megabytes, and mean cosines by layer."""
    found: list[list[float]] = []
    if side == "ours":
        from lib.encoders import PACKAGED, Policy, open_encoder
        from lib.layers.build_up import layer_build_up

        encoder = open_encoder(PACKAGED, policy=Policy())
        layer_build_up(encoder, texts[:64])  # imports, threads
        seconds, megabytes = cost(lambda: found.append(list(layer_build_up(encoder, texts).mean_cosine[:-1])))
    else:
        from sentence_transformers import SentenceTransformer

        from lib.encoders import PACKAGED, Policy, describe

        model = SentenceTransformer(str(describe(PACKAGED, policy=Policy()).path), device="cpu")
        stored(model, texts[:64])
        seconds, megabytes = cost(lambda: found.append(stored(model, texts)))
    return {"seconds": seconds, "megabytes": megabytes, "cosines": [float(value) for value in found[0]]}


def stored(model: object, texts: list[str]) -> list[float]:
    """Mean cosine by layer, with CKA, components and neighbours computed on the way, from stored states."""
    import torch
    from sklearn.decomposition import PCA
    from sklearn.metrics.pairwise import cosine_similarity
    from sklearn.neighbors import NearestNeighbors

    transformer = model[0].auto_model
    ordered = sorted(texts, key=len, reverse=True)
    kept = []
    for start in range(0, len(ordered), BATCH):
        inputs = model.tokenizer(
            ordered[start : start + BATCH], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.inference_mode():
            states = torch.stack(transformer(**inputs, output_hidden_states=True).hidden_states)
            mask = inputs["attention_mask"][None, :, :, None]
            kept.append(((states * mask).sum(2) / mask.sum(2)).numpy())
    layers = np.concatenate(kept, axis=1)  # (layers + 1, n, d)
    layers /= np.linalg.norm(layers, axis=2, keepdims=True)
    chosen = np.random.default_rng(0).permutation(len(ordered))[:SAMPLE]
    last = layers[-1] - layers[-1].mean(axis=0)
    cosines = []
    for layer in layers:
        similarity = cosine_similarity(layer)
        cosines.append(float((similarity.sum(dtype=np.float64) - len(layer)) / (len(layer) * (len(layer) - 1))))
        centred = layer - layer.mean(axis=0)
        np.linalg.norm(centred.T @ last) ** 2 / np.linalg.norm(centred.T @ centred) / np.linalg.norm(last.T @ last)
        np.searchsorted(np.cumsum(PCA().fit(layer).explained_variance_ratio_), 0.95)
        NearestNeighbors(n_neighbors=NEIGHBOURS + 1, metric="cosine").fit(layer[chosen]).kneighbors(layer[chosen])
    return cosines


if __name__ == "__main__":
    main()
