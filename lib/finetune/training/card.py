"""Card: the README of what a training made, for people and for the hub. It holds no text that was trained on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lib.encoders import PACKAGED, Checkpoint
from lib.encoders.sources import PACKAGED_ID
from lib.finetune.sources import RUN
from lib.finetune.training.course import METRIC
from lib.finetune.training.journal import percent
from lib.finetune.training.outcome import Tuned
from lib.finetune.training.settings import TrainingSettings
from lib.retrieval.bootstrap import Summary

_METHOD = {"lora": "LoRA", "full": "a full fine-tune"}


def card(tuned: Tuned, settings: TrainingSettings, checkpoint: Checkpoint, data: dict[str, Any]) -> str:
    """The README; `data` is what the data says of itself, without its texts."""
    return "\n".join([*_head(tuned, checkpoint), *_body(tuned, settings, checkpoint, data), ""])


def base_name(checkpoint: Checkpoint) -> str:
    """What others may call the base: its hub id, or the name of its folder without the folders above it; no run's."""
    if checkpoint.source == PACKAGED:
        return PACKAGED_ID
    if checkpoint.source.startswith(RUN):
        return "an earlier fine-tune"  # whoever has the name of a run can look at it, and stop it
    return Path(checkpoint.source).name if Path(checkpoint.source).is_dir() else checkpoint.source


def _head(tuned: Tuned, checkpoint: Checkpoint) -> list[str]:
    lines = ["---", f"library_name: {'peft' if tuned.adapter else 'sentence-transformers'}"]
    if checkpoint.licence:
        lines.append(f"license: {checkpoint.licence}")
    base = base_name(checkpoint)
    if "/" in base:
        lines.append(f"base_model: {base}")
    tags = ["sentence-transformers", "feature-extraction", *(["lora"] if tuned.adapter else [])]
    return [*lines, "pipeline_tag: sentence-similarity", "tags:", *(f"- {tag}" for tag in tags), "---", ""]


def _body(tuned: Tuned, settings: TrainingSettings, checkpoint: Checkpoint, data: dict[str, Any]) -> list[str]:
    base = base_name(checkpoint)
    share = 100 * tuned.trainable / tuned.parameters
    counts = data["counts"]
    lines = [
        f"# {base.rsplit('/', 1)[-1]}, tuned on {_plain(data['name'])}",
        "",
        f"{'A LoRA adapter of' if tuned.adapter else 'A whole encoder, tuned from'} `{base}`, trained with Embedscope "
        f"by {_METHOD[settings.method]}: {tuned.trainable:,} of {tuned.parameters:,} numbers ({percent(share)} %).",
        "",
        "## How it was trained",
        "",
        f"- Data: {_plain(data['name'])}; {counts['examples']:,} pairs of {counts['queries']:,} queries, "
        f"{_negatives(data.get('mined') or {})}; {counts['validation_queries']:,} queries held out.",
        f"- Loss: {settings.loss}{_of_loss(settings)}.",
        f"- Steps: {tuned.steps:,} of {settings.batch:,} pairs ({tuned.reason}); the weights of step "
        f"{tuned.best_step:,} were kept. Learning rate {settings.rate:g}, seed {settings.seed}.",
        f"- Ran {tuned.seconds:,.0f} s in {tuned.precision} on {tuned.device}.",
        "",
        "## What came of it",
        "",
        *_found(tuned),
        "",
        "What it forgot elsewhere is not in this table: compare it with its base on texts of other kinds.",
        "",
        "## Using it",
        "",
        "```python",
        "from sentence_transformers import SentenceTransformer",
        "",
        'model = SentenceTransformer("FOLDER OR HUB ID")',
        "```",
    ]
    prompts = checkpoint.prompts
    if prompts.query or prompts.document:
        lines += ["", f"Queries begin with {prompts.query!r}, documents with {prompts.document!r}, as in training."]
    return lines


def _negatives(mined: dict[str, Any]) -> str:
    """How many each pair has, and where they come from."""
    if not mined.get("each"):
        return "no negatives of their own"
    by = {"bm25": "by BM25", "encoder": "by the encoder"}.get(mined["method"], "")
    parts = ((mined["given"], "given"), (mined["mined"], f"mined {by}"), (mined["drawn"], "drawn at random"))
    told = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"{mined['each']} {'negative' if mined['each'] == 1 else 'negatives'} each ({told})"


def _of_loss(settings: TrainingSettings) -> str:
    told = f", temperature {settings.temperature:g}" if settings.in_batch else ""
    if settings.loss == "triplet":
        told = f", margin {settings.margin:g}"
    widths = ", ".join(map(str, settings.matryoshka))
    return told + (f", Matryoshka at {widths}" if widths else "")


def _found(tuned: Tuned) -> list[str]:
    found = tuned.validation
    if found is None:
        return ["Nothing was held out, so nothing is known of its quality."]
    rows = [
        f"| {test.metric} | {_interval(before)} | {_interval(after)} | {test.difference:+.3f} ({test.low:+.3f} to "
        f"{test.high:+.3f}) | {p_value:.2g} |"
        for before, after, test, p_value in zip(found.before, found.after, found.tests, found.adjusted, strict=True)
    ]
    return [
        f"{found.queries:,} queries held out, over {found.documents:,} documents, means with 95 % intervals; p-values "
        "of a paired test, Holm's correction over the rows. The step was chosen by the same queries.",
        "",
        "| metric | before | after | difference | p |",
        "|---|---|---|---|---|",
        *rows,
        *_found_cut(tuned),
    ]


def _found_cut(tuned: Tuned) -> list[str]:
    if not tuned.widths:
        return []
    return [
        "",
        "NDCG@10 with vectors cut to their first dimensions:",
        "",
        "| width | before | after |",
        "|---|---|---|",
        *(
            f"| {width} | {_interval(_of(cut.before))} | {_interval(_of(cut.after))} |"
            for width, cut in tuned.widths.items()
        ),
    ]


def _of(summaries: Iterable[Summary]) -> Summary:
    return next(summary for summary in summaries if summary.metric == METRIC)


def _interval(summary: Summary) -> str:
    return f"{summary.mean:.3f} ({summary.low:.3f} to {summary.high:.3f})"


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, in one line."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#|!" else char for char in " ".join(text.split()))[:200]
