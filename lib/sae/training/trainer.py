"""The training itself: batches in, steps, a look at held-out texts now and then, checkpoints, a dictionary out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError, Stopped
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.training.checkpoint import identity, read_checkpoint, write_checkpoint
from lib.sae.training.evaluation import check_held_out, figures, held
from lib.sae.training.results import Event, Trained
from lib.sae.training.rows import Batches, Split, mean_and_scale, split
from lib.sae.training.settings import TrainingSettings
from lib.sae.training.state import State
from lib.sae.training.weights import Coordinates, export

_IMPROVED = 1e-3
_KEPT_EVERY = 20  # seconds


def train(
    vectors: NDArray[np.floating],
    settings: TrainingSettings,
    *,
    held_out: NDArray[np.floating] | None = None,
    groups: NDArray | None = None,
    checkpoint: Path | None = None,
    report: Callable[[Event], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Trained:
    """A dictionary for `vectors`, shape (m, d), which may be memory-mapped and larger than memory.

    Args:
        vectors: one text's embedding a row.
        settings: see `TrainingSettings`; what is left open is settled, and told in the answer.
        held_out: vectors (h, d) to measure on; without them a share of `vectors` is held out.
        groups: one id a row, such as the document that a text was cut from: rows of a group stay on one side.
        checkpoint: file that keeps the training; if it exists, the training goes on from there, and ends with the
            weights that it would have had without the break.
        report: told of every evaluation.
        should_stop: asked before every step.

    Raises:
        InputError: settings or vectors that cannot be used, or a checkpoint of another training.
        Stopped: `should_stop` said so; the checkpoint, if any, is up to date.
        OSError: the checkpoint cannot be written.
    """
    settings.check()
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise InputError(f"Training takes vectors of shape (texts, dimensions), got {vectors.shape}.")
    parts, measured = _parted(vectors, settings, held_out, groups)
    run = _Run(vectors, settings, parts, measured, checkpoint)
    with _unrecorded():
        run.go(report, should_stop)
    return run.finished()


class _Run:
    """One training and the files it keeps."""

    def __init__(
        self,
        vectors: NDArray[np.floating],
        settings: TrainingSettings,
        parts: Split,
        held_out: NDArray[np.floating],
        checkpoint: Path | None,
    ) -> None:
        self.vectors, self.parts, self.held_out, self.checkpoint = vectors, parts, held_out, checkpoint
        rows = parts.training
        mean, scale = mean_and_scale(vectors, rows)
        batch = min(settings.batch_size, len(rows))
        self.batches = Batches(vectors, rows, batch, settings.seed)
        self.settings = settings.settled(dimensions=vectors.shape[1], texts=len(rows), batches=self.batches.a_pass)
        self.coordinates = Coordinates(mean, scale)
        self.state = State(self.settings, vectors.shape[1], self._examples())
        self.history: list[Event] = []
        self.seconds, self.kept_at = 0.0, 0.0
        self.key = identity(self.settings, vectors, parts, held_out)
        self.resumed_at = self._resume()

    def _examples(self) -> NDArray[np.float32] | None:
        """The training texts at which directions start."""
        if self.settings.start == "random":
            return None
        rows = self.parts.training
        drawn = np.random.default_rng([self.settings.seed, 6]).permutation(len(rows))[: self.settings.features]
        return self.coordinates.of(self.vectors[rows[np.sort(drawn)]])

    def go(self, report: Callable[[Event], None] | None, should_stop: Callable[[], bool] | None) -> None:
        """Every step that is left."""
        state = self.state
        last = time.perf_counter()
        for batch in self.batches.after(state.step):
            if state.step >= state.end:
                break
            if should_stop and should_stop():
                self._keep(always=True)
                raise Stopped
            state.learn(self.coordinates.of(batch))
            now = time.perf_counter()
            self.seconds, last = self.seconds + now - last, now
            if state.step % (self.settings.evaluate_every or 1) == 0 or state.step == state.end:
                self._look(report)
                self._keep()
        self._keep(always=True)

    def finished(self) -> Trained:
        """The dictionary and its figures."""
        settings, rows = self.settings, self.parts.training
        drawn = np.random.default_rng([settings.seed, 4]).permutation(len(rows))[: settings.census_texts]
        found = figures(self.exported(), self.held_out, self.vectors, rows[np.sort(drawn)])
        stopped_early = self.state.end < (settings.steps or 0)
        told = {**settings.to_dict(), "steps_done": self.state.step, "stopped_early": stopped_early}
        short = {name: value for name, value in found.to_dict().items() if name not in _LONG}
        return Trained(
            sae=self.exported(About(settings=told, figures=short)),
            settings=settings,
            history=tuple(self.history),
            figures=found,
            training_texts=len(rows),
            samples=self.state.samples,
            seconds=self.seconds,
            stopped_early=stopped_early,
            resumed_at=self.resumed_at,
            device=self.state.device,
            precision="bfloat16" if self.state.half else "float32",
        )

    def exported(self, about: About | None = None) -> SparseAutoencoder:
        """The dictionary as it is now."""
        return export(self.state.weights, self.coordinates, self.settings, self.state.edge, about or About())

    def _look(self, report: Callable[[Event], None] | None) -> None:
        state, settings = self.state, self.settings
        found = held(self.exported(), self.held_out[: settings.evaluation_texts])
        loss, objective = state.mean_losses()
        event = Event(
            step=state.step,
            steps=state.end,
            samples=state.samples,
            seconds=self.seconds,
            learning_rate=state.rate,
            loss=loss,
            objective=objective,
            fvu=found.fvu,
            mean_active=found.mean_active,
            dead_share=state.dead_share(),
            gradient_norm=float(state.norm),
        )
        if not np.isfinite(event.loss):
            raise InputError("The training has lost its way (the loss is not finite): lower the learning rate.")
        self.history.append(event)
        if self._stalled():
            state.wind_up()
            self.history[-1] = event = replace(event, steps=state.end)
        if report:
            report(event)

    def _stalled(self) -> bool:
        """Whether held-out FVU has not improved for `patience` evaluations, for the first time.

        It depends on the events alone, which a checkpoint keeps: a resumed training winds up at the same step.
        """
        if self.settings.patience is None or self.state.end < (self.settings.steps or 0):
            return False
        best, since = np.inf, 0
        for event in self.history:
            if event.fvu < best * (1 - _IMPROVED):
                best, since = event.fvu, 0
            else:
                since += 1
        return since >= self.settings.patience

    def _keep(self, *, always: bool = False) -> None:
        if self.checkpoint and (always or time.monotonic() - self.kept_at > _KEPT_EVERY):
            told = {"seconds": self.seconds, "history": [event.__dict__ for event in self.history]}
            write_checkpoint(self.checkpoint, self.key, self.state.kept(told))
            self.kept_at = time.monotonic()

    def _resume(self) -> int | None:
        found = read_checkpoint(self.checkpoint, self.key) if self.checkpoint else None
        if found is None:
            return None
        self.state.restore(found)
        self.seconds = found.state["seconds"]
        self.history = [Event(**event) for event in found.state["history"]]
        return self.state.step


_LONG = ("frequencies", "density_edges", "density")


def _parted(
    vectors: NDArray[np.floating],
    settings: TrainingSettings,
    held_out: NDArray[np.floating] | None,
    groups: NDArray | None,
) -> tuple[Split, NDArray[np.floating]]:
    """Training rows, and the held-out vectors."""
    m, d = vectors.shape
    if held_out is not None:
        if m < 2:
            raise InputError(f"Training an SAE needs at least 2 vectors, got {m}.")
        check_held_out(held_out, d)
        return Split(np.arange(m), np.empty(0, dtype=np.int64)), held_out
    parts = split(m, settings.held_out, settings.held_out_most, groups=groups, seed=settings.seed)
    order = np.random.default_rng([settings.seed, 5]).permutation(len(parts.held_out))
    measured = np.asarray(vectors[parts.held_out], dtype=np.float32)[order]
    check_held_out(measured, d)
    return parts, measured


@contextmanager
def _unrecorded() -> Iterator[None]:
    """Nothing of what torch does here is recorded for a backward pass."""
    import torch

    with torch.no_grad():
        yield
