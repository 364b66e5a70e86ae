"""What the Prompts view needs: the query set under other prompts, from the store, and the comparison."""

from dataclasses import dataclass

import streamlit as st

from lib.embeddings import Embeddings
from lib.encoders import Checkpoint, Role
from lib.progress import Progress
from lib.retrieval import Measure
from lib.retrieval.prompts import Pair, PromptComparison, compare_prompts
from lib.ui import resources
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.searches import Cost, made_here


@dataclass(frozen=True)
class Side:
    """One role's texts with the prompt that is put before them."""

    role: Role
    of: Checkpoint


def sides(space: QuerySpace, query: str, document: str) -> list[Side]:
    """Both roles without a prompt, then with these."""
    plain = space.checkpoint.with_prompts(query="", document="")
    prompted = space.checkpoint.with_prompts(query=query, document=document)
    return [Side("query", plain), Side("document", plain), Side("query", prompted), Side("document", prompted)]


def missing(space: QuerySpace, side: Side) -> int:
    """Different texts that are not in the store with this prompt yet."""
    texts, _ = _texts(space, side.role)
    return resources.missing(texts, side.of, precision=space.precision, role=side.role)


def embeddings(space: QuerySpace, side: Side, *, progress: Progress | None = None) -> Embeddings:
    """The texts of one role under its prompt."""
    texts, key = _texts(space, side.role)
    told = None if progress is None else lambda: progress
    return resources.embeddings(key, texts, side.of, precision=space.precision, role=side.role, progress=told)


def comparison(
    space: QuerySpace, measure: Measure, made: list[Embeddings], prompts: tuple[str, str]
) -> PromptComparison | None:
    """What the prompts do, from the embeddings of `sides` in their order; None while that takes long and is not begun.

    Draws what begins it, or its progress, where it takes long.
    """
    key = "/".join([space.queries.key, measure, *(part.key for part in made)])
    plain, prompted = (Pair(made[at].vectors, made[at + 1].vectors) for at in (0, 2))
    query, document = prompts
    n, d = plain.documents.shape
    cost = Cost(measure, len(plain.queries), n, d, searches=4 if query and document else 2)

    def compared(progress: Progress | None) -> PromptComparison:
        return compare_prompts(
            space.queries, plain, prompted, query_prompt=query, document_prompt=document, measure=measure,
            progress=progress,
        )  # fmt: skip

    return made_here(_room(key), f"prompts_search_{key}", cost, compared)


def _texts(space: QuerySpace, role: Role) -> tuple[tuple[str, ...], str]:
    """The texts of a role and their key."""
    queries = space.queries
    if role == "query":
        return queries.queries, f"{queries.key}/queries"
    return queries.documents, f"{queries.key}/documents"


@st.cache_resource(max_entries=12, ttl=3600, show_spinner=False)
def _room(key: str) -> dict[str, PromptComparison]:
    """Where a comparison is put."""
    return {}
