"""What a visit of every page takes of memory, alone and five at once.

    python -m benchmarks.visits

A fresh server; one visitor opens every view of the sample after another, then five do at once, each from another on.
Memory is the resident set of the server process, sampled ten times a second; the target is 1 GB in one process.
"""

import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.app import fresh_server
from benchmarks.visitor import PLACES, Visitor

_AT_ONCE = 5
_MB = 2**20


class Peak:
    """The most that a process has taken so far, in MB, and what it takes now."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.most = 0.0
        self.seen_at = ""
        self.doing = ""

    @property
    def now(self) -> float:
        """Resident now, MB."""
        return float(self._process.memory_info().rss) / _MB

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Sample meanwhile."""
        end = threading.Event()

        def sample() -> None:
            while not end.wait(0.1):
                if (now := self.now) > self.most:
                    self.most, self.seen_at = now, self.doing

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def main() -> None:
    """Print what every view takes, then the peaks."""
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as (url, process):
        peak = Peak(process)
        print("| view | seconds | MB after it | peak so far |\n|---|---|---|---|")
        with peak.watched():
            alone(url, peak)
            one = peak.most
            print(f"\nOne visitor: peak {one:.0f} MB at {peak.seen_at}, {peak.now:.0f} MB after", flush=True)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda n: everywhere(url, begin=n * len(PLACES) // _AT_ONCE), range(_AT_ONCE)))
        print(f"Then {_AT_ONCE} at once: peak {peak.most:.0f} MB, {peak.now:.0f} MB after")


def alone(url: str, peak: Peak) -> None:
    """One visitor opens every view."""
    with Visitor(url) as visitor:
        for page, view in PLACES:
            peak.doing = f"{page} {view or ''}".strip()
            seen = visitor.open(page, view)
            print(f"| {peak.doing} | {seen.seconds:.1f} | {peak.now:.0f} | {peak.most:.0f} |", flush=True)
            if seen.exceptions:
                sys.exit(f"{peak.doing}: {seen.exceptions}")


def everywhere(url: str, *, begin: int) -> None:
    """One visitor opens every view, from the `begin`-th on."""
    with Visitor(url) as visitor:
        for page, view in (*PLACES[begin:], *PLACES[:begin]):
            if faults := visitor.open(page, view).exceptions:
                sys.exit(f"{page} {view}: {faults}")


if __name__ == "__main__":
    main()
