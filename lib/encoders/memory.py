"""Memory: how much is free for a model, and whether one fits, asked before anything is loaded."""

import sys
from pathlib import Path

from lib.errors import InputError

_LIBRARIES = 350_000_000
"""Bytes that importing torch and sentence-transformers takes, measured on Linux; owed only once a process."""
_WORKING = 1.1
"""Bytes needed in all for each byte of weights: activations of a batch, and the allocator's slack."""
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "total_inactive_file",
    ),
)


def free_memory() -> int:
    """Bytes that this process may still take: the machine's, or the container's where that is less."""
    import psutil

    available = int(psutil.virtual_memory().available)
    for limit_file, used_file, stat_file, reclaimable in _CGROUPS:
        limit, used = _number(Path(limit_file)), _number(Path(used_file))
        if limit is not None and used is not None:
            available = min(available, limit - used + _statistic(Path(stat_file), reclaimable))
    return max(available, 0)


def memory_needed(parameters: int, *, bytes_per_parameter: int = 4) -> int:
    """Bytes that loading and running a model of so many parameters takes from now on."""
    libraries = 0 if "sentence_transformers" in sys.modules else _LIBRARIES
    return int(parameters * bytes_per_parameter * _WORKING) + libraries


def check_memory(source: str, parameters: int, *, bytes_per_parameter: int = 4) -> None:
    """Refuse a model that the free memory cannot hold.

    Raises:
        InputError: with the bytes needed and those free.
    """
    needed, free = memory_needed(parameters, bytes_per_parameter=bytes_per_parameter), free_memory()
    if needed > free:
        raise InputError(
            f"{source} needs about {needed / 1e9:.1f} GB of memory ({parameters / 1e6:,.0f} M parameters), but only "
            f"{free / 1e9:.1f} GB are free; choose a smaller encoder or run Embedscope on a larger machine."
        )


def _number(path: Path) -> int | None:
    """The number in a control file; None where there is none, or no limit is set ("max")."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _statistic(path: Path, name: str) -> int:
    """One line of a `memory.stat` file; cached files that the kernel gives back when asked count as free."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(value) for key, _, value in (line.partition(" ") for line in lines) if key == name), 0)
