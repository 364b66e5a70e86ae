"""The process of a run: `python -m lib.runs.worker FOLDER LAUNCH` runs its command and writes how it ended."""

import _thread
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lib.runs import queue
from lib.runs.limits import RunLimits
from lib.runs.run import Run, Status, last_line

_BAD_INPUT, _INTERRUPTED = 2, 130
_KINDER = 10  # how far it stands back behind the server's own work
_OUT_OF_MEMORY = Path("/proc/self/oom_score_adj")  # how soon the system takes this process then, up to 1000


def main(folder: Path, launch: str) -> None:
    """Work on the run in `folder`, if it is still to be worked on."""
    claimed = queue.claim(folder, launch)
    if claimed is None:
        return
    run, known = claimed
    signal.signal(signal.SIGTERM, _interrupt)
    _stand_back()
    minutes = RunLimits.from_environment().minutes
    late, ending = threading.Event(), threading.Lock()
    clock = _after(max(60 * minutes - known.spent, 0.1), _time_is_up, run, late, ending)
    status: int | None = None
    try:
        status = _command(run, resumes=known.resumes)
    finally:
        clock.cancel()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdout.flush()
        ending.acquire()
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
        return Status("stopped", None if minutes is None else _limit(minutes))
    if status == _BAD_INPUT:
        return Status("failed", last_line(run.log()) or "Its command refused its input and did not say why.")
    fault = sys.exc_info()[1]
    what = f" ({type(fault).__name__})" if fault is not None else ""
    return Status("failed", f"Its process met an error that was not foreseen{what}; its log says where.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _limit(minutes: float) -> str:
    return f"It took {minutes:g} minutes, the most that a run may take here."


def _time_is_up(run: Run, late: threading.Event, ending: threading.Lock) -> None:
    late.set()
    _thread.interrupt_main(signal.SIGTERM)
    _after(queue.grace(run), _give_up, run, ending)


def _give_up(run: Run, ending: threading.Lock) -> None:
    """End the process of a run whose command goes on after its time is up: it may be in one very long step."""
    if ending.acquire(blocking=False):  # else it ends by itself just now
        queue.end(run, Status("stopped", _limit(RunLimits.from_environment().minutes)))
        os._exit(_INTERRUPTED)


def _after(seconds: float, act: Callable[..., None], *given: object) -> threading.Timer:
    """Do that after so many seconds, if the process lives then."""
    timer = threading.Timer(seconds, act, given)
    timer.daemon = True
    timer.start()
    return timer


def _stand_back() -> None:
    """Let the server go first: it gets the processor, and where memory runs out, this process is the one that goes."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _KINDER)
    with suppress(OSError):  # Linux alone has it
        _OUT_OF_MEMORY.write_text("1000")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
