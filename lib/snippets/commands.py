"""Commands of the command line that do what a snippet does."""

import shlex
from collections.abc import Sequence
from typing import Any

from lib.encoders import PACKAGED
from lib.sae.sources import PACKAGED_SAE
from lib.snippets.script import Script
from lib.snippets.snippet import OWN_QUERIES, OWN_TEXTS, OWN_VECTORS, Case, Snippet

_COLUMNS = ("text", "label", "id")
_PROMPTS = "The command line takes an encoder with its own prompts alone, and these were edited: there is no command."
_UNWRITABLE = "What was typed holds characters that no command line takes: there is no command."


class Command:
    """A command that is being put together; what a user typed is quoted for a shell."""

    def __init__(self, case: Case, *names: str) -> None:
        self._case, self._parts, self._encoder = case, list(names), False

    def with_encoder(self) -> "Command":
        """Name the encoder, where it is not the usual one."""
        self._encoder = True
        self.option("--encoder", self._case.encoder, usual=PACKAGED)
        return self.option("--precision", self._case.precision, usual="float32")

    def encoder_as(self, name: str) -> "Command":
        """Name the encoder under another option, where it is not the usual one."""
        self._encoder = True
        return self.option(name, self._case.encoder, usual=PACKAGED)

    def with_corpus(self, *, encoder: bool = True, columns: Sequence[str] = _COLUMNS) -> "Command":
        """Name the corpus and those of its columns that the command can be told, and what embeds it."""
        case = self._case
        self.option("--corpus", OWN_TEXTS if case.corpus is None else f"sample:{case.corpus}")
        for what, column in case.columns.items():
            if what in columns:
                self.option(f"--{what}", column)
        if case.own_vectors:
            return self.option("--embeddings", OWN_VECTORS)
        return self.with_encoder() if encoder else self

    def beside_corpus(self) -> "Command":
        """Name the corpus beside a text, where only the column of its texts can be told."""
        self.option("--corpus", OWN_TEXTS if self._case.corpus is None else f"sample:{self._case.corpus}")
        return self.option("--column", self._case.columns["text"]) if "text" in self._case.columns else self

    def with_queries(self) -> "Command":
        """Name the query set."""
        return self.option("--queries", OWN_QUERIES if self._case.queries is None else f"sample:{self._case.queries}")

    def with_sae(self) -> "Command":
        """Name the dictionary, where it is not the usual one."""
        return self.option("--sae", self._case.sae, usual=PACKAGED_SAE)

    def option(self, name: str, value: Any = None, *, usual: Any = None) -> "Command":
        """Add an option with its value, or with none; nothing where it has the usual one."""
        if value is None or value is True:
            self._parts.append(name)
        elif value is not False and value != usual:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            self._parts += [f"{name}={text}"] if text.startswith("-") else [name, text]
        return self

    def options(self, name: str, values: Sequence[Any], *, usual: Sequence[Any] = ()) -> "Command":
        """Add an option with several values; nothing where they are the usual ones."""
        if list(values) != list(usual):
            self._parts += [name, *map(str, values)]
        return self

    @property
    def parts(self) -> list[str]:
        """The command's words after `python -m lib`."""
        return list(self._parts)

    @property
    def exact(self) -> bool:
        """Whether the command line can do the same: not with prompts that were edited."""
        return not (self._encoder and self._case.prompts is not None)

    def written(self) -> tuple[str | None, str]:
        """The command, or why there is none."""
        if not self.exact:
            return None, _PROMPTS
        if not all(part.isprintable() for part in self._parts):
            return None, _UNWRITABLE
        return shlex.join(["python", "-m", "lib", *self._parts]), ""


def snippet_of(script: Script, command: Command | None = None, *, note: str = "") -> Snippet:
    """The snippet of a script, with the command that does the same."""
    shell, why = (None, "") if command is None else command.written()
    return Snippet(script.text(), shell, " ".join(part for part in (note, why) if part))
