"""A snippet: code that gives a view's numbers again, and what of the app it is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.encoders import PACKAGED
from lib.sae.sources import PACKAGED_SAE

OWN_TEXTS = "your-file.csv"
"""Stands for a file of texts that is the reader's own."""
OWN_VECTORS = "your-vectors.npy"
"""Stands for embeddings that are the reader's own."""
OWN_QUERIES = "your-pairs.jsonl"
"""Stands for a query set that is the reader's own."""


@dataclass(frozen=True)
class Snippet:
    """Code that prints the main numbers of a view, with this library alone."""

    python: str
    """A script: about twenty lines, each number printed as `name: value`."""
    shell: str | None
    """The command that does the same; None where there is none."""
    note: str = ""
    """What should be known of either; empty where nothing should."""


@dataclass(frozen=True)
class Case:
    """What a view looks at, and how its controls stand."""

    encoder: str = PACKAGED
    """Hub id, folder, or the name of a packaged encoder."""
    precision: str = "float32"
    """In which it computes."""
    prompts: tuple[str, str] | None = None
    """What is put before queries and before documents; None: what the encoder's own files say."""
    own_prompts: tuple[str, str] = ("", "")
    """What the encoder's own files say, or what was put in their place."""
    dimensions: int = 384
    """Length of its vectors."""
    layered: bool = True
    """Whether its layers can be looked at."""
    corpus: str | None = "topics"
    """Name of a sample; None for texts of the reader's own, which never stand in a snippet."""
    texts: int = 1_000
    """How many texts there are."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column holds what ("text", "label", "id"); only what is not guessed."""
    own_vectors: bool = False
    """Whether the texts brought embeddings of their own, so that no encoder reads them."""
    queries: str | None = "topics"
    """Name of a sample query set; None for one of the reader's own."""
    asked: int = 100
    """How many queries there are."""
    sae: str = PACKAGED_SAE
    """Which dictionary takes vectors apart."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """How the view's controls stand, by their keys; one that is missing stands as it begins."""

    def choice(self, key: str, options: Sequence[str] | Mapping[str, Any]) -> str:
        """What is chosen of a few options; the first where that is none of them."""
        found = self.settings.get(key)
        return found if isinstance(found, str) and found in options else next(iter(options))

    def typed(self, key: str) -> str:
        """What was typed, or chosen of what was offered; empty where nothing was."""
        found = self.settings.get(key)
        return found.strip() if isinstance(found, str) else ""

    def number(self, key: str, usual: float) -> float:
        """A number; `usual` where there is none."""
        found = self.settings.get(key)
        try:
            value = float(found) if isinstance(found, (int, float, str)) else usual
        except ValueError:
            return usual
        return value if abs(value) < float("inf") else usual

    def whole(self, key: str, usual: int) -> int:
        """A whole number; `usual` where there is none."""
        return int(self.number(key, usual))

    def flag(self, key: str, *, usual: bool = False) -> bool:
        """Whether a switch is on."""
        found = self.settings.get(key)
        return found if isinstance(found, bool) else usual

    def several(self, key: str, usual: Sequence[str] = ()) -> list[str]:
        """Everything that is chosen of a list."""
        found = self.settings.get(key)
        return [str(one) for one in found] if isinstance(found, (list, tuple)) else list(usual)
