"""The process of a run: `python -m lib.runs.worker FOLDER LAUNCH` runs its command and writes how it ended."""

import _thread
import os
import runpy
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from lib.runs import queue
from lib.runs.limits import RunLimits
from lib.runs.run import Run, Status, last_line

_BAD_INPUT, _INTERRUPTED = 2, 130
_KINDER = 10  # how far it stands back behind the server's own work


def main(folder: Path, launch: str) -> None:
    """Work on the run in `folder`, if it is still to be worked on."""
    claimed = queue.claim(folder, launch)
    if claimed is None:
        return
    run, known = claimed
    signal.signal(signal.SIGTERM, _interrupt)
    if sys.platform != "win32":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _KINDER)
    minutes = RunLimits.from_environment().minutes
    late = threading.Event()
    clock = threading.Timer(max(60 * minutes - known.spent, 0.1), _time_is_up, (late,))
    clock.daemon = True
    clock.start()
    status: int | None = None
    try:
        status = _command(run, resumes=known.resumes)
    finally:
        clock.cancel()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdout.flush()
        queue.end(run, _outcome(run, status, minutes=minutes if late.is_set() else None))


def _command(run: Run, *, resumes: bool) -> int:
    """Run the command in this process; its exit status."""
    sys.argv = [run.module, *run.arguments, *(["--resume"] if resumes else [])]
    try:
        runpy.run_module(run.module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        if isinstance(left.code, str):
            print(left.code, file=sys.stderr)
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _outcome(run: Run, status: int | None, *, minutes: float | None) -> Status:
    if status == 0:
        return Status("finished")
    if status == _INTERRUPTED:
        limit = f"It took {minutes:g} minutes, the most that a run may take here." if minutes is not None else None
        return Status("stopped", limit)
    if status == _BAD_INPUT:
        return Status("failed", last_line(run.log()) or "Its command refused its input and did not say why.")
    fault = sys.exc_info()[1]
    what = f" ({type(fault).__name__})" if fault is not None else ""
    return Status("failed", f"Its process met an error that was not foreseen{what}; its log says where.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _time_is_up(late: threading.Event) -> None:
    late.set()
    _thread.interrupt_main(signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
