"""Sections of `python -m lib retrieval` about the encoder itself: sizes, reranking, tokens, prompts, passages."""

import argparse
from typing import Any

import numpy as np

from lib.cli.inputs import progress
from lib.cli.retrieval_case import Case
from lib.encoders import Policy, TokenEncoder, describe_multi_vector, open_multi_vector
from lib.encoders.cross_checkpoint import CrossCheckpoint, describe_cross_encoder
from lib.errors import InputError
from lib.retrieval.chunking import OVERLAP, SIZE, chunk_documents, cut_documents
from lib.retrieval.late import maxsim_rerank
from lib.retrieval.negatives import HardNegatives, with_cross_encoder
from lib.retrieval.pair_scores import PairScores
from lib.retrieval.pooled import compare_chunks
from lib.retrieval.prompts import Pair, compare_prompts
from lib.retrieval.quantisation import size_quality
from lib.retrieval.reranking import rerank
from lib.retrieval.reranking_effect import reranking_effect
from lib.retrieval.truncation import prefix_quality

_TOP = 20


def add_parts(command: argparse.ArgumentParser) -> None:
    """Options that ask for sections."""
    group = command.add_argument_group("further sections, each under its own key of the JSON")
    group.add_argument(
        "--sizes",
        nargs="*",
        type=int,
        metavar="D",
        help="by cosine, quality against bytes: the first D dimensions (default: powers of two), float32 to "
        "binary; and whether the first dimensions matter most, as Matryoshka training makes it",
    )
    group.add_argument(
        "--rerank", metavar="CROSS_ENCODER", help="hub id or folder: metrics before and after, tests, seconds a query"
    )
    group.add_argument("--top", type=int, default=_TOP, metavar="N", help=f"documents to rerank (default: {_TOP})")
    group.add_argument(
        "--rerank-queries", type=int, metavar="N", help="rerank so many queries, drawn with --seed (default: all)"
    )
    group.add_argument("--late", type=int, metavar="N", help="rerank the first N by MaxSim over this encoder's tokens")
    group.add_argument("--late-checkpoint", metavar="E", help="take the tokens of this ColBERT checkpoint for --late")
    group.add_argument(
        "--late-tokens",
        choices=("words", "all"),
        help="all: special tokens and the prompt's count too (default: words; all with --late-checkpoint)",
    )
    group.add_argument(
        "--prompts",
        nargs="*",
        metavar=("QUERY_PROMPT", "DOCUMENT_PROMPT"),
        help="effect of two prompts against none (default: the encoder's own)",
    )
    group.add_argument(
        "--chunks",
        nargs="*",
        type=int,
        metavar=("SIZE", "OVERLAP"),
        help=f"what is cut off long documents, and search in passages of so many tokens (default: {SIZE} {OVERLAP})",
    )


def check_parts(chosen: argparse.Namespace) -> CrossCheckpoint | None:
    """Refuse what can be told before anything is encoded; the cross-encoder, described, where one is asked for.

    Raises:
        InputError: an option that makes no sense, or a cross-encoder that cannot be opened.
    """
    for name, value in (("top", chosen.top), ("rerank-queries", chosen.rerank_queries), ("late", chosen.late)):
        if value is not None and value < 1:
            raise InputError(f"--{name} should be 1 or more, got {value}.")
    if chosen.prompts and len(chosen.prompts) != 2:
        raise InputError(
            '--prompts takes two, before queries and before documents ("" for none), or none for the encoder\'s own; '
            f"got {len(chosen.prompts)}."
        )
    if chosen.chunks and len(chosen.chunks) != 2:
        raise InputError(
            f"--chunks takes a size and an overlap in tokens, or neither; got {len(chosen.chunks)} values."
        )
    if chosen.late is None and (chosen.late_checkpoint or chosen.late_tokens):
        raise InputError("--late-checkpoint and --late-tokens say how --late N reranks: give that too.")
    if not chosen.rerank:
        return None
    return describe_cross_encoder(chosen.rerank, policy=Policy.from_environment())


def sizes(case: Case) -> dict[str, Any]:
    """Quality of every size and precision, and of the first dimensions against any."""
    dims, seed = case.chosen.sizes or None, case.chosen.seed
    tell = progress("sizes", doing="Searching")
    return {
        "sizes": size_quality(case.queries, *case.vectors, dims=dims, seed=seed, progress=tell).to_dict(),
        "prefixes": prefix_quality(case.queries, *case.vectors, dims=dims, seed=seed, progress=tell).to_dict(),
    }


def reranking(case: Case, of: CrossCheckpoint) -> tuple[dict[str, Any], HardNegatives | None]:
    """What a cross-encoder makes of the first documents; and hard negatives with its word on suspicious ones."""
    from lib.encoders.cross_encoder import open_cross_encoder

    chosen, queries = case.chosen, case.queries
    scorer, run = open_cross_encoder(of, policy=case.source.policy), case.run(chosen.top)
    known = PairScores(queries, scorer.name)
    rows = np.flatnonzero(queries.relevant)
    if chosen.rerank_queries and chosen.rerank_queries < len(rows):
        rows = np.sort(np.random.default_rng(chosen.seed).choice(rows, chosen.rerank_queries, replace=False))
    tell = progress("pairs", doing="Scoring")
    made = rerank(queries, run, scorer, top=chosen.top, rows=rows, known=known, progress=tell)
    effect = reranking_effect(
        queries, run, made, ranks=case.ranks, gain=chosen.gain, cutoffs=chosen.cutoffs, seed=chosen.seed
    )
    shown = ("source", "parameters", "max_tokens", "activation", "licence", "notices")
    about = {name: getattr(of, name) for name in shown}
    negatives = case.found.negatives
    if negatives is not None and negatives.suspicious.any():
        doubtful = np.flatnonzero(negatives.suspicious)
        query = np.repeat(negatives.query[doubtful], 2)
        document = np.column_stack([negatives.positive[doubtful], negatives.negative[doubtful]]).ravel()
        known.score(query, document, scorer, progress=progress("suspicious negatives", doing="Scoring"))
        scores = np.full((len(negatives.gap), 2), np.nan)
        scores[doubtful] = known.find(query, document).reshape(-1, 2)
        negatives = with_cross_encoder(negatives, scores)
    return {"cross_encoder": about, **effect.to_dict()}, negatives


def late(case: Case) -> dict[str, Any]:
    """What MaxSim makes of the first documents, and what its index takes."""
    chosen, queries = case.chosen, case.queries
    run, special = (
        case.run(chosen.late),
        (chosen.late_tokens or ("all" if chosen.late_checkpoint else "words")) == "all",
    )
    encoder: TokenEncoder = case.source.open()
    name = case.source.checkpoint.source
    if chosen.late_checkpoint:
        described = describe_multi_vector(chosen.late_checkpoint, policy=case.source.policy)
        encoder, name = open_multi_vector(described, policy=case.source.policy), described.source
    tell = progress("tokens of documents")
    made = maxsim_rerank(queries, run, encoder, top=chosen.late, special=special, progress=tell)
    effect = reranking_effect(
        queries, run, made.reranked, ranks=case.ranks, gain=chosen.gain, cutoffs=chosen.cutoffs, seed=chosen.seed
    )
    return effect.to_dict() | {
        "tokens_of": name,
        "special": made.special,
        "documents": made.documents,
        "query_tokens": made.query_tokens,
        "document_tokens": made.document_tokens,
        "dimensions": made.dimensions,
        "bytes_per_document": made.bytes_per_document,
        "truncated_documents": made.truncated,
        "seconds": made.seconds,
    }


def prompts(case: Case) -> dict[str, Any]:
    """The query set with and without two prompts, in every arrangement."""
    own = case.source.checkpoint
    query, document = case.chosen.prompts or (own.prompts.query, own.prompts.document)
    sides = []
    for under, how in (
        (own.with_prompts(query="", document=""), "without prompts"),
        (own.with_prompts(query=query, document=document), "with prompts"),
    ):
        asked = case.source.embed(case.queries.queries, f"queries {how}", role="query", under=under)
        documents = case.source.embed(case.queries.documents, f"documents {how}", under=under)
        sides.append(Pair(asked.vectors, documents.vectors))
    return compare_prompts(
        case.queries, *sides, query_prompt=query, document_prompt=document, measure=case.chosen.measure,
        seed=case.chosen.seed,
    ).to_dict()  # fmt: skip


def chunks(case: Case) -> dict[str, Any]:
    """What is never read of long documents, and the search in passages against the one in whole documents."""
    encoder, (size, overlap) = case.source.open(), case.chosen.chunks or (SIZE, OVERLAP)
    lengths = cut_documents(case.queries.documents, encoder)
    tell = progress("documents", doing="Cutting")
    made = chunk_documents(case.queries.documents, encoder, size=size, overlap=overlap, progress=tell)
    asked, documents = case.vectors
    compared = compare_chunks(
        case.queries,
        made,
        lengths.lost > 0,
        query_vectors=asked,
        document_vectors=documents,
        chunk_vectors=case.source.embed(made.texts, "passages").vectors,
        measure=case.chosen.measure,
        seed=case.chosen.seed,
    )
    return {"lengths": lengths.to_dict(), **compared.to_dict(), "shortened": made.shortened}
