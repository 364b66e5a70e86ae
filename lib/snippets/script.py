"""Writes a script line by line, its imports on top."""

from collections import defaultdict


class Script:
    """A script that is being written. What a user typed goes in by `repr` alone, so that it stays a string."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = defaultdict(set)
        self._lines: list[str] = []

    def use(self, module: str, *names: str) -> None:
        """Import `names` of `module`; the module itself where there are none."""
        self._imports[module].update(names)

    def add(self, *lines: str) -> None:
        """Go on with these lines."""
        self._lines += lines

    def show(self, name: str, value: str, form: str = "", *, indent: int = 0) -> None:
        """Print under `name` what the expression `value` gives, or several in braces, as in an f-string."""
        told = value if "{" in value else f"{{{value}{':' if form else ''}{form}}}"
        self.add(f'{" " * indent}print(f"{name}: {told}")')

    def text(self) -> str:
        """All of it."""
        standard: list[str] = []
        ours: list[str] = []
        for module in sorted(self._imports):
            names = ", ".join(sorted(self._imports[module], key=str.casefold))
            line = f"from {module} import {names}" if names else f"import {module}"
            line = "import numpy as np" if line == "import numpy" else line
            (ours if module.startswith("lib") else standard).append(line)
        blocks = ["\n".join(block) for block in (standard, ours, self._lines) if block]
        return "\n\n".join(blocks) + "\n"
