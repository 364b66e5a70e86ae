"""Snippets of the Retrieval page about one search: its quality, hard negatives, one query, other systems."""

from dataclasses import replace

from lib.encoders import PACKAGED
from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import described, place_of, precision, queries_in_space
from lib.snippets.script import Script
from lib.snippets.snippet import Case, Snippet

_MEASURES = ("cosine", "dot", "l2", "manhattan")
_GAINS = ("linear", "exponential")
_SOURCES = ("mined", "explicit", "BM25")
_WORDS = {"English": "english", "any language": None}
_USUAL_DEPTHS = (1, 5, 10)
_CUTOFFS = (1, 3, 5, 10, 20, 100)
_HEADLINES = {
    "Recall@1": "recall@1",
    "Recall@5": "recall@5",
    "Recall@10": "recall@10",
    "MRR": "mrr",
    "NDCG@10": "ndcg@10",
    "Hit rate@1": "hit@1",
    "Hit rate@5": "hit@5",
    "Hit rate@10": "hit@10",
}
_FEW, _DEEPEST = 20, 1_000_000


def measure_of(case: Case) -> str:
    """The similarity that every view of the page searches by."""
    return case.choice("measure", _MEASURES)


def measured(case: Case) -> str:
    """The argument that says so, where it is not cosine."""
    measure = measure_of(case)
    return "" if measure == "cosine" else f", measure={measure!r}"


def searched(case: Case, script: Script, depth: int = 100) -> None:
    """`run`: the first documents of each query."""
    script.use("lib.retrieval", "search")
    script.add(f"run = search(asked, documents, {depth}{measured(case)}, tie_order=queries.tie_order)")


def command_of(case: Case) -> Command:
    """`retrieval` with its query set, encoder and similarity."""
    command = Command(case, "retrieval").with_queries().with_encoder()
    return command.option("--measure", measure_of(case), usual="cosine")


def quality(case: Case) -> Snippet:
    """Quality: metrics with their intervals."""
    gain = case.choice("quality_gain", _GAINS)
    typed = (int(k) for k in case.several("quality_k") if k.isdecimal())
    depths = sorted({*_USUAL_DEPTHS, *(k for k in typed if 0 < k <= _DEEPEST)})
    script = queries_in_space(case)
    script.use("lib.retrieval", "evaluate")
    asked = "" if gain == "linear" else f", gain={gain!r}"
    script.add(
        f"found = evaluate(queries, asked, documents, cutoffs={tuple(depths)}{measured(case)}{asked})",
        "means = {one.metric: one for one in found.summaries if one.group is None}",
        f"names = {_HEADLINES!r}",
        "for name, metric in names.items():",
        "    one = means[metric]",
        '    print(f"{name}: {one.mean:.3f}, 95 % interval {one.low:.3f} to {one.high:.3f}")',
    )
    command = command_of(case).option("--gain", gain, usual="linear")
    return snippet_of(script, command.options("--cutoffs", depths, usual=_USUAL_DEPTHS))


def hard_negatives(case: Case) -> Snippet:
    """Hard negatives: the gap of each query to its hardest negative."""
    source = case.choice("negatives_source", _SOURCES)
    words = _WORDS[case.choice("compare_words", _WORDS)]
    script = queries_in_space(case)
    script.use("lib.retrieval", "hard_negatives", "judged_scores")
    script.use("lib.retrieval.negatives", "depth")
    if source == "BM25":
        script.use("lib.retrieval", "Bm25Index")
        script.use("lib.retrieval.pairs", "rescored")
        script.add(
            f"index = Bm25Index(queries.documents, language={words!r})",
            "words = index.search(queries.queries, depth(queries), tie_order=queries.tie_order)",
            f"run = rescored(words, asked, documents{measured(case)})",
        )
    else:
        script.use("lib.retrieval", "search")
        script.add(f"run = search(asked, documents, depth(queries){measured(case)}, tie_order=queries.tie_order)")
    script.add(
        f"scores = judged_scores(queries, asked, documents{measured(case)})",
        f"found = hard_negatives(queries, run, judged_scores=scores, source={source!r})",
    )
    script.show("Hard-negative gap", "{found.hard_negative_gap:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f}")
    script.show("Below 0", "found.share_below", ".1%")
    script.show("Queries", "len(found.gap)")
    command = command_of(case).option("--negatives", source, usual="mined")
    return snippet_of(script, command.option("--bm25-words", "any" if words is None else "english", usual="english"))


def search(case: Case) -> Snippet:
    """Search: one ranking."""
    top, typed = case.whole("search_top", 10), case.typed("q")
    script = queries_in_space(case)
    if typed:
        script.use("lib.retrieval", "search")
        script.add(
            f"text = {typed!r}",
            "vector = encoder().encode([text], role='query').vectors",
            f"run = search(vector, documents, 100{measured(case)}, tie_order=queries.tie_order)",
            f"for document, score in zip(run.documents[0, :{top}], run.scores[0]):",
            '    print(f"{score:.4f}", queries.documents[document][:80])',
        )
        return snippet_of(script, note="A typed query has no command: the command line searches with whole query sets.")
    searched(case, script)
    script.use("lib.retrieval", "exact_ranks")
    script.use("lib.retrieval.ranking", "query_ranking")
    script.add(
        f"row = {place_of(case.typed('search_query'), 'queries.query_ids')}",
        f"ranks = exact_ranks(queries, run, asked, documents{measured(case)})",
        "found = query_ranking(",
        f"    queries, run, ranks, row=row, query_vectors=asked, document_vectors=documents{measured(case)}",
        ")",
        f"for document, score in zip(found.documents[:{top}], found.scores):",
        '    print(f"{score:.4f}", queries.documents[document][:80])',
        "relevant = found.relevant_ranks  # none where nobody judged a document relevant",
    )
    script.show("First relevant", "rank {relevant[0]}")
    script.show(f"Relevant in {top}", f"{{(relevant <= {top}).sum()}} of {{len(relevant)}}")
    return snippet_of(script, command_of(case))


def comparison(case: Case) -> Snippet:
    """Comparison: systems side by side, tested query by query."""
    few = case.asked <= _FEW
    metric = case.typed("compare_metric_few" if few else "compare_metric") or ("precision@3" if few else "ndcg@10")
    words = _WORDS[case.choice("compare_words", _WORDS)]
    cuts = sorted((int(cut) for cut in case.several("compare_cuts") if cut.isdecimal()), reverse=True)
    others = case.several("compare_with")
    own = short_name(case.encoder)
    script = queries_in_space(case)
    script.use("lib.retrieval", "Bm25Index", "System", "compare", "exact_ranks", "query_metrics", "search")
    script.add(
        f"cutoffs = {_CUTOFFS}",
        f"index = Bm25Index(queries.documents, language={words!r})",
        "words = index.search(queries.queries, 100, tie_order=queries.tie_order)",
        "ranked = query_metrics(index.ranks(queries), cutoffs=cutoffs)",
        "systems = [System('BM25', words, ranked, None, index.bytes / len(queries.documents))]",
        "",
        "",
        "def add(name, asked, documents):",
        f"    run = search(asked, documents, 100{measured(case)}, tie_order=queries.tie_order, system=name)",
        f"    ranks = exact_ranks(queries, run, asked, documents{measured(case)})",
        "    size = documents.shape[1]",
        "    systems.append(System(name, run, query_metrics(ranks, cutoffs=cutoffs), size, 4 * size))",
        "",
        "",
        f"add({own!r}, asked, documents)",
    )
    script.add(
        *(f"add({f'{own}, first {cut}'!r}, asked[:, :{cut}].copy(), documents[:, :{cut}].copy())" for cut in cuts)
    )
    if others:
        script.use("lib.embeddings", "embed")
        script.use("lib.encoders", "open_encoder")
        script.use("lib.store", "default_store")
        sources = ", ".join(described(_plain(case), script, other) for other in others)
        names = ", ".join(repr(short_name(other)) for other in others)
        script.add(
            f"for name, other in zip([{names}], [{sources}], strict=True):",
            f"    given = (other, lambda: open_encoder(other{precision(case)}), default_store())",
            f"    theirs = embed(queries.queries, *given, role='query'{precision(case)}).vectors",
            f"    add(name, theirs, embed(queries.documents, *given{precision(case)}).vectors)",
        )
    script.add(
        f"metric = {metric!r}",
        f"found = compare(systems, metric=metric, baseline={case.typed('compare_baseline') or 'BM25'!r})",
        "for one in found.contenders:",
        '    print(f"{one.name}: {one.summary(metric).mean:.3f}")',
        "    if one.test is not None:",
        '        print(f"  against {found.baseline}: {one.test.difference:+.3f}, p = {one.test.p_value:.2g}")',
    )
    command = command_of(case).option("--bm25")
    command.option("--bm25-words", "any" if words is None else "english", usual="english")
    command.options("--compare", others).options("--cuts", cuts).option("--metric", metric, usual="ndcg@10")
    return snippet_of(script, command)


def short_name(source: str) -> str:
    """An encoder's name without its owner or folder, as the page has it."""
    return source.removesuffix(" (packaged)") if source == PACKAGED else source.rstrip("/").rsplit("/", 1)[-1]


def _plain(case: Case) -> Case:
    """The same with no prompts edited: further encoders have their own."""
    return replace(case, prompts=None)


VIEWS = {"Quality": quality, "Hard negatives": hard_negatives, "Search": search, "Comparison": comparison}
