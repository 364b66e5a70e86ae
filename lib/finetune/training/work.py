"""Work: one training, opened: all that its parts share."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datasets import Dataset

from lib.finetune.data import TrainingData
from lib.finetune.training.course import Course
from lib.finetune.training.journal import Journal
from lib.finetune.training.judging import Judging
from lib.finetune.training.model import Tunable
from lib.finetune.training.settings import TrainingSettings


@dataclass(frozen=True, eq=False)
class Work:
    """One training."""

    settings: TrainingSettings
    """How."""
    data: TrainingData
    """On what."""
    out: Path
    """Its folder."""
    journal: Journal
    """Who is told."""
    tunable: Tunable
    """What is tuned."""
    rows: Dataset
    """The data as the trainer takes it."""
    course: Course
    """How it goes."""
    judging: Judging | None
    """What judges it; None where nothing is held out."""
    precision: str
    """Of its arithmetic."""
    should_stop: Callable[[], bool]
    """Whether the user has asked to stop."""


def course_of(settings: TrainingSettings, rows: int, *, judged: bool) -> Course:
    """A training that has not begun: its steps, and when it is judged."""
    steps = max(math.ceil(math.ceil(rows / settings.batch) * settings.epochs), 1)
    steps = min(steps, settings.max_steps or steps)
    return Course(steps, settings.evaluation_steps(steps), settings.patience, judged)
