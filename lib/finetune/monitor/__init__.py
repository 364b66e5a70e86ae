"""Monitor: what a training tells of itself, step by step, and what is wrong with it.

    from lib.finetune.monitor import Monitor
    trainer = SentenceTransformerTrainer(..., callbacks=[Monitor("events.jsonl")])

writes the log; `read_log` (or `read_upload`, which also takes the logs of others) reads it, and `findings` says what to
look at.
"""

from typing import TYPE_CHECKING, Any

from lib.finetune.monitor.findings import Finding, Findings, findings
from lib.finetune.monitor.foreign import read_upload
from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.reading import read_log

if TYPE_CHECKING:
    from lib.finetune.monitor.callback import Monitor
    from lib.finetune.monitor.gradients import ModelSize, describe_model

__all__ = [
    "Finding",
    "Findings",
    "FinetuneLog",
    "ModelSize",
    "Monitor",
    "describe_model",
    "findings",
    "read_log",
    "read_upload",
]


def __getattr__(name: str) -> Any:
    """What needs torch or transformers is imported when it is asked for: a page that reads a log needs neither."""
    if name == "Monitor":
        from lib.finetune.monitor.callback import Monitor

        return Monitor
    if name in {"ModelSize", "describe_model"}:
        from lib.finetune.monitor import gradients

        return getattr(gradients, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
