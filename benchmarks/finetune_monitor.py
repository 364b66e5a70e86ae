"""What the Monitor costs a step of fine-tuning: the bare trainer beside the same with the callback, in one process.

    python -m benchmarks.finetune_monitor [--method lora|full] [--loss infonce|cached] [--batch 32] [--tokens 128]
                                          [--steps 8] [--turns 6] [--encoder FOLDER] [--every 1]

Both train copies of the same encoder on the same batches (the sample queries with their documents, texts made as long
as `--tokens` asks) and take turns of a few steps each, so that what else the machine does falls on both; each turn the
other one begins. A step is timed from one to the next, its data, the optimiser and all callbacks included; the first of
a turn is left out. The cost is the median over turns of the ratio of both medians, with the lowest and highest turn.
Beside it stand the same in processor time and the callback's own clock: steadier on a machine that is busy otherwise.
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MultipleNegativesRankingLoss,
)
from transformers import PrinterCallback, TrainerCallback

from lib.corpora import load_query_set
from lib.encoders.sources import packaged_folder
from lib.finetune.monitor import Monitor, describe_model, read_log
from lib.runs import events


class Timer(TrainerCallback):
    """When each step began, by the wall and by the processor."""

    def __init__(self) -> None:
        self.began: list[tuple[float, float]] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Note the time, when the device is done with what was asked before."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.began.append((time.perf_counter(), time.process_time()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="", help="folder of a sentence-transformers encoder (default: packaged)")
    parser.add_argument("--method", default="lora", choices=("lora", "full"))
    parser.add_argument("--loss", default="infonce", choices=("infonce", "cached"))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128, help="of each text (default 128)")
    parser.add_argument("--steps", type=int, default=8, help="of each side in a turn (default 8)")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--every", type=int, default=1, help="measure every n-th step")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    models = [encoder(options) for _ in range(2)]
    size = describe_model(models[0])
    print(
        f"{size.parameters / 1e6:.1f} million parameters, {size.trainable / 1e6:.2f} million trained; batch "
        f"{options.batch}, {options.tokens} tokens, {models[0].device}, {torch.get_num_threads()} threads\n"
    )
    took, shares = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.turns):
            row: list[tuple[float, float]] = [(0.0, 0.0)] * 2
            for side in ((0, 1), (1, 0))[turn % 2]:
                log = Path(folder) / f"{turn}.jsonl"
                row[side] = steps(models[side], options, log if side else None, turn)
                if side:
                    shares.append(read_log(events(log)[0]).monitor_share)
            took.append(row)
            bare, monitored = (1e3 * side[0] for side in row)
            print(f"turn {turn + 1}: bare {bare:.1f} ms, monitored {monitored:.1f} ms a step", flush=True)
    seconds = np.array(took)
    ratios, processor = (seconds[:, 1] / seconds[:, 0] - 1).T
    print(
        "\n| bare, ms a step | monitored | cost | turns | cost in processor time | turns | callback's own clock |\n"
        "|---|---|---|---|---|---|---|"
    )
    bare, monitored = 1e3 * np.median(seconds[:, :, 0], axis=0)
    print(
        f"| {bare:.1f} | {monitored:.1f} | {np.median(ratios):+.2%} | {ratios.min():+.1%} to {ratios.max():+.1%} | "
        f"{np.median(processor):+.2%} | {processor.min():+.1%} to {processor.max():+.1%} | {np.median(shares):.2%} |"
    )


def encoder(options: argparse.Namespace) -> SentenceTransformer:
    """What is trained, the same each time."""
    torch.manual_seed(0)
    model = SentenceTransformer(options.encoder or str(packaged_folder()))
    model.max_seq_length = options.tokens
    if options.method == "lora":
        from peft import LoraConfig

        model.add_adapter(LoraConfig(r=8, lora_alpha=16, target_modules=["query", "key", "value"]))
    return model


def pairs(options: argparse.Namespace, turn: int) -> Dataset:
    """As many sample queries and documents as a turn takes, repeated to the length asked for."""
    found = load_query_set("topics")
    most = options.batch * (options.steps + 1)
    rows = np.random.default_rng(turn).integers(0, len(found.judged_query), most)

    def long(text: str) -> str:
        return " ".join(text.split() * options.tokens)[: 8 * options.tokens]

    return Dataset.from_dict(
        {
            "anchor": [long(found.queries[found.judged_query[row]]) for row in rows],
            "positive": [long(found.documents[found.judged_document[row]]) for row in rows],
        }
    )


def steps(model: SentenceTransformer, options: argparse.Namespace, log: Path | None, turn: int) -> tuple[float, float]:
    """Median seconds of a step in one turn of one side, by the wall and by the processor."""
    timer = Timer()
    args = SentenceTransformerTrainingArguments(
        output_dir=tempfile.gettempdir(), max_steps=options.steps + 1, per_device_train_batch_size=options.batch,
        report_to="none", disable_tqdm=True, save_strategy="no", logging_steps=10_000, seed=turn,
    )  # fmt: skip
    loss = (
        MultipleNegativesRankingLoss(model)
        if options.loss == "infonce"
        else CachedMultipleNegativesRankingLoss(model, mini_batch_size=max(1, options.batch // 4))
    )
    trainer = SentenceTransformerTrainer(
        model=model, args=args, train_dataset=pairs(options, turn), loss=loss,
        callbacks=[timer, *([Monitor(log, every=options.every)] if log else [])],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    wall, processor = np.median(np.diff(np.array(timer.began), axis=0)[1:], axis=0).tolist()
    return wall, processor


if __name__ == "__main__":
    main()
