"""Resources and prompts: what agents may read without a tool, and questions that people come with."""

import json
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from lib.agents.answers import clipped, rounded
from lib.agents.workbench import SAMPLE, Workbench
from lib.corpora import QUERY_SET_NAMES, SAMPLE_NAMES
from lib.corpora.facts import about, about_queries
from lib.encoders import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED
from lib.encoders.facts import facts
from lib.errors import InputError
from lib.sae.facts import about_sae, known_of
from lib.sae.sources import PACKAGED_SAES

_ENCODERS = {"default": PACKAGED, "static": PACKAGED_STATIC, "tuned": PACKAGED_TUNED, "harmful": PACKAGED_HARMFUL}
_JSON = "application/json"
_SHOWN = 60


def add_resources(server: MCPServer[Any], bench: Workbench) -> None:
    """Sample corpora, query sets, encoders, dictionaries and their features, as JSON."""
    for name in SAMPLE_NAMES:
        server.resource(
            f"embedscope://corpora/{name}", name=f"corpus {name}", mime_type=_JSON,
            description="A sample corpus: what it is and its first texts.",
        )(_reads(_corpus, bench, name))  # fmt: skip
    for name in QUERY_SET_NAMES:
        server.resource(
            f"embedscope://queries/{name}", name=f"query set {name}", mime_type=_JSON,
            description="A sample query set: what it is and its first queries.",
        )(_reads(_queries, bench, name))  # fmt: skip
    for name, encoder in _ENCODERS.items():
        server.resource(
            f"embedscope://encoders/{name}", name=f"encoder {encoder}", mime_type=_JSON,
            description="An encoder that ships, from its files.",
        )(_reads(_encoder, bench, encoder))  # fmt: skip
    for sae in PACKAGED_SAES:
        server.resource(
            f"embedscope://saes/{sae}", name=f"dictionary {sae}", mime_type=_JSON,
            description="A sparse autoencoder that ships: what it was trained on, and its held-out figures.",
        )(_reads(_sae, bench, sae))  # fmt: skip

    @server.resource(
        "embedscope://features/{sae}/{feature}", name="feature", mime_type=_JSON,
        description="A feature of a dictionary that ships (packaged, packaged-static): label, score, how it fires.",
    )  # fmt: skip
    def feature(sae: str, feature: str) -> str:
        if sae not in PACKAGED_SAES:
            raise ResourceNotFoundError(f"No dictionary {clipped(sae, 40)!r} ships: ask for packaged.")
        opened, database = bench.sae(sae)
        if not (feature.isascii() and feature.isdigit() and len(feature) < 9 and int(feature) < opened.sae.features):
            raise ResourceNotFoundError(
                f"{sae} has features 0 to {opened.sae.features - 1}, got {clipped(feature, 40)!r}."
            )
        return _json({"sae": sae, "feature": int(feature), **known_of(int(feature), database)})


def add_prompts(server: MCPServer[Any]) -> None:
    """Questions that people come with, each as a way through the tools."""

    @server.prompt(title="Why is this query bad?")
    def why_is_this_query_bad(query: str, queries: str = "sample:topics") -> str:
        """Find out why an encoder answers one query badly."""
        return (
            f"An embedding model answers this query badly: {query!r}. Find out why with Embedscope's tools. First call "
            f"evaluate_retrieval on {queries!r}, and see whether the query is among the weakest and how far the rest "
            "is from BM25. Then hard_negatives for the document that wins in its place. Then contrast the query with "
            "the true document and with the wrong one: which features draw it to the wrong one, and what does the "
            "dictionary leave out (error)? Check that those features can be trusted with describe_feature. Say what "
            "you found in three sentences with the numbers and their intervals, and what to try."
        )

    @server.prompt(title="Did my fine-tune hurt?")
    def did_my_fine_tune_hurt(tuned: str, base: str = PACKAGED) -> str:
        """Judge a fine-tuned encoder against its base."""
        return (
            f"Judge the fine-tuned encoder {tuned!r} against {base!r} with Embedscope's diff tool on the texts and "
            "queries that matter, else on the samples. Report the verdict with the rule behind it, the topics that got "
            "worse, and the paired tests on retrieval; do not call a change good or bad without a test."
        )


def _reads(make: Any, bench: Workbench, name: str) -> Any:
    def read() -> str:
        try:
            return _json(make(bench, name))
        except InputError as fault:
            raise ResourceNotFoundError(str(fault)) from None

    return read


def _corpus(bench: Workbench, name: str) -> dict[str, Any]:
    read = bench.corpus(SAMPLE + name)
    labels = read.labels or (None,) * len(read)
    rows = zip(read.ids[:_SHOWN], labels, read.texts, strict=False)
    texts = [{"id": one, "label": label, "text": clipped(text)} for one, label, text in rows]
    return about(read) | {"corpus": SAMPLE + name, "texts_shown": len(texts), "first": texts}


def _queries(bench: Workbench, name: str) -> dict[str, Any]:
    read = bench.queries(SAMPLE + name)
    topics = read.topics or (None,) * len(read.queries)
    rows = list(zip(read.query_ids, topics, read.queries, strict=True))[:_SHOWN]
    shown = [{"id": one, "topic": topic, "query": clipped(query)} for one, topic, query in rows]
    return about_queries(read) | {"queries_shown": len(shown), "set": SAMPLE + name, "first": shown}


def _encoder(bench: Workbench, name: str) -> dict[str, Any]:
    return facts(bench.checkpoint(name))


def _sae(bench: Workbench, name: str) -> dict[str, Any]:
    return about_sae(bench.sae(name)[0])


def _json(value: dict[str, Any]) -> str:
    return json.dumps(rounded(value), ensure_ascii=False)
