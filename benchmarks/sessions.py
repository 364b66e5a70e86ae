"""Twenty sessions at once, clicking through all pages for two minutes: seconds a page, crashes, mixed-up data, memory.

    python -m benchmarks.sessions [--sessions 20] [--seconds 120] [--url http://...]

Each session is a websocket of its own to one server, begins at another page, and reads what it has opened for about
five seconds before the next click. On every other page about a corpus it pastes twelve texts that hold a word of its
own; whatever comes back is searched for its own word and for everybody else's. Before, one visitor opens every view and
a map of own texts, so that what is measured is a server at work, not its first minute; memory is the process's resident
set, afterwards once Streamlit has forgotten the sessions.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.app import fresh_server
from benchmarks.visitor import PLACES, Seen, Visitor
from benchmarks.visits import Peak, alone

_OWN = {"geometry", "layers", "sae_features", "network", "circuits", "steering", "diagnostics"}
"""Pages on which a session may bring texts of its own."""
_READING = (3.0, 7.0)  # seconds between an answer and the next click
_FORGOTTEN = 135.0
"""Seconds after which Streamlit has forgotten sessions that have left: it keeps them for two minutes."""
_SUBJECTS = ("the court", "a patient", "the bank", "my garden")
_WORDS = ("heard the appeal", "took the medicine", "lent the money", "grew tomatoes")


@dataclass
class Told:
    """What the sessions saw, all together."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Page to how long each run of it took."""
    faults: list[str] = field(default_factory=list)
    """Exceptions, and answers that held another's word or missed their own."""
    own: int = 0
    """Runs on texts of a session's own."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while this is written."""

    def note(self, place: str, seen: Seen) -> None:
        """Keep what a run brought."""
        with self.lock:
            self.seconds[place.split(":")[0]].append(seen.seconds)
            self.faults += [f"{place}: {fault}" for fault in seen.exceptions]

    def blame(self, fault: str) -> None:
        """Keep a fault."""
        with self.lock:
            self.faults.append(fault)


def main() -> None:
    """Print the table; exit status 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as (url, process):
        peak = Peak(process)
        with _quiet():
            alone(url, peak)
        with Visitor(url) as first:  # maps of one's own need libraries that the sample's do not
            _look(first, ("geometry", "Map"), 99, Told(), own=True)
        one = _settled(url, process, 30)
        early, told = Told(), Told()
        _all_at_once(url, early, sessions=chosen.sessions, seconds=chosen.seconds / 2)
        before = _settled(url, process, _FORGOTTEN)
        with peak.watched():
            _all_at_once(url, told, sessions=chosen.sessions, seconds=chosen.seconds)
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        after = _settled(url, process, _FORGOTTEN)
    told.faults += early.faults
    _print(told, chosen, (one, before, peak.most, after), alive=alive)
    sys.exit(bool(told.faults) or not alive)


def _all_at_once(url: str, told: Told, *, sessions: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_session, args=(url, n, end, told)) for n in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _session(url: str, number: int, end: float, told: Told) -> None:
    """Click through the pages until `end`."""
    chance = random.Random(number)  # noqa: S311 - a plan of clicks
    places = list(PLACES)
    start = number * len(places) // 20
    turn = 0
    try:
        with Visitor(url) as visitor:
            while time.monotonic() < end:
                page, view = places[(start + turn) % len(places)]
                _look(visitor, (page, view), number, told, own=page in _OWN and (turn + number) % 2 == 0)
                turn += 1
                time.sleep(chance.uniform(*_READING))
    except (OSError, TimeoutError, EOFError) as fault:
        told.blame(f"session {number}: {fault!r}")


def _look(visitor: Visitor, place: tuple[str, str | None], number: int, told: Told, *, own: bool) -> None:
    page, view = place
    name = f"{page}: {view or ''}"
    if not own:
        told.note(name, visitor.open(page, view))
        return
    seen = visitor.open(page, view, corpus="Paste")
    told.note(name, seen)
    if "pasted" not in seen.ids:
        told.blame(f"{name}: no place to paste texts")
        return
    seen = visitor.write(seen.ids["pasted"], "\n".join(_texts(number)))
    told.note(name, seen)
    told.own += 1
    if any(seen.holds(_word(other)) for other in range(100) if other != number):
        told.blame(f"{name}: session {number} saw another's texts")
    if not seen.holds("12 texts"):
        told.blame(f"{name}: session {number} did not get its own texts: {seen.alerts}")


def _word(number: int) -> str:
    return f"zephyr{number:02d}q"


def _texts(number: int) -> list[str]:
    return [f"{subject} {words} {_word(number)} in week {n}" for n in range(3)
            for subject, words in zip(_SUBJECTS, _WORDS, strict=True)]  # fmt: skip


def _settled(url: str, process: psutil.Process, seconds: float) -> float:
    """MB after a rest, as the next visitor finds it."""
    time.sleep(seconds)
    with Visitor(url) as visitor:
        visitor.open("glossary", None)
    return float(process.memory_info().rss) / 2**20


@contextmanager
def _quiet() -> Iterator[None]:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _print(told: Told, chosen: argparse.Namespace, memory: tuple[float, float, float, float], *, alive: bool) -> None:
    runs = np.concatenate([np.array(times) for times in told.seconds.values()])
    print(f"{chosen.sessions} sessions, {chosen.seconds:.0f} s: {len(runs)} runs of pages, {told.own} on own texts\n")
    print("| page | runs | median, s | 95 % within, s | longest, s |\n|---|---|---|---|---|")
    for page, times in [*sorted(told.seconds.items()), ("**all**", list(runs))]:
        print(f"| {page} | {len(times)} | {np.median(times):.2f} | {np.quantile(times, 0.95):.1f} | {max(times):.1f} |")
    print("\nMemory, MB: {:.0f} after one visitor of every page; {:.0f} after a first wave of sessions half as long; "
          "{:.0f} at the peak of the wave that is told here, {:.0f} after it".format(*memory))  # fmt: skip
    print(f"The server {'stands' if alive else 'IS DOWN'}; faults: {len(told.faults)}")
    for fault in told.faults[:20]:
        print(f"- {fault}")


if __name__ == "__main__":
    main()
