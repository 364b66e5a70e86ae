"""Findings: what in a fine-tune's log deserves a look, by stated rules, with the step at which it began."""

from lib.finetune.monitor.finding import WARNING, Finding, Findings
from lib.finetune.monitor.gap import TREND_RULE, gap_findings, trend
from lib.finetune.monitor.health import health_findings
from lib.finetune.monitor.log import FinetuneLog

__all__ = ["Finding", "Findings", "findings"]


def findings(log: FinetuneLog) -> Findings:
    """What in `log` deserves a look; a healthy run gives none.

    Each rule compares a run with its own course, noise taken into account, and stands beside its finding. They say
    nothing of what the encoder is worth afterwards: for that compare both checkpoints on queries held out.
    """
    items = gap_findings(log) + health_findings(log)
    code, sentence = trend(log)
    return Findings(
        items=tuple(sorted(items, key=lambda item: (item.severity != WARNING, item.first_step, item.kind))),
        gap=code,
        gap_sentence=sentence,
        gap_rule=TREND_RULE,
        steps=len(log.step),
    )
