"""The queue: one run works at a time on a machine, the others wait in the order in which they came.

Whoever looks moves it on: a page that polls, a server that starts a run, a process that has ended. All that changes
how a run fares happens under one lock of the folder of runs, so that several servers may share it.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from lib.errors import InputError
from lib.locks import exclusive
from lib.runs.limits import RunLimits
from lib.runs.run import (
    LOG,
    Run,
    Status,
    began_at,
    default_root,
    find_run,
    list_runs,
    status,
    write_about,
    write_status,
)

GRACE = 20.0
"""Seconds that a run has to end by itself after it was asked to; some kinds have more."""
_LONGER = {"finetune": 180.0}  # kinds of runs whose steps, which they end first, may take longer
_MOST_WAITING = 8
_UNFINISHED = ("waiting", "running")
_FORGOTTEN = 3_600.0  # seconds after which a run that was never started is removed
_INPUTS_KEPT = 86_400.0  # seconds that the inputs of a run that did not finish are kept
_ROOT = Path(__file__).parents[2]


def start(run: Run, arguments: Sequence[str], *, module: str = "lib") -> Run:
    """Put `python -m module arguments...` into the queue as the work of `run`; it begins at once if nothing else works.

    Raises:
        InputError: its owner has a run that is not done yet, too many runs wait already, or there is no room for it.
    """
    root = run.root
    with _locked(root):  # asked and put into the queue in one piece: two at once are not both let in
        everyone = [(other, status(other)) for other in list_runs(root=root)]
        found = [one for one in everyone if one[0].id != run.id]
        _check_turn(run, found)
        held = sum(_size(other.folder) for other, known in found if known.state in _UNFINISHED)
        RunLimits.from_environment().check_size(_size(run.folder), command=_command(module, arguments), others=held)
        _clear(everyone)
        run = replace(run, module=module, arguments=tuple(arguments))
        write_about(run)
        write_status(run, Status("waiting", since=time.time()))
    advance(root)
    return run


def resume(run: Run) -> None:
    """Put an ended run into the queue again: its command, with `--resume`, goes on from its last checkpoint.

    Raises:
        InputError: it has not ended, it has finished, its inputs are no longer kept, its time is used up, its owner has
            another that is not done yet, or too many wait already.
    """
    limits = RunLimits.from_environment()
    with _locked(run.root):
        known = status(run)
        if known.state not in ("stopped", "failed"):
            raise InputError(f"This run is {known.state}: only one that was stopped or has failed can be resumed.")
        if not run.inputs.is_dir():
            raise InputError("What this run worked on is no longer kept: start a new one.")
        spent = known.spent + _unsaid(run, known)
        if spent >= 60 * limits.minutes:
            raise InputError(f"This run has used up the {limits.minutes:g} minutes that one may take here.")
        _check_turn(run, [(other, status(other)) for other in list_runs(root=run.root) if other.id != run.id])
        write_status(run, Status("waiting", since=time.time(), spent=spent, resumes=True))
    advance(run.root)


def stop(run: Run) -> None:
    """Ask `run` to end: it writes a checkpoint and does. One that does not within `GRACE` seconds is killed."""
    with _locked(run.root):
        known = status(run)
        if known.state == "waiting":
            write_status(run, replace(known, state="stopped", since=time.time()))
        elif known.state == "running" and known.stop_at is None:
            write_status(run, replace(known, stop_at=time.time()))
            _signal(known, signal.SIGTERM)


def delete(run: Run) -> None:
    """Remove `run` and all that it made; one that works is killed first."""
    with _locked(run.root):
        known = status(run)
        if known.state == "running":
            _kill(known)
        _remove(run.folder)
    advance(run.root)


def ahead(run: Run) -> int:
    """How many runs work or wait before `run`, which waits."""
    since = status(run).since
    others = [status(other) for other in list_runs(root=run.root) if other.id != run.id]
    return sum(one.state == "running" or (one.state == "waiting" and one.since <= since) for one in others)


def advance(root: Path | None = None) -> None:
    """Begin the run whose turn it is, if none works; kill one that would not stop."""
    root = root or default_root()
    if not root.is_dir():
        return
    with _locked(root):
        found = [(run, status(run)) for run in list_runs(root=root)]
        working = [one for one in found if one[1].state == "running"]
        for run, known in working:
            if known.stop_at is not None and time.time() - known.stop_at > grace(run):
                _kill(known)
        waiting = sorted((one for one in found if one[1].state == "waiting"), key=lambda one: one[1].since)
        if waiting and not working:
            _launch(*waiting[0])


def grace(run: Run) -> float:
    """Seconds that `run` has to end by itself after it was asked to."""
    return max(GRACE, _LONGER.get(run.kind, 0.0))


def claim(folder: Path, launch: str) -> tuple[Run, Status] | None:
    """Called by the process that was started as `launch` to work on the run in `folder`: its run and how it fares.

    None if the run is not its to work on: it was stopped or deleted meanwhile.
    """
    with _locked(folder.parent):
        try:
            run = find_run(folder.name, root=folder.parent)
        except InputError:  # deleted
            return None
        known = status(run)
        if known.launch != launch or known.state != "running":
            return None
        known = replace(known, pid=os.getpid(), began=began_at(os.getpid()))
        write_status(run, known)
        return run, known


def end(run: Run, outcome: Status) -> None:
    """Called by a run's process when its work is over: `outcome` has its state and reason."""
    with _locked(run.root):
        if not run.folder.is_dir():  # deleted
            return
        held = status(run)
        spent = held.spent + time.time() - held.since
        if outcome.state == "finished":
            _remove(run.inputs)
        write_status(run, Status(outcome.state, outcome.reason, since=time.time(), spent=spent))
    advance(run.root)


def _command(module: str, arguments: Sequence[str]) -> str:
    """What does the same in a shell, without its options."""
    return " ".join(["python -m", module, *takewhile(lambda part: not part.startswith("-"), arguments)])


def _check_turn(run: Run, found: Sequence[tuple[Run, Status]]) -> None:
    """Refuse a run whose owner has another among the `found` that is not done yet, or for which the queue is full."""
    for other, known in found:
        if run.owner is not None and other.owner == run.owner and known.state in _UNFINISHED:
            doing = "waits for its turn" if known.state == "waiting" else "is at work"
            raise InputError(
                f"Another run of yours, {other.title[:80]!r}, {doing}, and you can have one at a time: wait until it "
                "has ended, or choose it and stop it."
            )
    waiting = sum(known.state == "waiting" for _, known in found)
    if waiting >= _MOST_WAITING:
        raise InputError(f"{waiting} runs wait for their turn already: try again when some of them have ended.")


def _unsaid(run: Run, known: Status) -> float:
    """Seconds that a process took which ended without saying so: until its last event."""
    if known.launch is None:  # it said so
        return 0.0
    try:
        return max(run.event_file.stat().st_mtime - known.since, 0.0)
    except FileNotFoundError:
        return 0.0


def _launch(run: Run, known: Status) -> None:
    """Start the process of `run`, apart from this one: it goes on when this one ends."""
    launch = uuid.uuid4().hex
    working = Status("running", since=time.time(), spent=known.spent, launch=launch, resumes=known.resumes)
    write_status(run, working)
    with (run.folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lib.runs.worker", str(run.folder.resolve()), launch],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # else what is left of it would stay for ever
    write_status(run, replace(working, pid=process.pid, began=began_at(process.pid)))


def _signal(known: Status, sign: int) -> None:
    """Send `sign` to the process of a run, if it is still that one."""
    if known.pid is not None and began_at(known.pid) is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(known.pid, sign)


def _kill(known: Status) -> None:
    _signal(known, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def _clear(found: Sequence[tuple[Run, Status]]) -> None:
    """Remove runs that were never started, inputs that nobody came back for, and the oldest runs above the limit."""
    now, ended = time.time(), []
    for run, known in found:
        if known.state == "new" and now - run.created > _FORGOTTEN:
            _remove(run.folder)
        elif known.ended:
            ended.append((known.since, run))
            if now - known.since > _INPUTS_KEPT:
                _remove(run.inputs)
    over = sum(_size(run.folder) for run, _ in found) - RunLimits.from_environment().gigabytes * 1e9
    for _, run in sorted(ended, key=lambda one: one[0]):
        if over <= 0:
            return
        over -= _size(run.folder)
        _remove(run.folder)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # removed meanwhile
            total += path.stat().st_size
    return total


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _locked(root: Path) -> AbstractContextManager[None]:
    return exclusive(root / "lock")
