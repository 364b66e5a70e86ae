"""Runs: long work in a process of its own, which outlives the page and the server that began it.

A run is a folder with an unguessable name. Its command writes what it makes, and `events.jsonl`, into `Run.result`;
pages watch it through these files. One run at a time works on a machine; the others wait their turn.
"""

from lib.runs.events import EventWriter, all_events, events
from lib.runs.limits import RunLimits, gigabytes_of
from lib.runs.queue import advance, ahead, delete, resume, start, stop
from lib.runs.run import Run, State, Status, create, default_root, find_run, list_runs, status

__all__ = [
    "EventWriter",
    "Run",
    "RunLimits",
    "State",
    "Status",
    "advance",
    "ahead",
    "all_events",
    "create",
    "default_root",
    "delete",
    "events",
    "find_run",
    "gigabytes_of",
    "list_runs",
    "resume",
    "start",
    "status",
    "stop",
]
