"""Snippet of Fine-tune Diff's Train: the command that begins a training with the settings on screen."""

from typing import Any

from lib.encoders import PACKAGED
from lib.snippets.commands import Command
from lib.snippets.sae_features import by_command
from lib.snippets.snippet import Case, Snippet

OWN_TRIPLETS = "your-triplets.jsonl"
_METHODS = {"LoRA adapter": "lora", "all weights": "full"}
_LOSSES = {
    "InfoNCE": "infonce",
    "InfoNCE, cached": "cached infonce",
    "NT-Xent": "nt-xent",
    "triplet": "triplet",
    "cosine": "cosine",
}
_NEGATIVES = {"by BM25": "bm25", "by the encoder": "encoder", "as given": "given", "none": "none"}
_RANK = 8
_NUMBERS = (("tune_passes", "--epochs"), ("tune_batch", "--batch"), ("tune_temperature", "--temperature"),
            ("tune_margin", "--margin"), ("tune_tokens", "--max-tokens"), ("tune_steps", "--max-steps"),
            ("tune_rate", "--learning-rate"))  # fmt: skip
_SUGGESTED = (
    "The page suggests settings by how many pairs there are; the command begins with its own: choose `my own` to see "
    "every option written out."
)


def train(case: Case) -> Snippet | None:
    """Train: the command that begins it."""
    command = Command(case, "finetune")
    if case.choice("tune_data", ("Query set", "Pairs or triplets")) == "Query set":
        command.with_queries()
    else:
        command.option("--triplets", OWN_TRIPLETS)
    command.option("--encoder", case.encoder, usual=PACKAGED).option("--out", "my-checkpoint")
    if case.choice("tune_settings", ("suggested", "my own")) == "suggested":
        return by_command(command, _SUGGESTED)
    method = _METHODS[case.choice("tune_method", _METHODS)]
    command.option("--method", method, usual="lora")
    command.option("--loss", _LOSSES[case.choice("tune_loss", _LOSSES)], usual="infonce")
    command.option("--negatives", _NEGATIVES[case.choice("tune_negatives", _NEGATIVES)])
    for key, option in _NUMBERS:
        told: Any = case.typed(key)
        command.option(option, told if _is_number(told) else False)
    rank = case.whole("tune_rank", _RANK)
    if method == "lora" and rank != _RANK:
        command.option("--rank", rank).option("--alpha", 2.0 * rank)
    held = case.typed("tune_held_out").removesuffix(" %")
    command.option("--validation", int(held) / 100 if held.isdecimal() else False)
    command.option("--negatives-each", case.whole("tune_each", 1), usual=1)
    command.option("--seed", case.whole("tune_seed", 0), usual=0)
    if case.flag("tune_nested"):
        command.options("--matryoshka", [width for n in range(4) if (width := case.dimensions // 2**n) >= 16])
    return by_command(command, "It trains, and writes the checkpoint and its log into the folder after --out.")


def _is_number(told: str) -> bool:
    return told.replace(".", "", 1).isdecimal()
