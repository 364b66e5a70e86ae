"""Prompts: the literal prefixes that an encoder was trained to see before a query and before a document."""

from dataclasses import dataclass
from typing import Any, Literal

from lib.encoders.families import Variant
from lib.errors import InputError

Role = Literal["query", "document"]
ROLES: tuple[Role, ...] = ("query", "document")

MAX_PROMPT_CHARACTERS = 2000

_NAMES: dict[Role, tuple[str, ...]] = {
    "query": ("query", "retrieval.query", "search_query", "retrieval_query", "s2p_query"),
    "document": (
        "document",
        "passage",
        "corpus",
        "retrieval.passage",
        "search_document",
        "retrieval_document",
        "retrieval_passage",
    ),
}
"""Names under which checkpoints keep the two prompts, the most usual first; the first three document names are those
that sentence-transformers tries."""


@dataclass(frozen=True)
class Prompts:
    """What is put before a text, character for character; "" for nothing."""

    query: str = ""
    """Before a text that asks."""
    document: str = ""
    """Before a text that is searched."""
    source: Literal["checkpoint", "family", "edited", "none"] = "none"
    """Where they come from: the checkpoint's own files, the family registry, the user, or nowhere."""

    def of(self, role: Role) -> str:
        """The prompt of a role.

        Raises:
            InputError: the role is neither "query" nor "document".
        """
        if role not in ROLES:
            raise InputError(f'A text is encoded as "query" or as "document", not as {role!r}.')
        return self.query if role == "query" else self.document


def find_prompts(settings: dict[str, Any], variant: Variant | None) -> Prompts:
    """The prompts in `config_sentence_transformers.json`, else those of the family, else none.

    Saved checkpoints often carry two empty prompts that nobody chose, so empty ones do not hide the family's.
    A default prompt (`default_prompt_name`) stands for a role only where no prompt is named after a role.
    """
    named = settings.get("prompts")
    named = (
        {str(key): value for key, value in named.items() if isinstance(value, str)} if isinstance(named, dict) else {}
    )
    default = ""
    if not any(name in named for names in _NAMES.values() for name in names):
        default = named.get(str(settings.get("default_prompt_name")), "")
    found = {role: next((named[name] for name in _NAMES[role] if name in named), default) for role in ROLES}
    if any(found.values()):
        return Prompts(found["query"], found["document"], "checkpoint")
    if variant and (variant.query_prompt or variant.document_prompt):
        return Prompts(variant.query_prompt, variant.document_prompt, "family")
    return Prompts()


def edited_prompts(prompts: Prompts, *, query: str | None, document: str | None) -> Prompts:
    """`prompts` with what the user wrote in their place; None leaves one as it is.

    Raises:
        InputError: a prompt longer than any encoder could use.
    """
    changed = Prompts(
        prompts.query if query is None else query, prompts.document if document is None else document, "edited"
    )
    for role in ROLES:
        if len(changed.of(role)) > MAX_PROMPT_CHARACTERS:
            raise InputError(
                f"A prompt has at most {MAX_PROMPT_CHARACTERS:,} characters; the {role} prompt has "
                f"{len(changed.of(role)):,}."
            )
    same = (changed.query, changed.document) == (prompts.query, prompts.document)
    return prompts if same else changed
