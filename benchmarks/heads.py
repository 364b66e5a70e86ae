"""Attention heads side by side: lib.layers against a loop that asks transformers for the maps of one text at a time.

    python -m benchmarks.heads [--texts 500] [--rounds 2] [--corpus FILE.jsonl]

Both answer, for each head of the packaged encoder: the entropy of its attention over the real tokens, divided by its
maximum, averaged over tokens and then over texts. lib.layers also takes its spread, where the head looks, and what it
adds to the residual stream. A second loop pads batches of 32 and keeps the maps of all layers of a batch, as is often
written; it answers the same.

Each turn is a process of its own. Time is that of the work alone, without imports and without loading the encoder;
memory is the largest growth of anonymous memory meanwhile (Linux).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.geometry import cost
from benchmarks.layers import draw

BATCH = 32
SIDES = {"ours": "lib.layers", "one": "one text at a time", "batches": "batches of 32"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, nargs="+", default=[500], help="sizes to measure")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each side (default 2)")
    parser.add_argument("--corpus", type=Path, help='JSONL with "text" (default: made of the sample\'s sentences)')
    parser.add_argument("--turn", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(turn(options.turn, draw(options.corpus, options.texts[0]))))
        return
    print("| texts | way | s | MB | time | largest difference |")
    print("|---|---|---|---|---|---|")
    for count in options.texts:
        turns: dict[str, list[dict]] = {side: [] for side in SIDES}
        for _ in range(options.rounds):
            for side, found in turns.items():
                found.append(in_own_process(side, count, options.corpus))
        ours = min(found["seconds"] for found in turns["ours"])
        for side, found in turns.items():
            seconds, megabytes = min(one["seconds"] for one in found), max(one["megabytes"] for one in found)
            apart = np.abs(np.array(found[0]["entropy"]) - turns["ours"][0]["entropy"]).max()
            figures = f"{seconds:.1f} | {megabytes:.0f} | {seconds / ours:.2f} | {apart:.0e}"
            print(f"| {count:,} | {SIDES[side]} | {figures} |", flush=True)


def in_own_process(side: str, texts: int, corpus: Path | None) -> dict:
    command = [sys.executable, "-m", "benchmarks.heads", "--turn", side, "--texts", str(texts)]
    command += ["--corpus", str(corpus)] if corpus else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def turn(side: str, texts: list[str]) -> dict:
    """One side's seconds, megabytes, and entropies."""
    from lib.encoders import PACKAGED, Policy, describe, open_encoder
    from lib.layers.attention import head_entropy

    found: list[np.ndarray] = []
    if side == "ours":
        encoder = open_encoder(PACKAGED, policy=Policy())
        head_entropy(encoder, texts[:32])  # imports, threads
        seconds, megabytes = cost(lambda: found.append(head_entropy(encoder, texts, sample=len(texts)).entropy))
    else:
        from transformers import AutoModel, AutoTokenizer

        path = str(describe(PACKAGED, policy=Policy()).path)
        model = AutoModel.from_pretrained(path, attn_implementation="eager").eval()
        tokenizer = AutoTokenizer.from_pretrained(path)
        size = 1 if side == "one" else BATCH
        loop(model, tokenizer, texts[:32], size)
        seconds, megabytes = cost(lambda: found.append(loop(model, tokenizer, texts, size)))
    return {"seconds": seconds, "megabytes": megabytes, "entropy": found[0].tolist()}


def loop(model: object, tokenizer: object, texts: list[str], size: int) -> np.ndarray:
    """Mean normalised entropy by layer and head from the maps of all layers of a batch."""
    import torch

    entropies = []
    for start in range(0, len(texts), size):
        batch = texts[start : start + size]
        inputs = tokenizer(batch, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            maps = torch.stack(model(**inputs, output_attentions=True).attentions)  # (layers, b, heads, t, t)
            lengths = inputs["attention_mask"].sum(dim=1)
            rows = torch.special.entr(maps).sum(dim=-1) / lengths.log()[None, :, None, None]
            real = inputs["attention_mask"][None, :, None]
            entropies.append(((rows * real).sum(dim=-1) / lengths[None, :, None]).numpy())
    return np.concatenate(entropies, axis=1).mean(axis=1)


if __name__ == "__main__":
    main()
