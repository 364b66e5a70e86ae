"""Every benchmark that needs no data of its own, one after another, into docs/benchmarks.md: `make bench`.

python -m benchmarks [NAME ...]
"""

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.measured import put

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
RUNS: dict[str, tuple[str, ...]] = {
    "encode": ("--texts", "300"),
    "store": (),
    "geometry": (),
    "layers": ("--texts", "2500", "--rounds", "1"),
    "heads": ("--rounds", "1"),
    "search": ("--rounds", "3"),
    "metrics": (),
    "sae_training": (),
    "sae_diagnostics": (),
    "sae_browser": (),
    "sae_network": (),
    "sae_faithfulness": (),
    "sae_steer": (),
    "sae_match": (),
    "finetune_monitor": ("--batch", "8", "--tokens", "64", "--turns", "10"),
    "finetune_drift": (),
    "app": (),
    "pages": (),
    "visits": (),
    "sessions": (),
}
"""Each with the options of the run that the page shows."""


def main() -> None:
    """Run each in a process of its own, so that none inherits another's memory or warm caches."""
    named = sys.argv[1:] or list(RUNS)
    if unknown := [name for name in named if name not in RUNS]:
        sys.exit(f"No benchmark is named {', '.join(unknown)}; there are: {', '.join(RUNS)}.")
    start = time.monotonic()
    for name in named:
        _run(name)
    if named == list(RUNS):
        put(_machine(time.monotonic() - start), PAGE, name="machine")
    print("\nTwo tables need data sets: python -m benchmarks.ood --data PATH/data.jsonl")
    print("and python -m benchmarks.retrieval_sets FOLDER --into docs/retrieval.md")


def _run(name: str) -> None:
    print(f"\n## {name}\n", flush=True)
    start = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", *RUNS[name]]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    print(done.stdout, f"{name}: {time.monotonic() - start:.0f} s, exit status {done.returncode}", flush=True)
    if done.returncode == 0:
        told = done.stdout if "\n|" in done.stdout else f"```text\n{done.stdout}```\n"
        put(f"`python -m benchmarks.{' '.join((name, *RUNS[name]))}`\n\n{told}", PAGE, name=name)


def _machine(seconds: float) -> str:
    """What all of it was measured on."""
    memory = psutil.virtual_memory().total / 1e9
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("streamlit", "torch", "sentence-transformers", "numpy")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, no graphics card; "
        f"Python {platform.python_version()}, {libraries}. All of it took {seconds / 60:.0f} minutes."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # another system
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
