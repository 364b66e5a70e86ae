"""From a corpus and settings to a training in a process of its own. Vectors are handed over, never texts."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lib import runs
from lib.errors import InputError
from lib.runs import Run, RunLimits
from lib.sae.suggestion import estimated_seconds
from lib.sae.training import TrainingSettings
from lib.ui import resources
from lib.ui.runs.starting import handing_over, rate
from lib.ui.workspace import Space

RULES = {"batchtopk": "BatchTopK", "topk": "TopK", "jumprelu": "JumpReLU"}
"""What the rules are called on screen."""
QUERIES = "topics"
"""The sample query set on which a training can say how much of retrieval it keeps."""
_COPIES = 8  # numbers on disk for each of a dictionary's n d: two weights, two moments of each, the result's two
COMMAND = "python -m lib sae train"
"""What does the same in a shell."""


def expected_seconds(space: Space, settings: TrainingSettings) -> float:
    """How long a training will take here."""
    training = len(space.vectors) * (1 - settings.held_out)
    samples, d = int(training * settings.passes), space.vectors.shape[1]
    batch = min(settings.batch_size, max(int(training), 1))
    return estimated_seconds(samples, settings.features, d, batch_size=batch, rate=rate())


def check(space: Space, settings: TrainingSettings, limits: RunLimits) -> float:
    """The seconds that it will take; refuses what cannot be trained, and what the owner does not allow.

    Raises:
        InputError: see there.
    """
    limits.check(len(space.vectors), command=COMMAND)
    settings.check()
    limits.check_size(_bytes(space, settings), command=COMMAND)
    if len(space.vectors) < settings.features // 4:
        raise InputError(
            f"{settings.features:,} features are more than {len(space.vectors):,} texts can fill: choose at most "
            "four a text, and better far fewer."
        )
    seconds = expected_seconds(space, settings)
    limits.check_time(seconds, command=COMMAND, less="choose fewer features or passes")
    return seconds


def _bytes(space: Space, settings: TrainingSettings) -> float:
    """What a training will take on disk: vectors, checkpoint and dictionary, all float32."""
    d = int(space.vectors.shape[1])
    return 4.0 * d * (len(space.vectors) + _COPIES * settings.features)


def can_ask(space: Space) -> bool:
    """Whether a training, which opens the encoder by its name, can embed queries as the vectors were made."""
    if space.checkpoint is None:
        return False
    found = resources.checkpoint(space.checkpoint.source)
    return not isinstance(found, InputError) and found.fingerprint == space.checkpoint.fingerprint


def begin(
    space: Space,
    settings: TrainingSettings,
    *,
    group: str | None,
    token: str,
    seconds: float,
    queries: Sequence[str] = (),
) -> Run:
    """Write what the training needs into a folder of its own, and put it into the queue.

    At the end it measures how much of NDCG@10 is kept on `queries`, such as sample:topics.

    Raises:
        InputError: the folder cannot be written, the session has a training that is not done yet, too many wait
            already, or there is no room for it.
    """
    corpus, checkpoint = space.corpus, space.checkpoint
    about = {
        "encoder": checkpoint.source if checkpoint else None,
        "fingerprint": checkpoint.fingerprint if checkpoint else None,
        "precision": space.precision,
        "name": corpus.name,
        "key": corpus.key,
    }
    title = f"{corpus.name}: {settings.features:,} features, k = {settings.k}, {RULES[settings.rule]}"
    run = runs.create(
        "sae",
        title=title,
        owner=token,
        about=about | {"texts": len(corpus), "expected_seconds": seconds, "settings": settings.to_dict()},
    )
    with handing_over(run, "The vectors"):
        np.save(run.inputs / "vectors.npy", np.asarray(space.vectors, dtype=np.float32), allow_pickle=False)
        (run.inputs / "about.json").write_text(json.dumps(about), encoding="utf-8")
        groups = groups_of(space, group)
        if groups is not None:
            np.save(run.inputs / "groups.npy", groups, allow_pickle=False)
        asking = _asking(space, queries)
        return runs.start(run, [*_arguments(run, settings, grouped=groups is not None), *asking])


def _arguments(run: Run, settings: TrainingSettings, *, grouped: bool) -> list[str]:
    """The command line that does it."""
    options: dict[str, object] = {
        "--embeddings": run.inputs / "vectors.npy",
        "--about": run.inputs / "about.json",
        "--features": settings.features,
        "--k": settings.k,
        "--rule": settings.rule,
        "--passes": settings.passes,
        "--batch": settings.batch_size,
        "--held-out": settings.held_out,
        "--seed": settings.seed,
        "--out": run.result,
    }
    if settings.learning_rate is not None:
        options["--learning-rate"] = settings.learning_rate
    if grouped:
        options["--groups"] = run.inputs / "groups.npy"
    given = [part for name, value in options.items() for part in (name, str(value))]
    return ["sae", "train", *given, *(["--prefixes", *map(str, settings.prefixes)] if settings.prefixes else [])]


def _asking(space: Space, queries: Sequence[str]) -> list[str]:
    """Options that measure retrieval at the end."""
    if not queries or space.checkpoint is None:
        return []
    return ["--encoder", space.checkpoint.source, "--precision", space.precision, "--queries", *queries]


def groups_of(space: Space, column: str | None) -> NDArray[np.int64] | None:
    """A number a text, shape (n,), equal for texts that must be held out together; None where each is by itself."""
    import pandas as pd

    if column is None and not space.corpus.duplicates:
        return None
    if column is None:
        values = pd.Series(space.corpus.texts)
    elif column == LABEL:
        values = pd.Series(space.labels, dtype=object)
    else:
        values = space.corpus.columns[column]
    numbers: NDArray[np.int64] = pd.factorize(values)[0].astype(np.int64)
    alone = numbers < 0  # no value: each by itself
    numbers[alone] = numbers.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return numbers


LABEL = "its label"
"""What the choice of a group calls the corpus's labels."""
