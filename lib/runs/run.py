"""A run: its folder, what it was started with, and how it fares.

In its folder stand `run.json`, what it is: kind, module and arguments of its command, title, time, hash of its owner's
token; `state.json`, how it fares: waiting, running (process id and start time), finished, failed or stopped;
`log.txt`, what its process printed; `inputs/`, what it works on, removed when it has finished or a day after it has
ended otherwise; a folder named like its kind (`sae/`), what its command makes: `--out` points there, and `events.jsonl`
stands there.
"""

import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from lib.errors import InputError
from lib.results import Result
from lib.runs.paths import without_paths
from lib.settings import value

State = Literal["new", "waiting", "running", "finished", "failed", "stopped"]

ABOUT, STATE, LOG = "run.json", "state.json", "log.txt"
_ID = re.compile(r"[0-9a-f]{32}")
_SETTLING = 60.0  # seconds that a process may take until its id is known
_CLOCK = 2.0  # seconds by which two readings of a process's start time may differ


@dataclass(frozen=True)
class Run(Result):
    """What a run is; `status` says how it fares."""

    folder: Path
    """Where it lies; its name is the run's id."""
    kind: str
    """What kind of work: "sae", the training of a sparse autoencoder, or "finetune", that of an encoder."""
    title: str
    """What it is called on screen."""
    created: float
    """When it was made, seconds since 1970."""
    owner: str | None
    """Hash of the token of the session that made it; None from the command line."""
    about: dict[str, Any] = field(default_factory=dict)
    """What its page wants to remember of it: settings, corpus, encoder."""
    module: str = "lib"
    """The Python module that is its command."""
    arguments: tuple[str, ...] = ()
    """What that command is given; () until it is started."""

    @property
    def id(self) -> str:
        """Its name, which nobody can guess: 32 hexadecimal digits."""
        return self.folder.name

    @property
    def root(self) -> Path:
        """The folder of all runs."""
        return self.folder.parent

    @property
    def inputs(self) -> Path:
        """What it works on."""
        return self.folder / "inputs"

    @property
    def result(self) -> Path:
        """What its command makes."""
        return self.folder / self.kind

    @property
    def event_file(self) -> Path:
        """Its events."""
        return self.result / "events.jsonl"

    def owned_by(self, token: str) -> bool:
        """Whether the session with that token made it."""
        return self.owner == hash_of(token)

    def log(self, *, most: int = 20_000) -> str:
        """The end of what its process printed, at most so many bytes, with files named but not where they lie."""
        try:
            with (self.folder / LOG).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - most))
                return without_paths(file.read().decode(errors="replace"), self.folder)
        except FileNotFoundError:
            return ""


@dataclass(frozen=True)
class Status(Result):
    """How a run fares."""

    state: State = "new"
    """new (not started yet), waiting (for its turn), running, finished, failed or stopped."""
    reason: str | None = None
    """Why it failed or was stopped, one sentence."""
    pid: int | None = None
    """Its process."""
    began: float | None = None
    """When that process began, seconds since 1970 as the system says; tells it from a later one of the same id."""
    since: float = 0.0
    """When it came into this state, seconds since 1970."""
    spent: float = 0.0
    """Seconds that earlier processes of it took."""
    launch: str | None = None
    """Name of its latest start."""
    resumes: bool = False
    """Whether its command goes on from a checkpoint."""
    stop_at: float | None = None
    """When the user asked it to stop; None if nobody did."""

    @property
    def ended(self) -> bool:
        """Whether nothing will happen by itself any more."""
        return self.state in ("finished", "failed", "stopped")


def default_root() -> Path:
    """The folder of all runs: EMBEDSCOPE_RUNS, by default `~/.cache/embedscope/runs`."""
    root: Path = value("EMBEDSCOPE_RUNS")
    return root


def create(
    kind: str, *, title: str, owner: str | None = None, about: Mapping[str, Any] | None = None, root: Path | None = None
) -> Run:
    """Make the folder of a new run, so that its inputs can be written into it; `start` sets it to work.

    Raises:
        InputError: the folder of runs cannot be written.
    """
    folder = (root or default_root()).absolute() / uuid.uuid4().hex
    run = Run(folder, kind, title, time.time(), hash_of(owner) if owner else None, dict(about or {}))
    try:
        run.inputs.mkdir(parents=True)
        run.result.mkdir()
        folder.chmod(0o700)
    except OSError as fault:
        raise InputError(
            f"The server's folder of runs cannot be written ({fault.strerror}): its owner can set EMBEDSCOPE_RUNS to "
            "another."
        ) from None
    write_about(run)
    return run


def write_about(run: Run) -> None:
    """Write what `run` is."""
    write_json(run.folder / ABOUT, {name: value for name, value in run.to_dict().items() if name != "folder"})


def find_run(name: str, *, root: Path | None = None) -> Run:
    """The run of that id.

    Raises:
        InputError: there is none.
    """
    folder = (root or default_root()) / name
    found = read_json(folder / ABOUT) if _ID.fullmatch(name) else None
    if found is None:
        raise InputError(
            f"There is no run {name[:40]!r} here: it was deleted, removed to make room, or belongs to another server."
        )
    return replace(Run(folder=folder, **_known(Run, found)), arguments=tuple(found.get("arguments", ())))


def list_runs(*, root: Path | None = None, kind: str | None = None, owner: str | None = None) -> list[Run]:
    """All runs, or those of one kind, or of the session with that token; latest first."""
    root, found = root or default_root(), []
    for path in root.glob(f"{'[0-9a-f]' * 32}/{ABOUT}"):
        try:
            found.append(find_run(path.parent.name, root=root))
        except InputError:  # deleted meanwhile
            continue
    chosen = [run for run in found if kind in (None, run.kind) and (owner is None or run.owned_by(owner))]
    return sorted(chosen, key=lambda run: -run.created)


def status(run: Run) -> Status:
    """How `run` fares: what stands in its folder, held against the processes that there are."""
    found = read_json(run.folder / STATE)
    if found is None:
        return Status()
    known = Status(**_known(Status, found))
    if known.state != "running" or _alive(known):
        return known
    if known.stop_at is not None:
        return replace(known, state="stopped", reason=None)
    return replace(
        known,
        state="failed",
        reason="Its process ended without a word: it was killed, the memory ran out, or the machine was restarted.",
    )


def write_status(run: Run, state: Status) -> None:
    """Replace how `run` fares; only under the lock of the queue."""
    write_json(run.folder / STATE, state.to_dict())


def began_at(pid: int) -> float | None:
    """When the process `pid` began; None where there is none, or only what is left of one."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def hash_of(token: str) -> str:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON under a temporary name, then rename it, so that nobody reads half a file."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    temporary.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object of `path`; None where there is no such file, or it is broken."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def last_line(text: str) -> str:
    """The last line that is not blank; "" where there is none."""
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _known(kind: type[Result], found: Mapping[str, Any]) -> dict[str, Any]:
    """The items of `found` that are fields of `kind`: another version may have written more."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return {name: value for name, value in found.items() if name in names}


def _alive(known: Status) -> bool:
    if known.pid is None:  # it has only just been started
        return time.time() - known.since < _SETTLING
    began = began_at(known.pid)
    return began is not None and (known.began is None or abs(began - known.began) < _CLOCK)
