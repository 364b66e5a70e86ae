"""Snippets of the Retrieval page about the encoder itself: reranking, sizes, tokens, prompts, passages, features."""

from lib.encoders.cross_checkpoint import KNOWN_CROSS_ENCODERS
from lib.retrieval.prompts import PRESETS
from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import arguments, embedding, place_of, queries_in_space, with_dictionary
from lib.snippets.retrieval import command_of, measure_of, measured, searched
from lib.snippets.script import Script
from lib.snippets.snippet import Case, Snippet

_OWN, _TYPED = "its own", "my own"
_LINEAR = ("cosine", "dot", "l2")
_TOP, _LATE_TOP, _DEPTH = 20, 50, 100
_SIZE, _OVERLAP = 256, 50
_TEXTS = ("Example", "This query set", "My own")


def reranking(case: Case) -> Snippet:
    """Reranking: metrics before and after a cross-encoder."""
    chosen, top = case.typed("cross_encoder"), case.whole("rerank_top", _TOP)
    source, sample = chosen or next(iter(KNOWN_CROSS_ENCODERS)), case.typed("rerank_queries") or "200"
    rows = "np.flatnonzero(queries.relevant)"
    script = queries_in_space(case)
    searched(case, script, max(top, _DEPTH))
    script.use("numpy")
    script.use("lib.encoders.cross_encoder", "open_cross_encoder")
    script.use("lib.retrieval.reranking", "rerank")
    script.use("lib.retrieval.reranking_effect", "reranking_effect")
    script.add(f"rows = {rows}")
    few = sample.isdecimal()
    if few:
        script.add(
            f"if len(rows) > {sample}:",
            f"    rows = np.sort(np.random.default_rng(0).choice(rows, {sample}, replace=False))",
        )
    script.add(
        f"made = rerank(queries, run, open_cross_encoder({source!r}), top={top}, rows=rows)",
        "test = reranking_effect(queries, run, made).change('ndcg@10').test",
    )
    script.show("NDCG@10 before", "test.mean_a", ".3f")
    script.show("NDCG@10 after", "test.mean_b", ".3f")
    command = command_of(case).option("--rerank", source).option("--top", top, usual=_TOP)
    command.option("--rerank-queries", int(sample) if few else False)
    note = "" if chosen else "No cross-encoder is chosen yet: the code names a known one, fetched from the model hub."
    return snippet_of(script, command, note=note)


def sizes(case: Case) -> Snippet:
    """Sizes: quality against bytes."""
    script = queries_in_space(case)
    script.use("lib.retrieval.quantisation", "size_quality")
    script.use("lib.retrieval.truncation", "prefix_quality")
    script.add(
        "found = size_quality(queries, asked, documents)",
        "for point in found.points:",
        '    print(f"{point.dims} x {point.precision}: {point.bytes_per_document} bytes, NDCG@10 {point.ndcg:.3f}")',
        "prefixes = prefix_quality(queries, asked, documents)",
    )
    script.show("First dimensions against any others", "prefixes.verdict")
    return snippet_of(script, Command(case, "retrieval").with_queries().with_encoder().option("--sizes"))


def late(case: Case) -> Snippet:
    """Late interaction: one query against two documents, token by token."""
    theirs = case.choice("late_encoder", ("this encoder", "a ColBERT checkpoint")) != "this encoder"
    special = case.choice(
        *(("late_colbert_tokens", ("all", "words only")) if theirs else ("late_tokens", ("words only", "all")))
    )
    script = queries_in_space(case)
    _contest(case, script)
    tokens = "encoder()"
    checkpoint = case.typed("late_checkpoint") if theirs else ""
    if checkpoint:
        script.use("lib.encoders", "open_multi_vector")
        script.add(f"late = open_multi_vector({checkpoint!r})")
        tokens = "late"
    script.use("lib.retrieval.late", "maxsim", "tokens_of")
    script.add(
        "",
        "",
        "def tokens(text, role):",
        f"    made = tokens_of({tokens}, text, role=role)",
        f"    return made.vectors[made.scored(special={special == 'all'})]",
        "",
        "",
        "words = tokens(query, 'query')",
        "sides = [maxsim(words, tokens(text, 'document'), normalise=False) for text in (first, second)]",
    )
    script.show("MaxSim margin", "sides[0].score - sides[1].score", "+.2f")
    script.show("Margin a token", "sides[0].mean - sides[1].mean", "+.3f")
    command = command_of(case).option("--late", case.whole("late_top", _LATE_TOP))
    command.option("--late-checkpoint", checkpoint, usual="")
    command.option("--late-tokens", "all" if special == "all" else "words", usual="all" if theirs else "words")
    return snippet_of(script, command, note="The command reranks the whole query set by MaxSim, as below on the page.")


def _contest(case: Case, script: Script) -> None:
    """`query`, `first` and `second`: the texts that are compared."""
    kind = case.choice("late_texts", _TEXTS)
    if kind == "My own":
        for name, key in (("query", "late_own_query"), ("first", "late_own_first"), ("second", "late_own_second")):
            script.add(f"{name} = {case.typed(key)!r}")
        return
    if kind == "Example":
        script.use("lib.corpora", "load_query_set")
        example = case.typed("late_example")
        script.add("given = load_query_set('late')", f"row = {f'given.queries.index({example!r})' if example else 0}")
        second = "given.judged_document[mine & (given.relevance == 0)][0]"
    else:
        searched(case, script)
        query, _, _ = case.typed("late_from_set").partition(": ")
        row = place_of(f"{query} · " if query else "", "queries.query_ids")
        script.add("given = queries", f"row = {row}")
        second = "next(d for d in run.documents[row] if d not in right)"
    script.add("mine = given.judged_query == row", "right = given.judged_document[mine & (given.relevance > 0)]")
    first = "right[0]" if kind == "Example" else "next((d for d in run.documents[row] if d in right), right[0])"
    script.add(f"query, first = given.queries[row], given.documents[{first}]", f"second = given.documents[{second}]")


def prompts(case: Case) -> Snippet | None:
    """Prompts: the query set with and without them; nothing where none is typed."""
    own = any(case.own_prompts)
    chosen = case.choice("prompts_of", [*([_OWN] if own else []), *PRESETS, _TYPED])
    query, document = case.own_prompts if chosen == _OWN else PRESETS.get(chosen, ("", ""))
    if chosen == _TYPED:  # as they were typed: a space at the end counts
        query, document = (str(case.settings.get(key) or "") for key in ("prompts_query", "prompts_document"))
    if not (query or document):
        return None
    script = queries_in_space(case)
    script.use("lib.retrieval.prompts", "Pair", "compare_prompts")
    under = "checkpoint.with_prompts(query=query, document=document)"
    asked, documents = (
        embedding(case, script, texts, role=role).replace("checkpoint, encoder", "of, lambda: encoder().under(of)")
        for texts, role in (("queries.queries", "query"), ("queries.documents", "document"))
    )
    script.add(
        "",
        "",
        "def read(query, document):",
        f"    of = {under}",
        f"    return Pair({asked}.vectors, {documents}.vectors)",
        "",
        "",
        f"query, document = {query!r}, {document!r}",
        "found = compare_prompts(",
        "    queries, read('', ''), read(query, document),",
        f"    query_prompt=query, document_prompt=document{measured(case)},",
        ")",
        "test = next(one for one in found.arrangements[-1].tests if one.metric == 'ndcg@10')",
    )
    script.show("NDCG@10 without", "test.mean_a", ".3f")
    script.show("NDCG@10 with", "test.mean_b", ".3f")
    return snippet_of(script, command_of(case).options("--prompts", [query, document]))


def chunks(case: Case) -> Snippet:
    """Chunks: what is never read of long documents, and the search in passages."""
    size, overlap = case.whole("chunk_size", _SIZE), case.whole("chunk_overlap", _OVERLAP)
    script = queries_in_space(case)
    script.use("lib.retrieval.chunking", "chunk_documents", "cut_documents")
    script.use("lib.retrieval.pooled", "compare_chunks")
    script.add("lengths = cut_documents(queries.documents, encoder())")
    script.show("Documents cut", "{lengths.cut} ({lengths.cut / lengths.items:.1%})")
    script.show("Tokens lost", "lengths.lost_share", ".1%")
    script.show("Longest", "lengths.tokens.max()")
    script.add(
        f"made = chunk_documents(queries.documents, encoder(), size={size}, overlap={overlap})",
        "if made.split:  # else every passage is a whole document",
        f"    vectors = {embedding(case, script, 'made.texts')}.vectors",
        "    found = compare_chunks(",
        "        queries, made, lengths.lost > 0, query_vectors=asked, document_vectors=documents,",
        f"        chunk_vectors=vectors{measured(case)},",
        "    )",
        "    test = next(one for one in found.tests if one.metric == 'ndcg@10')",
    )
    script.show("NDCG@10, whole", "test.mean_a", ".3f", indent=4)
    script.show("NDCG@10, passages", "test.mean_b", ".3f", indent=4)
    return snippet_of(script, command_of(case).options("--chunks", [size, overlap]))


def faithfulness(case: Case) -> Snippet | None:
    """Faithfulness: what NDCG loses without each feature."""
    measure = measure_of(case)
    if measure not in _LINEAR:
        return None
    k, gain = case.whole("faithfulness_k", 10), case.choice("faithfulness_gain", ("linear", "exponential"))
    script = queries_in_space(case)
    with_dictionary(case, script)
    script.use("lib.sae.faithfulness", "faithfulness")
    how = arguments(k=k, gain=gain, measure=measure)
    script.add(f"found = faithfulness(sae, queries, asked, documents, {how})")
    script.show(f"NDCG@{k}", "found.whole", ".3f")
    script.show("Of reconstructions", "found.reconstructed", ".3f")
    script.add(
        "for verdict in ('essential', 'harmful', 'redundant'):",
        '    print(f"{verdict.capitalize()}: {found.count(verdict)}")',
    )
    command = Command(case, "sae", "faithfulness").with_queries().with_sae().with_encoder()
    command.option("--cutoff", k, usual=10).option("--gain", gain, usual="linear")
    return snippet_of(script, command.option("--measure", measure, usual="cosine"))


VIEWS = {
    "Reranking": reranking,
    "Sizes": sizes,
    "Late interaction": late,
    "Prompts": prompts,
    "Chunks": chunks,
    "Faithfulness": faithfulness,
}
