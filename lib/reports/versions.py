"""Versions of what made a report's numbers."""

import platform
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = (
    "numpy", "scipy", "scikit-learn", "pandas", "umap-learn", "plotly", "bm25s", "torch", "transformers",
    "sentence-transformers", "streamlit",
)  # fmt: skip
_PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@cache
def _own() -> str:
    if not _PROJECT.is_file():
        return "unknown"
    return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])


def versions() -> dict[str, str]:
    """Version by name: this program, Python, and the libraries that are installed; none of them is imported."""
    made = {"embedscope": _own(), "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            made[name] = version(name)
        except PackageNotFoundError:  # a library that only some pages need
            continue
    return made
