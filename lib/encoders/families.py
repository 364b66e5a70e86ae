"""Families: what is known of well-known encoders, for what their own files leave unsaid.

A checkpoint's own files always win. The registry fills in prompts (few checkpoints carry them), the pooling of
checkpoints without sentence-transformers files, and what the sidebar offers. Figures and prompts are those of the
model cards.
"""

from dataclasses import dataclass
from pathlib import Path

_E5 = ("query: ", "passage: ")
_BGE = ("Represent this sentence for searching relevant passages: ", "")
_NOMIC = ("search_query: ", "search_document: ")
_QWEN = ("Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ", "")
_JINA = ("Represent the query for retrieving evidence documents: ", "Represent the document for retrieval: ")
_INSTRUCTOR = (
    "Represent the question for retrieving supporting documents: ",
    "Represent the document for retrieval: ",
)
_NONE = ("", "")


@dataclass(frozen=True)
class Variant:
    """One known checkpoint."""

    name: str
    """Short name, as people say it."""
    hub_id: str
    """Owner and name on the hub."""
    pooling: str
    """How token states become one vector, as in `Checkpoint.pooling`."""
    dimensions: int
    """Length of a vector."""
    max_tokens: int
    """Tokens beyond this are cut."""
    query_prompt: str
    """Literal prefix of a query; "" for none."""
    document_prompt: str
    """Literal prefix of a document; "" for none."""
    licence: str
    """SPDX-like name, lower case."""
    normalised: bool = True
    """Whether vectors leave with length 1."""
    include_prompt: bool = True
    """Whether the tokens of the prompt take part in pooling."""
    needs_remote_code: bool = False
    """Whether it runs only with Python code of its own."""
    bidirectional: bool = False
    """Whether a decoder's causal mask has to be lifted, which its config may not say."""
    aliases: tuple[str, ...] = ()
    """Other hub ids of the same encoder."""


@dataclass(frozen=True)
class Family:
    """Encoders that were trained alike."""

    name: str
    """As the sidebar shows it."""
    variants: tuple[Variant, ...]
    """From small to large."""


def _variants(
    owner: str,
    sizes: dict[str, int],
    pooling: str,
    max_tokens: int,
    prompts: tuple[str, str],
    licence: str,
    *,
    normalised: bool = True,
    include_prompt: bool = True,
) -> tuple[Variant, ...]:
    """Variants that differ by name and dimensions only."""
    return tuple(
        Variant(
            name,
            f"{owner}/{name}",
            pooling,
            dimensions,
            max_tokens,
            *prompts,
            licence,
            normalised=normalised,
            include_prompt=include_prompt,
        )
        for name, dimensions in sizes.items()
    )


FAMILIES: tuple[Family, ...] = (
    Family(
        "BGE",
        (
            *_variants(
                "BAAI",
                {"bge-small-en-v1.5": 384, "bge-base-en-v1.5": 768, "bge-large-en-v1.5": 1024},
                "cls",
                512,
                _BGE,
                "mit",
            ),
            *_variants("BAAI", {"bge-m3": 1024}, "cls", 8192, _NONE, "mit"),
        ),
    ),
    Family(
        "E5",
        _variants(
            "intfloat",
            {"e5-small-v2": 384, "e5-base-v2": 768, "e5-large-v2": 1024, "multilingual-e5-large": 1024},
            "mean",
            512,
            _E5,
            "mit",
        ),
    ),
    Family(
        "GTE",
        (
            *_variants("thenlper", {"gte-small": 384, "gte-base": 768, "gte-large": 1024}, "mean", 512, _NONE, "mit"),
            Variant(
                "gte-Qwen2-1.5B",
                "Alibaba-NLP/gte-Qwen2-1.5B-instruct",
                "lasttoken",
                1536,
                32768,
                *_QWEN,
                "apache-2.0",
                bidirectional=True,
            ),
        ),
    ),
    Family(
        "Nomic",
        _variants(
            "nomic-ai",
            {"nomic-embed-text-v1": 768, "nomic-embed-text-v1.5": 768},
            "mean",
            8192,
            _NOMIC,
            "apache-2.0",
            normalised=False,
        ),
    ),
    Family(
        "Jina",
        (
            Variant(
                "jina-embeddings-v2-base-en",
                "jinaai/jina-embeddings-v2-base-en",
                "mean",
                768,
                8192,
                *_NONE,
                "apache-2.0",
                normalised=False,
                needs_remote_code=True,
            ),
            Variant(
                "jina-embeddings-v3",
                "jinaai/jina-embeddings-v3-hf",  # the weights of jina-embeddings-v3 for transformers' own class
                "mean",
                1024,
                8192,
                *_JINA,
                "cc-by-nc-4.0",
                aliases=("jinaai/jina-embeddings-v3",),
            ),
        ),
    ),
    Family(
        "Instructor",
        _variants(
            "hkunlp",
            {"instructor-base": 768, "instructor-large": 768, "instructor-xl": 768},
            "mean",
            512,
            _INSTRUCTOR,
            "apache-2.0",
            include_prompt=False,
        ),
    ),
    Family(
        "MiniLM",
        (
            *_variants("sentence-transformers", {"all-MiniLM-L6-v2": 384}, "mean", 256, _NONE, "apache-2.0"),
            *_variants("sentence-transformers", {"all-MiniLM-L12-v2": 384}, "mean", 128, _NONE, "apache-2.0"),
        ),
    ),
    Family(
        "SBERT",
        (
            *_variants("sentence-transformers", {"all-mpnet-base-v2": 768}, "mean", 384, _NONE, "apache-2.0"),
            *_variants(
                "sentence-transformers",
                {"paraphrase-multilingual-mpnet-base-v2": 768},
                "mean",
                128,
                _NONE,
                "apache-2.0",
                normalised=False,
            ),
        ),
    ),
)


def family_of(*names: str | Path | None) -> tuple[Family, Variant] | None:
    """The first known checkpoint among `names`: hub ids, short names or folders (their last part, or the hub
    cache's `models--owner--name` somewhere above). None if none is known.
    """  # noqa: D205
    for name in names:
        for candidate in _candidates(name):
            if candidate in _BY_NAME:
                return _BY_NAME[candidate]
    return None


def _candidates(name: str | Path | None) -> list[str]:
    if isinstance(name, str):
        return [name.lower()] if name else []
    if not isinstance(name, Path):  # a config may say anything
        return []
    cached = [part.removeprefix("models--").replace("--", "/") for part in name.parts if part.startswith("models--")]
    return [candidate.lower() for candidate in (*cached, name.name)]


def _by_name() -> dict[str, tuple[Family, Variant]]:
    known = {}
    for family in FAMILIES:
        for variant in family.variants:
            for hub_id in (variant.hub_id, *variant.aliases):
                known[hub_id.lower()] = (family, variant)
                known[hub_id.split("/")[-1].lower()] = (family, variant)
            known[variant.name.lower()] = (family, variant)
    return known


_BY_NAME = _by_name()
