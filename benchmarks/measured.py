"""The parts of a Markdown file that a benchmark writes: what stands between two marks."""

from pathlib import Path


def put(text: str, path: Path, *, name: str = "measured") -> None:
    """Replace the part of `path` that is marked `name`.

    Raises:
        ValueError: the file has no such part.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = path.read_text(encoding="utf-8")
    if whole.count(begin) != 1 or whole.count(end) != 1:
        raise ValueError(f"{path} should hold {begin} and {end} once each")
    before, rest = whole.split(begin)
    path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{rest.split(end)[1]}", encoding="utf-8")
